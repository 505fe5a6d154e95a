# SPDX-License-Identifier: MIT
"""Findings as SARIF against the schema of OASIS (sarif-schema-2.1.0.json, which several packages ship).

python3 tests/harness/escape/by_hand/sarif.py SCHEMA FILE.sarif... prints what the schema refuses."""
import json
import sys
from pathlib import Path

import jsonschema


def main(schema, *files):
    schema = json.loads(Path(schema).read_text())
    validator = jsonschema.validators.validator_for(schema)(schema)
    wrong = 0
    for file in files:
        log = json.loads(Path(file).read_text())
        for error in validator.iter_errors(log):
            print(f"{file}: {'/'.join(map(str, error.absolute_path))}: {error.message[:200]}")
            wrong += 1
        print(f"{file}: {sum(len(run['results']) for run in log['runs'])} results")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

# SPDX-License-Identifier: MIT
"""The tables of fields by which C writes results agree with results/schema/ and results/SCHEMA.md: keys, types, ranges.

AMPERSAND_BUILD names the build folder, whose tests/record_fields prints the tables."""
import json
import math
import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = next(folder for folder in Path(__file__).resolve().parents if (folder / "results").is_dir())
BUILD = os.environ.get("AMPERSAND_BUILD")
if not BUILD:
    pytest.skip("AMPERSAND_BUILD does not name a build folder", allow_module_level=True)
TABLES = json.loads(subprocess.run([Path(BUILD).resolve() / "tests" / "record_fields"], capture_output=True, text=True,
                                   check=True).stdout)
PAGE = (ROOT / "results" / "SCHEMA.md").read_text()


# Whose keys another section of SCHEMA.md explains, too: "As above ...".
ABOVE = {"allocators": "run", "allocators configurations": "allocators", "counts": "launch", "timeline": "workload",
         "workload-pair": "workload", "workload-pair rows": "workload-pair"}
JUDGED = {"schema", "configuration", "asked", "identity", "in_force", "reason"}  # what is added to a probe's record
NULL_ELSEWHERE = ["allocators.again", "workload.round_trip_ns[]"]  # in older runs; where the whole list may be null


def schema_of(name):
    """The JSON Schema of a record: "allocators configurations" are the items of that list in allocators-1.json."""
    file, *inner = name.split()
    schema = json.loads((ROOT / "results" / "schema" / f"{file}-1.json").read_text())
    text = json.dumps(schema["properties"][inner[0]]["items"] if inner else schema)
    for where, part in schema.get("$defs", {}).items():
        text = text.replace(json.dumps({"$ref": f"#/$defs/{where}"}), json.dumps(part))
    return json.loads(text)


def section_of(name):
    """What SCHEMA.md says of a file, and of the one above that it refers to."""
    own = PAGE.split(f"`ampersand/{name.split()[0]}/1`\n")[1].split("\n## ")[0]
    return own + (section_of(ABOVE[name]) if name in ABOVE else "")


def keys(table):
    for key, value in table.get("properties", {}).items():
        yield key
        yield from keys(value)
        yield from keys(value.get("items", {}))


def differences(where, table, schema, optional):
    """What is wrong about one value."""
    if "const" in schema:
        if table.get("const", optional) != schema["const"]:  # what is optional is written only where it is true
            yield f"{where}: {table} is written, {schema['const']} is wanted"
        return
    if table["type"] == "anything":
        return
    types = schema.get("type", "string")                     # of an enum
    types = {types} if isinstance(types, str) else set(types)
    if table["type"] not in types | ({"integer"} if "number" in types else set()):
        yield f"{where}: {table['type']} is written, {types} is wanted"
    if table.get("nullable", False) != ("null" in types) and where not in NULL_ELSEWHERE:
        yield f"{where}: null may{'' if table.get('nullable') else ' not'} be written, {types} is wanted"
    low, high = schema.get("minimum", 0), schema.get("maximum", math.inf)
    if "minimum" in table and (table["minimum"] != low or table.get("maximum", math.inf) > high):
        yield f"{where}: {table['minimum']} to {table.get('maximum')} is written, {low} to {high} is wanted"
    if table["type"] == "array":
        yield from differences(f"{where}[]", table["items"], schema["items"], False)
    if table["type"] == "object":
        yield from different_keys(where, table, schema)


def different_keys(where, table, schema):
    written, known = table["properties"], schema["properties"]
    yield from (f"{where}: {key} is written, and not in the schema" for key in written if key not in known)
    yield from (f"{where}: {key} is in the schema, and not written" for key in known if key not in written)
    yield from (f"{where}: {key} is required, and may be missing" for key in schema.get("required", ())
                if key not in table["required"] and key != "schema")
    for key in written.keys() & known.keys():
        yield from differences(f"{where}.{key}", written[key], known[key], key not in table["required"])


@pytest.mark.parametrize("name", TABLES)
def test_schema(name):
    schema = schema_of(name)
    if name == "provenance":
        schema["properties"] = {key: value for key, value in schema["properties"].items() if key not in JUDGED}
        schema["required"] = set(schema["required"]) - JUDGED
    assert not list(different_keys(name, TABLES[name], schema))


@pytest.mark.parametrize("name", TABLES)
def test_page(name):
    """Every key that is written is explained."""
    section = section_of(name)
    assert not [key for key in keys(TABLES[name]) if f'"{key}"' not in section and f"`{key}`" not in section]


@pytest.mark.parametrize("name", ["launch", "counts", "workload", "timeline"])
def test_page_has_no_more(name):
    """And none is explained that is not written, in files of which C writes all."""
    block = PAGE.split(f"`ampersand/{name}/1`\n")[1].split("```")[1]
    told = set(re.findall(r'"(\w+)"(?=[:,]| })', re.sub(r': "[^"]*"', ":", block)))
    assert told <= set(keys(TABLES[name]))

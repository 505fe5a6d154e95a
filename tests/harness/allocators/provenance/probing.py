# SPDX-License-Identifier: MIT
"""Is what was asked for in force? Probes of real allocators, judged.

AMPERSAND_BUILD names the build folder."""
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from places import ROOT
from waiting import HANGS_S

BUILD = Path(os.environ.get("AMPERSAND_BUILD", "build")).resolve()
WORKLOAD = BUILD / "harness" / "ampersand-workload"
BENCH = BUILD / "harness" / "ampersand-bench"
TOOL = BUILD / "tests" / "judge_configuration"
SHIPPED = ROOT / "benchmarks" / "allocators"
LIARS = ROOT / "tests/harness/allocators/provenance/liars"
CONFIGURES = ("MALLOC_", "MIMALLOC_", "TCMALLOC_", "GLIBC_TUNABLES", "LD_PRELOAD")


def tool(*words, **environment):
    done = subprocess.run([str(TOOL), *map(str, words)], capture_output=True, text=True, timeout=HANGS_S,
                          env={**os.environ, **environment})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def shipped():
    return tool("list", SHIPPED) if TOOL.exists() else []


def start_probe(configuration, file):
    """The process; where all is well, it writes the facts' file."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(CONFIGURES)}
    environment.update(configuration["environment"])
    if configuration["library"]:
        environment["LD_PRELOAD"] = configuration["library"]
    task = json.dumps({"file": str(file)})
    return subprocess.Popen([str(WORKLOAD), "probe", task], env=environment, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)


def probe(configuration, file):
    """The finished process, with what it said."""
    process = start_probe(configuration, file)
    out, err = process.communicate(timeout=HANGS_S)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def judge(word, folder, directory=SHIPPED, **environment):
    """(configuration, judgement) of a word of the command line."""
    [configuration] = tool("list", directory, word, **environment)
    if configuration["state"] == "absent":
        pytest.skip(configuration["why"])
    assert configuration["state"] == "ready", configuration["why"]
    file = Path(folder) / "facts.json"
    done = probe(configuration, file)
    assert done.returncode == 0, done.stderr
    return configuration, tool("judge", directory, word, file, **environment)


def skip_without_huge_pages(judged):
    """Where the kernel gives none, or nobody can know since /sys is not there."""
    enabled = Path("/sys/kernel/mm/transparent_hugepage/enabled")
    if re.search("huge|thp", judged["reason"] or "") and (not enabled.exists() or "[never]" in enabled.read_text()):
        pytest.skip(f"no transparent huge pages here: {judged['reason']}")


def as_allocator(library):
    """The search of libraries, sent to this one's folder."""
    return {"AMPERSAND_LIBRARIES": str(library.parent)}


MIB = 1 << 20

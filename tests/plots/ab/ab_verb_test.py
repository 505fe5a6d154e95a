# SPDX-License-Identifier: MIT
"""The verb on a small library in two versions: what it takes, what it says, what it refuses in one line."""
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from places import ROOT
from plots import __main__
from plots.files import strict_json

BUILD = Path(os.environ.get("AMPERSAND_BUILD", ROOT / "build")).absolute()
SANITIZED = b"asan" in (BUILD / "build.ninja").read_bytes() or b"-fsanitize" in (BUILD / "build.ninja").read_bytes()
TOOL = BUILD / "harness/ampersand-ab"
if not TOOL.exists():
    pytest.skip("this build has no ampersand-ab", allow_module_level=True)

LIBRARY = """#include "lib.h"
#include <stdlib.h>
unsigned mix(unsigned x) { return x * 2654435761u ^ x >> 7; }
unsigned untouched(unsigned x) { return x + 1; }
unsigned boxed(unsigned x)
{
    unsigned *box = malloc(24);
    *box = x;
    x = *box * 3;
    free(box);
    return x;
}
"""
HEADER = "unsigned mix(unsigned x);\nunsigned untouched(unsigned x);\nunsigned boxed(unsigned x);\n"
KERNELS = """#include "harness/ab.h"
#include "lib.h"
#define RUN(name)                                                      \\
    static uint64_t run_##name(void *fixture, uint64_t ops)            \\
    {                                                                  \\
        uint64_t sum = 0;                                              \\
        (void) fixture;                                                \\
        for (; ops > 0; ops--)                                         \\
            sum += name((unsigned) ops);                               \\
        return sum;                                                    \\
    }                                                                  \\
    AMP_KERNEL(name, .run = run_##name)
RUN(mix);
RUN(untouched);
RUN(boxed);
"""
SLOWER = LIBRARY.replace("return x * 2654435761u ^ x >> 7;",
                         "unsigned y = x;\n    for (volatile int i = 0; i < 50; i++)\n"
                         "        y ^= x;\n    return x * 2654435761u ^ x >> 7 ^ (y & 0);")
HEAVY = os.environ.get("AMPERSAND_SAMPLES")  # repeat what costs seconds of CPU
FAST = "--layouts", "16", "--no-wait", "--budget", "1s", "--seed", "1"


def ab(folder, *arguments, **environment):
    done = subprocess.run([sys.executable, "-m", "plots", "ab", *map(str, arguments)], cwd=folder, text=True,
                          capture_output=True,
                          env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200", "CFLAGS": "-O2",
                               "AMPERSAND_BUILD": str(BUILD), "XDG_CACHE_HOME":
                               str(folder.with_name(f"cache-{folder.name}")), **environment})
    assert "Traceback" not in done.stderr and "defect" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


def refused(folder, arguments, monkeypatch, capsys):
    """As ab(), within this process: what is refused at once costs no start of Python."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder.with_name(f"cache-{folder.name}")))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(folder.parent))
    try:
        status = __main__.guarded(["ab", *arguments])
    except SystemExit as ended:
        status = ended.code
    return status, *capsys.readouterr()


def held_to_schema(out):
    """What was printed as JSON, held to its schema."""
    found = strict_json.parse(out.encode(), "stdout")
    assert strict_json.faults(found, "ab") == []
    return found


def write(folder, library=LIBRARY, header=HEADER):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "lib.c").write_text(library)
    (folder / "lib.h").write_text(header)
    return folder


@pytest.fixture
def pair(tmp_path):
    """Two folders of the library, base and head, and a file of kernels."""
    (tmp_path / "kernels.c").write_text(KERNELS)
    write(tmp_path / "base"), write(tmp_path / "head")
    return tmp_path


def folders(where, *more, **environment):
    return ab(where, "--base", "./base", "--head", "./head", "--kernels", "kernels.c", *more, **environment)


def git(folder, *words):
    who = {f"GIT_{role}_{what}": "t" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    return subprocess.run(["git", "-C", str(folder), "-c", "init.defaultBranch=main", *words], check=True, text=True,
                          capture_output=True,
                          env={**os.environ, **who, "GIT_CONFIG_GLOBAL": "/dev/null"}).stdout.strip()


@pytest.fixture
def repository(tmp_path):
    """Its last commit is the slower one."""
    if not shutil.which("git"):
        pytest.skip("git is not here: apt-get install git")
    write(tmp_path)
    (tmp_path / "kernels.c").write_text(KERNELS)
    (tmp_path / "ampersand.toml").write_text('[ab]\nkernels = ["kernels.c"]\nsources = ["lib.c"]\n')
    git(tmp_path, "init", "-q"), git(tmp_path, "add", "."), git(tmp_path, "commit", "-qm", "First")
    (tmp_path / "lib.c").write_text(SLOWER)
    git(tmp_path, "commit", "-qam", "Mix more")
    return tmp_path


def test_the_same_code_is_not_timed(pair):
    (pair / "head/lib.c").write_text("/* another comment */\n" + LIBRARY)
    status, out, err = folders(pair)
    assert (status, err) == (0, "")
    assert out == "nothing slower: 3 with the same code and data on both sides\n"


@pytest.mark.skipif(SANITIZED, reason="a sanitizer's memory is no ordinary one")
def test_a_library_in_cplusplus_under_kernels_in_c(pair):
    """It gets the library of C++ without being asked: no kernel is missing, and what the head allocates is counted."""
    library = '#include "lib.h"\n#include <stdexcept>\n#include <string>\nunsigned boxed(unsigned x) {{ {} }}\n'
    string = "if (x == ~0u) throw std::runtime_error(\"\"); return std::string(x % 64 + 16, 'a').size() * 0 + x * 3;"
    header = f'#ifdef __cplusplus\nextern "C" {{\n#endif\n{HEADER}#ifdef __cplusplus\n}}\n#endif\n'
    for side, body in (("base", "return x * 3;"), ("head", string)):
        write(pair / side, "unsigned mix(unsigned x) { return x; }\nunsigned untouched(unsigned x) { return x; }\n",
              header)
        (pair / side / "boxed.cpp").write_text(library.format(body))
    status, out, err = folders(pair, "--source", "*.c", "--source", "*.cpp", "--exact", "--all", "--format", "json")
    assert status == 0, err
    found = held_to_schema(out)
    row, = found["rows"]
    assert found["missing"] == [] and row["kernel"] == "boxed" and row["head"]["allocs_per_op"] == 1


@pytest.mark.skipif(SANITIZED, reason="a sanitizer's memory is no ordinary one")
def test_two_folders_end_to_end(pair):
    """One kernel is slower, one returns something else, one crashes: a run costs seconds of CPU."""
    write(pair / "head", SLOWER.replace("return x + 1;", "return x + 2;").replace(
        "unsigned *box = malloc(24);", "unsigned *box = malloc(24);\n    if (x == 2)\n        __builtin_trap();"))
    status, out, err = folders(pair, *FAST, "--fail-on", "5%", "--format", "json", "--out", "run")
    found = held_to_schema(out)
    rows = {row["kernel"]: row for row in found["rows"]}
    assert rows.keys() == {"mix", "untouched", "boxed"} and found["same"] == []
    assert re.search(r"ampersand: untouched: failed: disagreement: .*the results differ", err)
    assert re.search(r"ampersand: boxed: failed: side: .*head: SIGILL", err)
    assert "the results differ" in rows["untouched"]["failure"]["detail"] and rows["boxed"]["verdict"] == "failed"
    row = rows["mix"]
    assert row["base_ns"] > 0 and row["head_ns"] > 0
    low, high = row["difference"]["low"], row["difference"]["high"]
    assert low <= row["difference"]["estimate"] <= high and low <= row["head_ns"] / row["base_ns"] - 1 <= high
    assert row["fails"] == (low > 0.05) and status == (3 if row["fails"] else 1)
    assert sorted(found["code"]["changed"]) == ["boxed", "mix", "untouched"] and found["form"] == "modules"
    assert len(set(found["code"]["text_sha256"].values())) == 2
    assert "changed: mix" in row["because"]
    if shutil.which("valgrind"):
        assert row["head"]["instructions_per_op"] - row["base"]["instructions_per_op"] > 50
    launches = [json.loads(path.read_text()) for path in (pair / "run/launches/default/mix").iterdir()]
    assert len(launches) >= 4 and all(one["same"] == sum(one["blocks"]["attempts"]) for one in launches)
    manifest = json.loads((pair / "run/manifest.json").read_text())
    visits = sum((one["blocks"]["layout"] for one in launches), [])
    assert sorted(visits) == sorted(list(range(16)) * (len(launches) // 4))
    assert set(manifest["rows"]) == {name + end for end in ("", "/floor") for name in rows}
    for document, kind in [(manifest, "ab-manifest"), *((one, "ab-launch") for one in launches)]:
        assert differing_keys(document, json.loads((ROOT / f"results/schema/{kind}-1.json").read_text())) == []


def differing_keys(document, schema):
    """Written and not in the schema, or the other way round. What a machine does not know of itself may be missing."""
    if not isinstance(document, dict) or schema.get("required") is None:
        return []
    known = schema["properties"]
    return [*(document.keys() ^ known.keys()), *(key for name in document.keys() & known.keys()
                                                 for key in differing_keys(document[name], known[name]))]


@pytest.mark.skipif(SANITIZED or not shutil.which("valgrind"), reason="counts want valgrind, and no sanitizer")
def test_exact_counts_are_the_same_each_time_and_fail_alone(pair):
    write(pair / "head", LIBRARY.replace("malloc(24);", "malloc(24);\n    free(malloc(100));\n"))
    flags = "--exact", "--fail-on", "0%", "--format", "json"
    status, out, err = folders(pair, *flags, CFLAGS="-O2 -fno-builtin-malloc")
    row, = held_to_schema(out)["rows"]
    assert (status, err) == (3, "") and row["verdict"] == "more" and row["fails"]
    assert (row["base"]["allocs_per_op"], row["base"]["asked_b_per_op"]) == (1, 24)
    assert (row["head"]["allocs_per_op"], row["head"]["asked_b_per_op"]) == (2, 124)
    assert row["base"]["instructions_per_op"] < row["head"]["instructions_per_op"]
    if HEAVY:
        assert folders(pair, *flags, CFLAGS="-O2 -fno-builtin-malloc")[1] == out


@pytest.mark.skipif(SANITIZED or not HEAVY, reason="AMPERSAND_SAMPLES asks for it")
def test_results_that_differ_are_timed_on_demand(pair):
    write(pair / "head", LIBRARY.replace(">> 7", ">> 8"))
    status, out, err = folders(pair, *FAST, "--results-differ", "--format", "json")
    assert status == 0 and json.loads(out)["rows"][0]["base_ns"] > 0


def test_a_build_that_fails_shows_its_last_lines(pair):
    write(pair / "head", LIBRARY + "#error this is broken\n")
    status, out, err = folders(pair)
    assert (status, out) == (2, "")
    lines = err.splitlines()
    assert any(line.startswith("    ") and "this is broken" in line for line in lines[:-1])
    assert lines[-1] == "ampersand: head: lib.c does not compile: lib.c:13:2: error: #error this is broken"
    status, out, err = folders(pair, "--build", "echo one; echo two; exit 3", "--link", "lib.a")
    assert status == 2 and err.splitlines() == ["    one", "    two",
                                                "ampersand: base: the build failed with status 3: one"]


@pytest.mark.parametrize("keeps", ["declaration", "nothing"] if HEAVY else ["declaration"])
def test_a_kernel_that_is_missing_on_one_side_is_told_and_the_others_go_on(pair, keeps):
    gone = re.sub(r"unsigned boxed.*?\n}\n", "", LIBRARY, flags=re.S)
    write(pair / "base", gone,
          HEADER if keeps == "declaration" else HEADER.replace("unsigned boxed(unsigned x);\n", ""))
    (pair / "kernels.c").write_text(KERNELS.replace("RUN(boxed);\n", ""))
    (pair / "more.c").write_text(KERNELS.replace("RUN(mix);\nRUN(untouched);\n", ""))
    status, out, err = folders(pair, "--kernels", "more.c", "--exact",
                               CFLAGS="-O2 -Werror=implicit-function-declaration")
    assert status == 0
    if keeps == "declaration":
        assert "boxed: missing in base: there is no boxed() there" in out
    else:
        assert "left out of base" in err and "boxed: missing in base: " in out
    assert "the same: untouched, mix" in out


@pytest.mark.skipif(SANITIZED, reason="a sanitizer's memory is no ordinary one")
def test_commits_a_dirty_tree_and_flags(repository):
    before = git(repository, "status", "--porcelain"), git(repository, "worktree", "list"), git(repository, "stash",
                                                                                                "list")
    (repository / "lib.c").write_text(SLOWER.replace("return x + 1;", "return x + 5;"))
    (repository / "new.h").write_text("")
    same = "--filter", "boxed", "--all"  # nothing is timed or counted
    status, out, err = ab(repository, "--base", "HEAD", *same, GIT_INDEX_FILE=".git/none", GIT_DIR=".git")
    assert (status, err) == (0, "ampersand: ab: not in git, so no part of the head: new.h (git add takes them in)\n")
    assert "with 1 changed file, not committed" in out and " 1 changed, 0 removed" in out
    status, out, err = ab(repository, "--base", "HEAD~1", "--head", "HEAD", *same)
    assert "changes that are not committed: they are in neither side" in err and " 1 changed, 0 removed" in out
    assert status == 0 and "First" in out and "Mix more" in out
    git(repository, "checkout", "-q", "lib.c"), (repository / "new.h").unlink()
    after = git(repository, "status", "--porcelain"), git(repository, "worktree", "list"), git(repository, "stash",
                                                                                               "list")
    assert after == before
    if HEAVY:
        status, out, err = ab(repository, "--head-cflags=-O1", "--exact", "--all")
        assert status == 0 and "[-O1]" in out and "[-O2]" in out


def test_no_such_commit(repository):
    assert "--base main2: is neither a commit nor a folder; branches: main\n" in ab(repository, "--base", "main2")[2]
    shutil.rmtree(repository / ".git"), git(repository, "init", "-q")
    assert "--base main: is no folder, and this repository has no commit yet\n" in ab(repository, "--base", "main")[2]


def test_a_shallow_clone_without_the_base(repository):
    clone = repository / "clone"
    git(repository, "clone", "-q", "--depth", "1", f"file://{repository}", str(clone))
    old = git(repository, "rev-parse", "HEAD~1")
    status, out, err = ab(clone, "--base", old)
    assert (status, out) == (2, "") and "shallow" in err and "fetch-depth: 0" in err and err.count("\n") == 1


@pytest.mark.parametrize("flags, want", [
    ((), "--base: name the version to compare with"),
    (("--base", "./base"), "--kernels: name a file of kernels"),
    (("--base", "nowhere", "--kernels", "kernels.c"), "--base nowhere: is no folder"),
    (("--base", "./base", "--kernels", "none.c"), "none.c: No such file"),
    (("--base", "./base", "--kernels", "kernels.c", "--fail-on", "2"), "--fail-on: 2: is no percentage"),
    (("--base", "./base", "--kernels", "kernels.c", "--budget", "2"), "--budget: 2: is no time"),
    (("--base", "./base", "--head", "./head", "--kernels", "kernels.c", "--filter", "("), "is no regular expression"),
    (("--base", "./base", "--head", "./head", "--kernels", "kernels.c", "--filter", "zzz"),
     "'zzz' matches no kernel: there are"),
    (("--base", "./base", "--head", "./head", "--kernels", "kernels.c", "--link", "libx.a"),
     "there is no libx.a after"),
    (("--bass", "./base"), "--bass: no such flag; the nearest is --base"),
], ids=str)
def test_what_is_refused_in_one_line(pair, flags, want, monkeypatch, capsys):
    status, out, err = refused(pair, flags, monkeypatch, capsys)
    assert (status, out, err.count("\n")) == (2, "", 1) and want in err


@pytest.mark.parametrize("text, want", [
    ("[ab\n", "ampersand.toml"), ("[ab]\nkernles = []\n", "kernles: no such key; the nearest is kernels"),
    ("[ab]\nkernels = 'k.c'\n", "kernels: is no list of texts"), ("[ab]\nbuild = ['x']\n", "build: is no text")])
def test_a_configuration_that_is_wrong(pair, text, want, monkeypatch, capsys):
    (pair / "ampersand.toml").write_text(text)
    status, out, err = refused(pair, ("--base", "./base"), monkeypatch, capsys)
    assert (status, out, err.count("\n")) == (2, "", 1) and want in err


@pytest.mark.skipif(SANITIZED, reason="a sanitizer's memory is no ordinary one")
@pytest.mark.parametrize("what, why", [("pic", "it is not position-independent"), *(
    [("malloc", "an allocator of its own (free, malloc)")] if HEAVY else [])])
def test_what_cannot_be_loaded_runs_as_programs(pair, what, why):
    more, make = (
        "static char room[1 << 24]; static unsigned long used;\n"
        "void *malloc(unsigned long n) { used = (used + n + 15) & ~15ul; if (used > sizeof room) used = n;"
        " return room + used - (n + 15 & ~15ul); }\nvoid free(void *p) { (void) p; }\n",
        "cc $CFLAGS -fno-builtin -c lib.c -o lib.o")
    library, slower = LIBRARY, SLOWER
    if what == "pic":
        more, make = "", "cc -O2 -fno-pic -ffunction-sections -c lib.c -o lib.o"
        library, slower = (text.replace("unsigned mix(",
                                        "static const unsigned seeds[] = { 1, 2, 3, 4 };\nunsigned mix(", 1)
                           .replace("return x * 2654435761u", "return seeds[x & 3] * 2654435761u")
                           for text in (LIBRARY, SLOWER))
    write(pair / "base", library + more), write(pair / "head", slower + more)
    status, out, err = folders(pair, *FAST, "--build", make, "--link", "lib.o", "--filter", "mix", "--format", "json")
    assert status == 0, err
    found = held_to_schema(out)
    row, = found["rows"]
    assert found["form"] == "programs" and why in found["form_reason"] and row["base_ns"] > 0
    assert found["not_counted"] == (
        "allocations are not counted: the code has an allocator of its own" if what == "malloc" else None)
    if shutil.which("valgrind"):
        assert row["head"]["instructions_per_op"] - row["base"]["instructions_per_op"] > 50


@pytest.mark.skipif(SANITIZED or not shutil.which("valgrind"), reason="counts want valgrind, and no sanitizer")
def test_programs_are_counted_as_modules_are(pair):
    """The same code once with and once without what a module needs: it allocates and executes nearly the same."""
    seeds = "static const unsigned seeds[] = { 1, 2, 3, 4 };\nunsigned boxed(", "*box = x;", "*box = x * seeds[x & 3];"
    library = LIBRARY.replace("unsigned boxed(", seeds[0]).replace(*seeds[1:])
    write(pair / "base", library)
    write(pair / "head", library.replace("malloc(24);", "malloc(24);\n    free(malloc(100));"))
    found = {}
    for form, flag in (("modules", "-fPIC"), ("programs", "-fno-pic")):
        make = f"$CC -O2 {flag} -fno-builtin-malloc -ffunction-sections -c lib.c -o lib.o"
        status, out, err = folders(pair, "--exact", "--build", make, "--link", "lib.o", "--format", "json")
        assert status == 0, err
        found[form] = held_to_schema(out)
        assert found[form]["form"] == form and found[form]["not_counted"] is None
        row, = (one for one in found[form]["rows"] if one["kernel"] == "boxed")
        counted = [(row[side]["allocs_per_op"], row[side]["asked_b_per_op"]) for side in ("base", "head")]
        assert counted == [(1, 24), (2, 124)]
        found[form] = row
    executed = [found[form]["head"]["instructions_per_op"] for form in ("modules", "programs")]
    assert executed[0] > 50 and abs(executed[0] - executed[1]) < 10  # without a jump through a table


@pytest.mark.skipif(SANITIZED or not shutil.which("valgrind"), reason="counts want valgrind, and no sanitizer")
def test_examples(tmp_path):
    shutil.copytree(ROOT / "examples/ab", tmp_path / "head")
    text = (tmp_path / "head/words.c").read_text()
    (tmp_path / "base").mkdir()
    for name in ("words.h", "words.c"):
        (tmp_path / "base" / name).write_text((tmp_path / "head" / name).read_text())
    (tmp_path / "head/words.c").write_text(text.replace("    return n;", "    return n + (n == (size_t) -1);"))
    status, out, err = ab(tmp_path / "head", "--base", "../base", "--head", ".", "--exact", "--format", "json",
                          GIT_CEILING_DIRECTORIES=str(tmp_path))
    found = held_to_schema(out)
    assert status in (0, 3) and {row["kernel"] for row in found["rows"]} == {"count", "count_string"}
    assert [row["kernel"] for row in found["same"]] == ["longest"]

# SPDX-License-Identifier: MIT
"""What `meson install` leaves, where the checkout that it was built in is gone."""
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from installing import call
from places import ROOT
from plots.files.strict_json import validate

LIBRARY = """
#include "harness/measure/heap.h"
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
    struct amp_heap heap;
    void *volatile p[3];

    if (amp_heap_begin())
        return 1;
    for (int i = 0; i < 3; i++)
        p[i] = malloc(100);
    if (amp_heap_end(&heap))
        return 1;
    for (int i = 0; i < 3; i++)
        free(p[i]);
    printf("%d allocations, %d bytes\\n", (int) heap.allocs, (int) heap.asked_b);
    return 0;
}
"""


def test_nothing_in_it_is_compiled_python_or_a_run(installed):
    names = [path.name for path in installed.prefix.rglob("*")]
    assert "__pycache__" not in names and "runs" not in names and "reference" not in names
    assert len(list((installed.home / "benchmarks").glob("pass.*.so"))) == 16
    headers = installed.prefix / "include/ampersand/harness"
    for header in ("kernel.h", "subjects.h", "threads.h", "stack/stack.h"):  # all that a lesson may include
        call(*os.environ.get("CC", "cc").split(), "-std=gnu11", "-fsyntax-only", *installed.package("--cflags").split(),
             "-x", "c", headers / header)


def test_the_program_finds_what_stands_beside_it(installed, tmp_path):
    environment = {key: text for key, text in os.environ.items() if not key.startswith("AMPERSAND_")}
    program = installed.home / "harness/ampersand-bench"
    assert "pass/size=16" in call(program, "list", cwd=tmp_path, env=environment).split()
    done = subprocess.run([program, "allocators", "--out", "run", "--config", "jemalloc-tcache-of"], text=True,
                          capture_output=True, env=environment, cwd=tmp_path)
    assert done.returncode == 2 and "jemalloc-tcache-off" in done.stderr


def test_every_verb_of_the_help_is_there_and_called_by_its_name(installed, tmp_path):
    text = installed("help", cwd=tmp_path)
    for verb in re.findall(r"^  ([a-z]+) ", text, re.M):
        said = installed(verb, "--help", cwd=tmp_path)
        assert said.startswith("Usage: ampersand ") and "./ampersand" not in said and "results/runs" not in said, verb
    assert "0 moves" in installed("stack", "--size", "1", cwd=tmp_path)
    done = subprocess.run([installed.command, "ask"], text=True, capture_output=True, env=installed.environment)
    assert done.returncode == 2 and done.stderr.endswith("; ampersand help ask\n")


def test_it_lists_and_measures_without_a_checkout(installed, tmp_path):
    assert installed("--version", cwd=tmp_path).startswith("ampersand 0.")
    assert installed("list", "--filter", "^pass/size=16$", cwd=tmp_path) == "pass/size=16\n"
    table = installed("bench", "--quick", "--filter", "^pass/size=16$", cwd=tmp_path)
    assert "pass " in table and "null_placed" in table
    run, = (tmp_path / "ampersand-runs").iterdir()
    report = (run / "report.html").read_text()
    assert "take_value" in report, "the lesson's code is in the report"
    assert "ampersand bench" in report and "./ampersand" not in report
    installed("check", cwd=tmp_path)
    installed("compare", run, run, cwd=tmp_path)


def test_it_asks_without_a_checkout(installed, tmp_path):
    (tmp_path / "order.h").write_text("struct order { int id; double price; };\n")
    found = json.loads(installed("ask", "order.h", "struct order", "--launches", "2", "--json", cwd=tmp_path))
    validate(found, "ask", "answer")
    assert found["size_b"] == 16 and len(found["answers"]) == 15
    said = installed("ask", "order.h", "struct order", "--launches", "1", cwd=tmp_path)
    assert "over 1 launch;" in said and " ampersand help ask" in said.replace("\n", " ") and "./ampersand" not in said
    assert "placement decides" in installed("help", "ask", cwd=tmp_path)
    installed("ask", "order.h", "struct nothing", cwd=tmp_path, status=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["order.h"]


def test_the_doctor_links_anew_what_is_installed(installed, tmp_path):
    found = json.loads(installed("doctor", "--facts", "--format", "json", cwd=tmp_path))
    assert found
    code = ("import sys; sys.path.insert(0, sys.argv[1]); from plots.doctor.doctor_measure import Bench; "
            "Bench(sys.argv[1])._link('null', 1, sys.argv[2])")
    call(sys.executable, "-c", code, installed.home, tmp_path / "made", cwd=tmp_path, env=installed.environment)
    assert len(list((tmp_path / "made").glob("null.*.so"))) == 64


def test_the_template_measures_its_two_pairs(installed, tmp_path):
    project = tmp_path / "project"
    shutil.copytree(ROOT / "examples/template", project)
    call("meson", "setup", "build", cwd=project, env=installed.environment)
    call("ninja", "-C", "build", cwd=project, env=installed.environment)
    environment = installed.environment | {"AMPERSAND_LESSONS": str(project / "build"),
                                           "AMPERSAND_SOURCES": str(project)}
    assert call(installed.command, "list", "--filter", ".", cwd=project, env=environment).split()[:2] == [
        "distance/size=24", "invoice/size=24"]
    run = tmp_path / "run"
    call(installed.command, "bench", "--quick", "--out", run, cwd=project, env=environment)
    rows = {row["pair"]: row for row in json.loads((run / "summary.json").read_text())["rows"]}
    assert list(rows)[:2] == ["distance", "invoice"] and {"null", "null_placed"} <= set(rows)
    for pair, allocs in (("distance", 0), ("invoice", 1)):
        row = rows[pair]
        assert row["layouts"] == 64 and row["ratio"]["estimate"] > 0 and not row["failed"]
        if row["counts"]["status"] != "refused":  # under a sanitizer
            assert row["counts"]["value"]["allocs_per_op"] == 0
            assert row["counts"]["pointer"]["allocs_per_op"] == allocs
    assert "distance_of_values" in (run / "report.html").read_text(), "the pair's own code is in the report"


def test_ninja_bench_takes_flags_and_the_run_outlives_the_build(installed, tmp_path):
    project = tmp_path / "project"
    shutil.copytree(installed.package("--variable=examples") + "/template", project)
    text = (project / "meson.build").read_text().replace("flags = [] ", "flags = ['-O1']").replace("'--count', '64'",
                                                                                             "'--count', '16'")
    (project / "meson.build").write_text(text)
    call("meson", "setup", "build", cwd=project, env=installed.environment)
    call("ninja", "-C", "build", "bench", cwd=project,
         env=installed.environment | {"AMPERSAND_FLAGS": "--quick --launches 1 --filter ^invoice/"})
    shutil.rmtree(project / "build")
    run, = (project / "ampersand-runs").iterdir()
    rows = [row["pair"] for row in json.loads((run / "summary.json").read_text())["rows"]]
    assert rows[0] == "invoice" and "distance" not in rows and "null" in rows
    assert "-O1" in (run / "manifest.json").read_text(), "each lesson's flags are told"


needs_cmake = pytest.mark.skipif(not shutil.which("cmake"), reason="cmake is not here: apt-get install cmake")


@needs_cmake
def test_cmake_and_cplusplus(installed, tmp_path):
    project = tmp_path / "project"
    shutil.copytree(installed.package("--variable=examples") + "/cmake", project)
    text = (project / "CMakeLists.txt").read_text()
    assert "LAYOUTS 64" in text
    (project / "CMakeLists.txt").write_text(text.replace("LAYOUTS 64", "LAYOUTS 16"))
    call("cmake", "-B", "build", f"-DCMAKE_PREFIX_PATH={installed.prefix}", cwd=project, env=installed.environment)
    call("cmake", "--build", "build", "--target", "bench", cwd=project,
         env=installed.environment | {"AMPERSAND_FLAGS": "--quick --launches 1"})
    run, = (project / "ampersand-runs").iterdir()
    row, = (row for row in json.loads((run / "summary.json").read_text())["rows"] if row["pair"] == "title")
    assert not row["failed"] and row["layouts"] == 16
    if row["counts"]["status"] != "refused":  # under a sanitizer
        assert row["counts"]["value"]["allocs_per_op"] == 1 and row["counts"]["pointer"]["allocs_per_op"] == 0


CMAKE = """cmake_minimum_required(VERSION 3.18)
project(more C CXX)
set(CMAKE_CXX_STANDARD 20)
find_package(ampersand 0.1 REQUIRED)
add_library(geometry STATIC geometry.c)
target_include_directories(geometry PUBLIC .)
target_link_libraries(geometry PRIVATE ampersand::kernels)
ampersand_add_lessons(SOURCES distance.c title.cpp LIBRARIES geometry FLAGS -DN=4 LAYOUTS 16)
add_executable(count count.c)
target_compile_options(count PRIVATE -fno-builtin-malloc)
target_link_libraries(count PRIVATE ampersand::ampersand)
"""


@needs_cmake
def test_cmake_places_libraries_tells_flags_and_links_the_harness(installed, tmp_path):
    examples = Path(installed.package("--variable=examples"))
    shutil.copy(examples / "cmake/title.cpp", tmp_path)
    distance = (examples / "template/distance.c").read_text().replace('#include "harness/kernel.h"',
                                                                      '#include "harness/kernel.h"\n#include '
                                                                      '"geometry.h"')
    (tmp_path / "distance.c").write_text(distance.replace("(uint64_t) ((a.x - b.x) * (a.x - b.x) + (a.y",
                                                          "square(a.x - b.x) + (uint64_t) ((a.y"))
    (tmp_path / "geometry.h").write_text("#include <stdint.h>\nuint64_t square(int64_t x);\n")
    (tmp_path / "geometry.c").write_text(GEOMETRY)
    (tmp_path / "count.c").write_text(LIBRARY)
    (tmp_path / "CMakeLists.txt").write_text(CMAKE)
    call("cmake", "-B", "build", f"-DCMAKE_PREFIX_PATH={installed.prefix}", cwd=tmp_path, env=installed.environment)
    call("cmake", "--build", "build", cwd=tmp_path, env=installed.environment)
    table = json.loads((tmp_path / "build/distance.layouts.json").read_text())
    assert table["n"] == 16 and "-DN=4" in table["flags"] and "square" in table["units"][0]["value"]
    assert (tmp_path / "build/lessons.txt").read_text() == "distance\ntitle\nnull\n"
    assert call(tmp_path / "build/count", cwd=tmp_path) == "3 allocations, 300 bytes\n"


@needs_cmake
@pytest.mark.parametrize("wanted, found", [("0.1", True), ("0.1.0 EXACT", True), ("0", True), ("0.0.1", False),
                                           ("0.2", False), ("1.0", False), ("", True)])
def test_cmake_takes_versions_that_it_can_use(installed, tmp_path, wanted, found):
    (tmp_path / "CMakeLists.txt").write_text("cmake_minimum_required(VERSION 3.18)\nproject(wanted NONE)\n"
                                             f"find_package(ampersand {wanted} REQUIRED)\n")
    done = subprocess.run(["cmake", "-B", "build", f"-DCMAKE_PREFIX_PATH={installed.prefix}"], cwd=tmp_path, text=True,
                          capture_output=True)
    assert (done.returncode == 0) is found, done.stderr


def test_links_of_the_pages_lead_somewhere(installed):
    pages = list((installed.prefix / "share/ampersand/docs").glob("*.md"))
    assert {"method.md", "own-pairs.md"} <= {page.name for page in pages}
    for page in pages:
        for link in re.findall(r"\]\((?!https?:)([^)\s#]+)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_by_hand_as_the_page_says(installed, tmp_path):
    page = (ROOT / "docs/own-pairs.md").read_text()
    commands = page.split("## By hand")[1].split("```")[1]
    assert "--count 64" in commands and " --library libmine.a" in commands
    commands = commands.replace("--count 64", "--count 16").replace(" --library libmine.a", "").replace(
        "ampersand bench", "ampersand bench --quick --launches 1 --filter ^invoice/")
    compiler = os.environ.get("CC", "cc")  # that ampersand was built with, as the page says
    commands = commands.replace("\ncc ", f"\n{compiler} ").replace("--cc cc", f"--cc '{compiler}'")
    shutil.copy(ROOT / "examples/template/invoice.c", tmp_path)
    call("sh", "-eu", "-c", commands, cwd=tmp_path, env=installed.environment)
    assert len(list((tmp_path / "lessons").glob("invoice.*.so"))) == 16
    run, = (tmp_path / "ampersand-runs").iterdir()
    assert (run / "report.html").exists()


def test_the_template_holds_what_it_says(installed, tmp_path):
    """`ninja bench` of the template is bench on its pairs: a pair whose sides disagree is refused by it."""
    project = tmp_path / "project"
    shutil.copytree(ROOT / "examples/template", project)
    text = (project / "invoice.c").read_text()
    (project / "invoice.c").write_text(text.replace("*invoice = (struct invoice){ id, id & 7, id * 3 };",
                                                    "*invoice = (struct invoice){ id, id & 7, id * 2 };"))
    call("meson", "setup", "build", cwd=project, env=installed.environment)
    environment = installed.environment | {"AMPERSAND_LESSONS": str(project / "build")}
    call("ninja", "-C", "build", cwd=project, env=installed.environment)
    table = call(installed.command, "bench", "--quick", "--filter", "^invoice/", "--out", tmp_path / "run", cwd=project,
                 env=environment, status=1)
    assert re.search(r"invoice +24 +failed", table)


GEOMETRY = """#include "geometry.h"
uint64_t square(int64_t x) { return (uint64_t) (x * x); }
"""


def test_the_template_tells_its_own_compiler_and_places_its_own_library(installed, tmp_path):
    """Built by clang, and not optimised, whatever ampersand was built by; in the manifest, the table, bench.txt, the
    summary, the report, and in libbenchmark's file."""
    if not shutil.which("clang"):
        pytest.skip("clang is not here")
    project, run = tmp_path / "project", tmp_path / "run"
    shutil.copytree(ROOT / "examples/template", project)
    (project / "geometry.h").write_text("#include <stdint.h>\nuint64_t square(int64_t x);\n")
    (project / "geometry.c").write_text(GEOMETRY)
    distance = (project / "distance.c").read_text().replace('#include "harness/kernel.h"',
                                                            '#include "harness/kernel.h"\n'
                                                            '#include "geometry.h"')
    (project / "distance.c").write_text(distance.replace("(uint64_t) ((a.x - b.x) * (a.x - b.x) + (a.y",
                                                         "square(a.x - b.x) + "
                                                         "(uint64_t) ((a.y"))
    text = (project / "meson.build").read_text().replace("flags = [] ", "flags = ['-O0'] ")
    text = text.replace("libraries = [] ",
                        "libraries = [static_library('geometry', 'geometry.c', c_args : kernel_args, "
                        "pic : true)] ").replace("'--count', '64'", "'--count', '16'")
    (project / "meson.build").write_text(text)
    call("meson", "setup", "build", cwd=project, env=installed.environment | {"CC": "clang"})
    call("ninja", "-C", "build", cwd=project, env=installed.environment)
    environment = installed.environment | {"AMPERSAND_LESSONS": str(project / "build"),
                                           "AMPERSAND_SOURCES": str(project)}
    call(installed.command, "bench", "--quick", "--no-wait", "--filter", "^distance/", "--out", run, cwd=project,
         env=environment)
    layouts = json.loads((run / "manifest.json").read_text())["layouts"]
    unit, = layouts["distance"]["compiled"]
    assert unit["compiler"].startswith("clang ") and "-O0" in unit["flags"] and "-O2" not in unit["flags"]
    assert "square" in layouts["distance"]["units"][0]["value"], "its own library is placed"
    words = f"{unit['compiler']} -O0"
    assert words in json.loads((run / "summary.json").read_text())["compiled"]
    assert f"compiler: {unit['compiler']}\n" in (run / "bench.txt").read_text()
    page = (run / "report.html").read_text()
    assert re.search(rf"compiled by <code>{unit['compiler']} [^<]*-O0", page) and words in page
    solo = json.loads(next((run / "solo").rglob("distance/*/*.json")).read_text())["context"]
    assert solo["compiler"] == unit["compiler"] and solo["kernel_args"] == " ".join(unit["flags"])


def test_a_program_links_the_library_by_pkg_config(installed, tmp_path):
    (tmp_path / "count.c").write_text(LIBRARY)
    command = [*os.environ.get("CC", "cc").split(), "-std=gnu11", "-Wall", "-Werror", "-fno-builtin-malloc",
               "count.c", "-o", "count"]
    call(*command, *installed.package("--cflags", "--libs").split(), cwd=tmp_path)
    assert call(tmp_path / "count", cwd=tmp_path) == "3 allocations, 300 bytes\n"


def test_the_variables_of_pkg_config_name_files_that_are_there(installed):
    for name in ("make_layouts", "lesson_object", "null_object", "python"):
        assert Path(installed.package(f"--variable={name}")).is_file(), name
    listed = re.search(r"^kernel_args = \[(.*?)\]", (ROOT / "meson.build").read_text(), re.M | re.S)[1]
    flags = re.findall("'(.*?)'", listed)
    found = installed.package("--variable=kernel_args").split()
    assert found[:len(flags)] == flags and found[-1] == "-fPIC"
    more = found[len(flags):-1]  # as the compiler knows it
    assert more[:more.index("-U_FORTIFY_SOURCE")] in ([], ["-mllvm", "-funcspec-max-clones=0"])
    assert {"-fno-stack-protector", "-fno-stack-clash-protection"} <= set(more)


# ---- The manual page

def test_the_manual_names_every_verb_and_every_flag_of_ask():
    page = (ROOT / "install/ampersand.1").read_text()
    text = re.sub(r"\\f.|\.(Cm|Fl|It|Ar|Op) ", " ", page)
    verbs = re.search(r"^verbs='(.*?)'", (ROOT / "door/help.sh").read_text(), re.M)[1].split()
    for verb in verbs:
        assert verb == "test" or re.search(rf"\b{verb}\b", text), verb
    usage = subprocess.run([ROOT / "ampersand", "help", "ask"], text=True, capture_output=True, check=True).stdout
    for flag in re.findall(r"^  (--[a-z]+)", usage, re.M):
        assert f"Fl -{flag[2:]}" in page, flag


def test_the_manual_is_well_formed():
    if not shutil.which("groff") or not Path("/usr/share/groff").is_dir():
        pytest.skip("groff is not here: apt-get install groff")
    done = subprocess.run(["groff", "-mdoc", "-Tutf8", "-ww", ROOT / "install/ampersand.1"], text=True,
                          capture_output=True)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    assert "EXIT STATUS" in re.sub(".\x08", "", done.stdout)  # bold is a letter struck twice

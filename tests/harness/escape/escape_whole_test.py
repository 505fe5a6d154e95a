# SPDX-License-Identifier: MIT
"""Programs as a whole: which functions a call through a pointer may reach, several programs in one build, builds that
are recorded, and what is kept between two runs."""
import json
import os

import pytest

import built

HOOK = """#include <stdlib.h>
static void *(*hook)(size_t) = malloc;
void set(void *(*h)(size_t)) { hook = h; }
int use(void) { char *p = hook(8); int r = p[0]; free(p); return r; }
"""
FRAME = "malloc of 8 B in use(): could live in the frame"


@pytest.mark.parametrize("more, flags, why", [
    ("int main(void) { return use(); }", [], None),
    ("", [], "there is no main(): callers that are not seen may pass others"),
    ("", ["--closed"], None),
    ("void other(void *); int main(void) { other(0); return use(); }", [], "other() has no body here"),
    ("extern void *table[]; int main(void) { return use() + !table[0]; }", [], "what `table` holds is not seen"),
    ("void *dlsym(void *, const char *); int main(void) { set(dlsym(0, \"f\")); return use(); }", [],
     "dlsym() brings in code that is not seen"),
    ("int system(const char *); int main(void) { return system(\"true\") + use(); }", [], None),
    ("void bye(void) {} int main(void) { return atexit(bye) + use(); }", [], None),
    ("extern char **environ; int main(void) { return !environ + use(); }", [], None),
], ids=["main", "library", "vouched", "body", "variable", "dlsym", "libc", "linked", "libc_variable"])
def test_the_whole_program_is_there(run, tmp_path, more, flags, why):
    (tmp_path / "k.c").write_text(HOOK + more + "\n")
    status, out, err = run("k.c", *flags)
    assert (status, err) == (0, "")
    assert (FRAME in out) == (why is None)
    said = [line for line in out.splitlines() if "through pointers may reach" in line]
    assert said == ([] if why is None else
                    [f"1 of 1 call through pointers may reach functions that are not seen: {why}; --closed if none is "
                     f"called"])


def test_malloc_of_the_program_is_malloc(run, tmp_path):
    (tmp_path / "k.c").write_text("""#include <stddef.h>
static char pool[4096];
static size_t used;
void *malloc(size_t n) { void *p = pool + used; used += (n + 15) & ~15ul; return p; }
void free(void *p) { (void) p; }
static void *mine(size_t n) { void *p = pool + used; used += n; return p; }
int use(void) { char *p = malloc(8); int r = p[0]; free(p); return r; }
char *other(void) { return mine(8); }
""")
    assert run("k.c", "-m")[1].splitlines() == ["k.c:7:27: malloc of 8 B in use(): could live in the frame"]


PROGRAMS = {
    "a.c": "int look(int *p);\n#include <stdlib.h>\nint main(void) { return make(8) != 0; }\n",
    "shared.c": "#include <stdlib.h>\n#include \"s.h\"\n"
                "int use(void) { int *p = malloc(8), r = look(p); free(p); return r; }\n"
                "int plain(void) { int *p = malloc(4), r = p[0]; free(p); return r; }\n",
    "a_look.c": "#include \"s.h\"\nint look(int *p) { return p[0]; }\n",
    "b_look.c": "#include \"s.h\"\nint *kept;\nint look(int *p) { kept = p; return 0; }\n",
    "s.h": "int look(int *p);\nint use(void);\n",
}


def test_several_programs_of_one_build_are_not_linked_as_one(run, tmp_path):
    """In b the same allocation outlives its frame: so it must stay on the heap."""
    for name, text in PROGRAMS.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "a.c").write_text('#include "s.h"\nint main(void) { return use(); }\n')
    (tmp_path / "b.c").write_text('#include "s.h"\nint *kept;\nint look(int *p) { kept = p; return 0; }\n'
                                  "int main(void) { return use(); }\n")
    (tmp_path / "b_look.c").unlink()
    status, out, err = run(".", "-m")
    assert (status, err) == (0, "")
    assert [line.split(": ", 1)[1] for line in out.splitlines() if "shared.c" in line] == [
        "malloc of 8 B in use(): passed to look() at line 3, there stored in global `kept` at b.c:3",
        "malloc of 4 B in plain(): could live in the frame"]
    (tmp_path / "b.c").write_text("int main(void) { return 0; }\n")
    assert "malloc of 8 B in use(): could live in the frame" in run(".", "-m")[1]
    assert run(".")[1].startswith("4 files, 5 functions, 2 allocations: 2 could live in the frame")


def test_a_name_that_two_files_define_is_not_known(run, tmp_path):
    for name, text in PROGRAMS.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "a.c").write_text('#include "s.h"\nint main(void) { return use(); }\n')
    (tmp_path / "b.c").write_text("int main(void) { return 0; }\n")
    status, out, err = run(".", "-m", "--function", "use")
    assert (status, err) == (0, "") and "passed to look(), which has no body here" in out


MAKEFILE = """all: one two
one: one.o sub/part.o
	$(CC) -o $@ one.o sub/part.o
one.o: one.c
	$(CC) $(CFLAGS) -Isub '-DTEXT="a b"' -c one.c
sub/part.o: sub/part.c
	cd sub && gcc -c part.c
two: one.c sub/part.c
	$(CC) -Isub '-DTEXT="a b"' -o two one.c sub/part.c -lm
fails:
	false
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "Makefile").write_text(MAKEFILE)
    (tmp_path / "one.c").write_text('#include "part.h"\nint main(void) { return part(TEXT[1] == \' \'); }\n')
    (tmp_path / "sub/part.h").write_text("int part(int n);\n")
    (tmp_path / "sub/part.c").write_text("#include <stdlib.h>\nint part(int n)\n{\n    char *p = malloc(8);\n"
                                         "    int r = p[0] + n;\n    free(p);\n    return r;\n}\n")
    return tmp_path


def test_a_build_is_recorded(run, project):
    status, out, err = run("--make", "make -j2", "-m")
    assert status == 0, err
    assert out == "sub/part.c:4:15: malloc of 8 B in part(): could live in the frame\n"
    assert (project / "one").exists() and (project / "two").exists(), "the build is a real one"
    status, out, err = run("--make", "make")
    assert status == 2 and err.splitlines()[-1] == (
        "ampersand: --make: make: compiled no C file: is all up to date? Clean it first")
    status, out, err = run("--make", "make fails")
    assert status == 2 and err.splitlines()[-1] == "ampersand: --make: make fails: ended with status 2"


def entries(tmp_path):
    return {path.name: path.stat().st_mtime_ns for path in (tmp_path / ".cache/ampersand/escape").glob("*.bc")}


def test_a_file_is_compiled_again_only_if_it_changed(run, tmp_path):
    for name, text in PROGRAMS.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "a.c").unlink()
    (tmp_path / "b_look.c").unlink()
    first = run(".", "-m")
    before = {path.name: path.read_bytes() for path in (tmp_path / ".cache/ampersand/escape").iterdir()}
    bitcode = {name for name in before if name.endswith(".bc")}
    assert len(bitcode) == 2 and run(".", "-m") == first
    for name in bitcode:  # what is kept is what is used
        (tmp_path / ".cache/ampersand/escape" / name).write_bytes(b"BC, but no bitcode of any kind")
    assert run(".", "-m")[0] == 2
    (tmp_path / "s.h").write_text(PROGRAMS["s.h"] + "/* a header changed: both files include it */\n")
    assert run(".", "-m") == first
    (tmp_path / "a_look.c").write_text('#include "s.h"\nint *kept;\nint look(int *p) { kept = p; return 0; }\n')
    assert "there stored in global `kept` at a_look.c:3" in run(".", "-m")[1]


def test_without_a_folder_that_can_be_written_nothing_is_kept(run, file):
    for home in ("/proc/self/nowhere", "/dev/null"):
        assert run("k.c", "-m", XDG_CACHE_HOME=home)[0] == 0


def test_diagnostics_as_editors_read_them(run, file):
    (found,) = json.loads(run("k.c", "--format", "lsp")[1])
    assert found["uri"] == file.as_uri()
    assert [(one["range"]["start"]["line"], one["severity"], one["code"]) for one in found["diagnostics"]] == [
        (3, 4, "must-be-on-heap"), (7, 3, "could-live-in-frame"), (13, 1, "local-outlives-frame")]
    related = found["diagnostics"][2]["relatedInformation"]
    assert [(one["location"]["range"]["start"]["line"], one["message"]) for one in related] == [
        (13, "escflow: stored in local `p`"), (14, "escflow: loaded from local `p`"), (14, "escflow: returned")]


def test_what_is_new_fails(run, file, tmp_path):
    base = tmp_path / "base.json"
    base.write_text(run("k.c", "--format", "json")[1])
    assert run("k.c", "--fail-on", "new", "--baseline", base)[0] == 0
    file.write_text("\n\n" + file.read_text())  # lines move
    assert run("k.c", "--fail-on", "new", "--baseline", base)[0] == 0
    file.write_text(file.read_text() + "int more(void) { char *p = malloc(3); int r = *p; free(p); return r; }\n")
    status, _, err = run("k.c", "--fail-on", "new", "--baseline", base)
    assert status == 3 and err == "ampersand: new: k.c:19:28: malloc of 3 B in more(): could live in the frame\n"


@pytest.mark.parametrize("flags, says", [
    (["k.c", "--fail-on", "new"], "--fail-on new and --baseline FILE go together"),
    (["k.c", "--fail-on", "new", "--baseline", "none.json"], "none.json: No such file"),
    (["k.c", "--fail-on", "new", "--baseline", "k.c"], "k.c: is not what `escape --format json` prints"),
    ([], "name a file, a folder or a compile_commands.json"),
    (["k.c", "--make", "make"], "name a file, a folder or a compile_commands.json"),
    (["k.c", "--write"], "--check and --write want --fix"),
    (["k.c", "--profile", "k.c"], "k.c: is no profile"),
    (["k.c", "--profile", "k.c", "--run", "true"], "two ways to say the same"),
])
def test_refused(run, file, flags, says):
    status, out, err = run(*flags)
    assert (status, out) == (2, "") and says in err and err.count("\n") == 1


OUT = """#include <stdlib.h>
struct pair { int a, b; char *name; };
static struct pair *make(int a, char *name)
{
    struct pair *p = malloc(sizeof *p);
    p->a = p->b = a;
    p->name = name;
    return p;
}
int one(char *s) { struct pair *p = make(1, s); int r = p->b; free(p); return r; }
int two(char *s) { struct pair *p = make(2, s); int r = p->a + *p->name; free(p); return r; }
"""


def test_out_parameter(run, tmp_path):
    (tmp_path / "k.c").write_text(OUT)
    assert run("k.c", "-m", "--function", "make")[1] == (
        "k.c:5:22: malloc of 16 B in make(): returned at line 8, and dies with the caller in 2 calls, all there are: "
        "could be an out-parameter\n").replace("16", str(16))
    (tmp_path / "k.c").write_text(OUT + "struct pair *three(char *s) { return make(3, s); }\n")
    assert "out-parameter" not in run("k.c", "-m")[1]
    (tmp_path / "k.c").write_text(OUT.replace("static struct", "struct"))
    assert "out-parameter" not in run("k.c", "-m")[1]


def test_copies_that_optimisation_removes(run, tmp_path):
    (tmp_path / "k.c").write_text("""struct big { long word[8]; };
long gone(const struct big *p)
{
    struct big b = *p;
    return b.word[3];
}
void stays(struct big *to, const struct big *from)
{
    *to = *from;
}
""")
    assert run("k.c", "-m")[1].splitlines() == [
        "k.c:4:20: 64 B in gone(): an object is copied; -O2 removes it",
        "k.c:9:11: 64 B in stays(): an object is copied"]


def test_the_calls_of_a_run_order_what_is_found(run, tmp_path):
    profile = os.path.join(os.environ.get("AMPERSAND_BUILD", "build"), "harness/profile/ampersand-profile")
    if not os.path.exists(profile):
        pytest.skip("ampersand-profile is not built")
    (tmp_path / "k.c").write_text("""#include <stdlib.h>
static volatile int sum;
static void seldom(void) { char *volatile p = malloc(32); sum += p != 0; free(p); }
static void often(void)
{
    char *volatile p = malloc(8);
    sum += p != 0;
    free(p);
}
int main(void) { for (int i = 0; i < 1000; i++) often(); seldom(); return 0; }
""")
    assert os.system(f"cd {tmp_path} && cc -g -O1 -o k k.c") == 0
    _, out, said = run("k.c", "--run", "./k")
    if not built.tells_names(profile):
        assert "it ran" not in out and "libdw-dev" in said
        return
    lines = out.splitlines()
    assert lines[1:3] == ["k.c:6:24: malloc of 8 B in often(): could live in the frame; it ran 1000 times",
                          "k.c:3:47: malloc of 32 B in seldom(): could live in the frame; it ran 1 time"]

# SPDX-License-Identifier: MIT
"""Patches: what they change, that they compile and that the program does the same with them; what they leave."""
import json
import subprocess
import textwrap

import pytest

import escaping  # skips where nothing is analysed
from plots.escape import fix

USES_ALL = r"""#include <stdio.h>
#include <stdlib.h>
#include <string.h>
struct point { int x, y; };
static void *xmalloc(size_t n)
{
    void *p = malloc(n);
    if (!p)
        abort();
    return p;
}
static void *filled(size_t n) { char *p = malloc(n); p[0] = 7; return p; }
#define GET(n) malloc(n)
#define FREE(p) free(p)
int typed(int x)
{
    /* a { in a comment */
    struct point *p = (struct point *) malloc(sizeof(struct point));
    int r;

    if (!p)
        return -1;
    p->x = x;
    r = p->x + 1;
    free(p);
    return r;
}
int of_pointer(int x)
{
    struct point *p = malloc(sizeof *p);
    p->y = x;
    int r = p->y;
    if (r)
        free(p);
    return r;
}
int zeroed(void) { int *p = calloc(4, sizeof(int)); int r = p[3]; free(p); return r; }
int wrapped(const char *s)
{
    char *text = xmalloc(8 * 2), *end = "}";
    strcpy(text, s);
    int r = text[0] + end[0];
    free(text);
    return r;
}
int in_loop(int n)
{
    int r = 0;
    for (int i = 0; i < n; i++) {
        int *p = malloc(sizeof(int));
        *p = i;
        r += *p;
        free(p);
    }
    return r;
}
int set(void) { char *p = filled(4); int r = p[0]; free(p); return r; }
int by_macro(void) { char *p = GET(4); p[1] = 2; int r = p[1]; free(p); return r; }
int freed_by_macro(void) { char *p = malloc(4); p[1] = 2; int r = p[1]; FREE(p); return r; }
int again(int n) { char *p = malloc(4000); p[n] = n; int r = n ? again(n - 1) + p[n] : 0; free(p); return r; }
int main(void)
{
    printf("%d %d %d %d %d %d %d %d %d\n", typed(3), of_pointer(4), zeroed(), wrapped("abc"), in_loop(5), set(),
           by_macro(), freed_by_macro(), again(3));
    return 0;
}
"""
LEFT = {"set": "what the called function writes into it would be lost", "by_macro": "it is called by a macro",
        "freed_by_macro": "it is called by a macro",
        "again": "its function may call itself, and each call would have its own"}


def output(folder, name="k.c"):
    subprocess.run(["cc", "-g", "-w", "-fsanitize=address,undefined", "-o", folder / "k", folder / name], check=True)
    return subprocess.run([folder / "k"], capture_output=True, text=True, check=True).stdout


@pytest.fixture
def source(tmp_path):
    (tmp_path / "k.c").write_text(USES_ALL)
    return tmp_path / "k.c"


def test_a_patch_keeps_what_the_program_does(run, source, tmp_path):
    before = output(tmp_path)
    status, patch, err = run("k.c", "--fix")
    assert status == 0 and source.read_text() == USES_ALL, "without --write nothing changes"
    assert err.splitlines()[0] == "ampersand: fix: 5 of 9 objects that could live in the frame are in the patch"
    lines = {USES_ALL.splitlines()[int(line.split(":")[3]) - 1].split("(")[0].split()[-1]: line.rsplit(": ", 1)[1]
             for line in err.splitlines()[1:]}
    assert lines == LEFT
    subprocess.run(["patch", "-p1"], input=patch, text=True, cwd=tmp_path, check=True, stdout=subprocess.DEVNULL)
    changed = source.read_text()
    assert output(tmp_path) == before
    for line in ("    struct point p_in_frame;", "    struct point *p = (struct point *) (void *) &p_in_frame;",
                 "    struct point *p = (void *) &p_in_frame2;", "        (void) 0;",
                 "    char *text = (void *) text_in_frame, *end = \"}\";",
                 "    unsigned char text_in_frame[16] __attribute__((aligned));"):
        assert line in changed.splitlines(), changed
    assert "__builtin_memset(p_in_frame3, 0, sizeof p_in_frame3)" in changed
    assert changed.count("free(") == USES_ALL.count("free(") - 5
    again = run("k.c", "-m")[1]
    assert again.count("could live in the frame") == 4
    source.write_text(USES_ALL)
    run("k.c", "--fix", "--write")
    assert source.read_text() == changed


MAKERS = """#include <stdio.h>
#include <stdlib.h>
static int live, loud;
struct wide { long a[4]; };
static void die(void) { if (loud) puts("none"); exit(1); }
static void *plain(size_t n) { void *p = malloc(n); if (!p) { if (loud) puts("!"); die(); } return p; }
static void *or_null(size_t n) { void *p = malloc(n); if (p == NULL) return NULL; return p; }
static void *maybe(int c) { if (!c) return NULL; return malloc(8); }
static void *counted(size_t n) { live++; return malloc(n); }
static void uncounted(void *p) { live--; free(p); }
static void tidy(void *p) { if (p) free(p); }
"""
MORE = "the called function does more than make or free memory"
NULL = "the called function may return NULL, not only where memory is short"
ARGUMENTS = "its arguments may do something, too"
BODIES = [  # what makes it, what frees it, why it is left
    ("plain", "p = plain(8);", "tidy(p);", None),
    ("null where memory is short", "p = or_null(8);", "free(p);", None),
    ("null at will", "p = maybe(n);", "free(p);", NULL),
    ("counted", "p = counted(8);", "free(p);", MORE),
    ("counted where it is freed", "p = malloc(8);", "uncounted(p);", MORE),
    ("assigned in the argument", "p = malloc(n = 8);", "free(p);", ARGUMENTS),
    ("counted in the argument", "p = malloc((n++, 8));", "free(p);", ARGUMENTS),
    ("counted where it is freed by name", "p = malloc(8);", "free((n++, p));", ARGUMENTS),
    ("compared in the argument", "p = malloc(sizeof(int) * (1 + (2 >= 1)));", "free(p);", None),
    ("aligned", "p = aligned_alloc(64, 64);", "free(p);", "its alignment would be lost"),
    ("a letter with a byte that ends lines elsewhere", "/* \u0445 \u00c5 \f \v */ p = malloc(8);", "free(p);", None),
]


@pytest.mark.parametrize("makes, frees, why", [case[1:] for case in BODIES], ids=[case[0] for case in BODIES])
def test_what_a_call_does_besides_is_not_lost(run, tmp_path, makes, frees, why):
    text = MAKERS + f"""int use(int n)
{{
    int *p, r;
    {makes}
    r = p ? (*p = n) : -1;
    {frees}
    return r;
}}
int main(void) {{ printf("%d %d\\n", use(0), live); return 0; }}
"""
    (tmp_path / "k.c").write_text(text)
    before = output(tmp_path)
    assert "use(): could live in the frame" in run("k.c", "-m", "--function", "^use$")[1]
    _, patch, err = run("k.c", "--fix", "--function", "^use$")
    if why:
        assert not patch and err.splitlines()[1].endswith(f": left as it is: {why}")
    else:
        subprocess.run(["patch", "-p1"], input=patch, text=True, cwd=tmp_path, check=True, stdout=subprocess.DEVNULL)
        assert "p_in_frame" in (tmp_path / "k.c").read_text() and output(tmp_path) == before


def test_an_inner_name_does_not_say_the_size(run, tmp_path):
    (tmp_path / "k.c").write_text(MAKERS + """long use(struct wide *p)
{
    long r;
    { char *p = 0; (void) p; }
    p = malloc(sizeof *p);
    r = p->a[3] = 7;
    free(p);
    return r;
}
int main(void) { printf("%ld\\n", use(0)); return 0; }
""")
    assert run("k.c", "--fix", "--write")[0] == 0
    assert "unsigned char p_in_frame[32]" in (tmp_path / "k.c").read_text() and output(tmp_path) == "7\n"


USED = """#include <stdlib.h>
int use(void)
{
    int *p = malloc(8);
    int r = *p = 1;
    free(p);
    return r;
}
"""


def test_links_and_ends_of_lines_stay(run, tmp_path):
    (tmp_path / "far").mkdir()
    (tmp_path / "far/k.c").write_bytes(USED.replace("\n", "\r\n").encode())
    (tmp_path / "k.c").symlink_to("far/k.c")
    assert run("k.c", "--fix", "--write")[0] == 0
    assert (tmp_path / "k.c").is_symlink() and [path.name for path in (tmp_path / "far").iterdir()] == ["k.c"]
    changed = (tmp_path / "far/k.c").read_bytes()
    assert b"int *p = (void *) p_in_frame;\r\n" in changed and changed.count(b"\r\n") == USED.count("\n")


def test_a_read_only_file_is_left(run, tmp_path):
    (tmp_path / "a.c").write_text(USED.replace("use", "other"))
    (tmp_path / "k.c").write_text(USED)
    (tmp_path / "k.c").chmod(0o444)
    status, _, err = run(".", "--fix", "--write")
    assert status == 2 and err.splitlines()[-1].endswith("k.c: is read-only: nothing is written")
    assert "in_frame" not in (tmp_path / "a.c").read_text() + (tmp_path / "k.c").read_text()


def test_what_was_changed_meanwhile_is_left(run, tmp_path):
    (tmp_path / "k.c").write_text(USED + "int main(void) { return !use(); }\n")
    (tmp_path / "Makefile").write_text(f"test: k\n\techo '/* more */' >>{tmp_path}/k.c\nk: k.c\n"
                                       "\t$(CC) -o k k.c\n")
    status, _, err = run("k.c", "--fix", "--write", "--check", "make test", PWD=str(tmp_path))
    assert status == 2 and "k.c: was changed meanwhile: nothing is written" in err
    assert "in_frame" not in (tmp_path / "k.c").read_text()


def test_a_line_that_two_programs_compile_is_left(run, tmp_path):
    (tmp_path / "part.c").write_text("#include <stdlib.h>\n"
                                     "static int NAME(void) { int *p = malloc(8); KEEP; return *p; }\n"
                                     "int USER(void) { return NAME(); }\n")
    for name, keep in (("a", "extern void *kept; kept = p"), ("b", "*p = 1")):
        (tmp_path / f"{name}.c").write_text(f"#define NAME {name}\n#define USER use_{name}\n#define KEEP {keep}\n"
                                            '#include "part.c"\n')
    (tmp_path / "compile_commands.json").write_text(json.dumps(
        [{"directory": str(tmp_path), "file": f"{name}.c", "command": f"cc -c {name}.c {flags}"} for name, flags in (
            ("a", ""), ("b", ""), ("part", "-DNAME=part -DUSER=use_part -DKEEP="))]))
    _, patch, err = run("compile_commands.json", "--fix")
    assert not patch and "its line is compiled more than once" in err, patch


MAKEFILE = textwrap.dedent("""\
    test: k
    \t./k
    k: k.c other.c
    \t$(CC) -o k k.c other.c
    """)


def test_what_fails_the_check_is_taken_back(run, tmp_path):
    """The analysis takes the program at its word; a test that looks at the address of the frame does not."""
    (tmp_path / "Makefile").write_text(MAKEFILE)
    (tmp_path / "other.c").write_text("#include <stdlib.h>\nint good(void) { char *p = malloc(8); p[0] = 1; int r = "
                                      "p[0]; free(p); return r; }\n")
    (tmp_path / "k.c").write_text("""#include <stdlib.h>
int good(void);
static size_t apart(const void *a, const void *b) { return a > b ? (char *) a - (char *) b : (char *) b - (char *) a; }
int near(void)
{
    int here, *p = malloc(sizeof *p);
    int r = apart(&here, p) < 1000;
    free(p);
    return r;
}
int main(void) { return !good() || near(); }
""")
    texts = {name: (tmp_path / name).read_text() for name in ("k.c", "other.c")}
    status, patch, err = run(".", "--fix", "--check", "make test", PWD=str(tmp_path))
    assert status == 1, err
    assert "ampersand: fix: 1 of 2 objects that could live in the frame are in the patch" in err
    assert "k.c:6:20: left as it is: taken back: make test fails with it" in err
    assert "+++ b/other.c" in patch and "b/k.c" not in patch
    assert texts == {name: (tmp_path / name).read_text() for name in texts} and not (tmp_path / "k").exists()
    assert run(".", "--fix", "--check", "false")[2].splitlines()[-1] == (
        "ampersand: --check: false: fails in a copy of this folder without any change, under AddressSanitizer")


@pytest.mark.parametrize("text, at, name, want", [
    ("p = malloc(8);", 4, "malloc", ("malloc(8)", "8")),
    ("p = malloc(f(')', \")\") /* ) */);", 4, "malloc", ("malloc(f(')', \")\") /* ) */)", "f(')', \")\") /* ) */")),
    ("h->list[2].make (8)", 0, "", ("h->list[2].make (8)", "8")),
    ("(*g->frealloc)(ud, 0)", 0, "", ("(*g->frealloc)(ud, 0)", "ud, 0")),
    ("MAKE(8)", 0, "malloc", None),
    ("MAKE(8)", 0, "", None),
    ("malloc(8", 0, "malloc", None),
])
def test_the_text_of_a_call(text, at, name, want):
    if want is None:
        with pytest.raises(fix.NoWay):
            fix.call_at(text, at, name)
    else:
        start, end, argument = fix.call_at(text, at, name)
        assert (text[start:end], argument) == want


def test_edits_that_meet_are_refused():
    assert fix.apply("abcdef", [fix.Edit(4, 5, "E"), fix.Edit(1, 2, "B"), fix.Edit(1, 1, "-")]) == "a-BcdEf"
    assert fix.apply("abcdef", [fix.Edit(1, 4, ""), fix.Edit(3, 5, "")]) is None

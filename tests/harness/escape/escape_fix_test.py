# SPDX-License-Identifier: MIT
"""Patches: what they change, that they compile and that the program does the same with them; what they leave."""
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
    printf("%d %d %d %d %d %d %d %d %d\n", typed(3), of_pointer(4), zeroed(), wrapped("abc"), in_loop(5), set(), by_macro(),
           freed_by_macro(), again(3));
    return 0;
}
"""
LEFT = {"set": "what the called function writes into it would be lost", "by_macro": "it is called by a macro",
        "freed_by_macro": "it is called by a macro", "again": "its function may call itself, and each call would have its own"}


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
                 "    struct point *p = (void *) &p_in_frame2;", "        (void) 0;", "    char *text = (void *) text_in_frame, *end = \"}\";",
                 "    unsigned char text_in_frame[16] __attribute__((aligned));"):
        assert line in changed.splitlines(), changed
    assert "__builtin_memset(p_in_frame3, 0, sizeof p_in_frame3)" in changed
    assert changed.count("free(") == USES_ALL.count("free(") - 5
    again = run("k.c", "-m")[1]
    assert again.count("could live in the frame") == 4
    source.write_text(USES_ALL)
    run("k.c", "--fix", "--write")
    assert source.read_text() == changed


MAKEFILE = textwrap.dedent("""\
    test: k
    \t./k
    k: k.c other.c
    \t$(CC) -o k k.c other.c
    """)


def test_what_fails_the_check_is_taken_back(run, tmp_path):
    """The analysis takes the program at its word; a test that looks at the address of the frame does not."""
    (tmp_path / "Makefile").write_text(MAKEFILE)
    (tmp_path / "other.c").write_text("#include <stdlib.h>\nint good(void) { char *p = malloc(8); p[0] = 1; int r = p[0]; free(p); return r; }\n")
    (tmp_path / "k.c").write_text("""#include <stdlib.h>
int good(void);
static unsigned long apart(const void *a, const void *b) { return a > b ? (char *) a - (char *) b : (char *) b - (char *) a; }
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

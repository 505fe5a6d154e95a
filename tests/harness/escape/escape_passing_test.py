# SPDX-License-Identifier: MIT
"""Parameters that could be passed in another way: which are found, what --fix makes of them, and what it leaves."""
import re
import subprocess

import pytest

from escaping import run_escape  # skips where nothing is analysed

HEAD = """#include <stdarg.h>
#include <stdio.h>
struct big { long word[8]; };
typedef struct big big_t;
struct point { int x, y; };
struct bits { unsigned a : 3, b : 5; };
struct three { long a, b, c; };
static struct big x = { { 1, 2, 3, 4, 5, 6, 7, 8 } }, y = { { 9 } };
static struct point points[3] = { { 1, 2 }, { 3, 4 }, { 5, 6 } };
"""
SUM = "static long f(struct big b) { return b.word[0] + b.word[7]; }\n"
FAR = "static int f(const struct point *p) { return p->x * (*p).y; }\n"
OLD = "it is declared in the old style, or takes any number of arguments"
EFFECT = "what a call passes may change it, or does something, too"
FORM = "its declaration is of a form that is not changed"
NOT_FOUND = object()
ROWS = [  # name, functions, what main() prints, a line of the patch or why it is left
    ("by pointer", SUM, "f(x)", "+static long f(const struct big *b) { return b->word[0] + b->word[7]; }"),
    ("with a prototype", "static long f(struct big);\nstatic long g(void) { return f(x); }\n" + SUM, "g() + f(y)",
     "+static long f(const struct big *);"),
    ("a typedef, const", "static long f(const big_t b) { return b.word[3]; }\n", "f(x)",
     "+static long f(const big_t *b) { return b->word[3]; }"),
    ("as a whole", "static long f(struct big b) { struct big c = b; return c.word[1] + (long) sizeof b; }\n", "f(x)",
     "+static long f(const struct big *b) { struct big c = (*b); return c.word[1] + (long) sizeof (*b); }"),
    ("an inner name", "static long f(struct big b) { long s = b.word[1]; { long b = 3; s += b; } return s; }\n", "f(x)",
     "+static long f(const struct big *b) { long s = b->word[1]; { long b = 3; s += b; } return s; }"),
    ("a loop without a condition",
     "static long f(struct big b) { for (int i = 0;; i++) if (b.word[i] > 3) return i; }\n", "f(x)",
     "+static long f(const struct big *b) { for (int i = 0;; i++) if (b->word[i] > 3) return i; }"),
    ("two of them", "static long f(struct big a, struct big b) { return a.word[0] - b.word[0]; }\n", "f(x, y)",
     "+static long f(const struct big *a, const struct big *b) { return a->word[0] - b->word[0]; }"),
    ("handed on", SUM + "static long g(struct big c) { return f(c) + 1; }\n", "g(x)",
     "+static long g(const struct big *c) { return f(&(*c)) + 1; }"),
    ("of a member and an element", SUM, "f(((struct { struct big in; }[1]) { { x } })[0].in)", "+static long f(const"),
    ("changed", "static long f(struct big b) { b.word[0]++; return b.word[0]; }\n", "f(x)", NOT_FOUND),
    ("its source changed by the function", "static long f(struct big b) { x.word[0] = 7; return b.word[0]; }\n", "f(x)",
     NOT_FOUND),
    ("its source changed below the function",
     "static void g(void) { x.word[0] = 7; }\nstatic long f(struct big b) { g(); return b.word[0]; }\n", "f(x)",
     NOT_FOUND),
    ("its source changed by another argument",
     "static int g(void) { x.word[0] = 7; return 1; }\nstatic long f(struct big b, int n) { return b.word[0] + n; }\n",
     "f(x, g()) * 0", EFFECT),
    ("its address taken", "static long f(struct big b) { const struct big *p = &b; return p->word[2]; }\n", "f(x)",
     "its address is taken"),
    ("called by a macro", SUM + "#define F(a) f(a)\n", "F(x)", "a macro writes part of it"),
    ("defined by a macro", "#define OF struct big b\nstatic long f(OF) { return b.word[0]; }\n", "f(x)",
     "a macro writes part of it"),
    ("in the old style", "static long f(b) struct big b; { return b.word[0]; }\n", "f(x)", OLD),
    ("declared in the old style", "static long f();\n" + SUM, "f(x)", OLD),
    ("any number of arguments", "static long f(struct big b, ...) { return b.word[0]; }\n", "f(x, 1)", NOT_FOUND),
    ("called through a pointer", SUM + "static long (*g)(struct big) = f;\n", "g(x)", NOT_FOUND),
    ("called by itself",
     "static long f(struct big b, int n) { return n ? f(b, n - 1) : b.word[0]; }\n", "f(x, 3)", NOT_FOUND),
    ("seen by other files", SUM.replace("static ", ""), "f(x)", NOT_FOUND),
    ("of a volatile object", SUM + "static volatile struct big v = { { 3 } };\n", "f(v)",
     "a call passes an object that is volatile or atomic"),
    ("of one of two", SUM, "f(x.word[0] ? x : y)", "a call passes a value that is no object"),
    ("of a result", SUM + "static struct big g(void) { return x; }\n", "f(g())", EFFECT),
    ("by value", FAR, "f(&points[1]) + f(&points[2])",
     "+static int f(struct point p) { return p.x * (p).y; }"),
    ("by value, at its start", "static int f(const int *p) { return p[0] + 1; }\n", "f(&points[1].x)",
     "+static int f(int p) { return (&p)[0] + 1; }"),
    ("bit-fields", "static int f(struct bits *p) { return p->a + p->b; }\nstatic struct bits bits = { 1, 2 };\n",
     "f(&bits)",
     "+static int f(struct bits p) { return p.a + p.b; }"),
    ("of a pointer", FAR + "static int g(struct point *q) { return q ? f(q) : 0; }\n", "g(&points[1]) + g(0)",
     "a call passes a pointer that may point at no object"),
    ("an array", FAR, "f(points)", "a call passes a pointer that may point at no object"),
    ("compared", "static int f(const struct point *p) { return p ? p->x : 0; }\n", "f(&points[0])", NOT_FOUND),
    ("the next one", "static int f(const struct point *p) { return p[1].x; }\n", "f(&points[0])", NOT_FOUND),
    ("a large one", "static long f(const struct three *p) { return p->a; }\nstatic struct three three = { 1 };\n",
     "f(&three)",
     NOT_FOUND),
    ("a large one behind a typedef", "static long f(const big_t *const p) { return p->word[0]; }\n", "f(&x)",
     NOT_FOUND),
    ("a small one behind a typedef", "typedef const struct point dot;\nstatic int f(dot *p) { return p->x; }\n",
     "f(&points[1])", "+static int f(dot p) { return p.x; }"),
    ("written to", "static int f(struct point *p) { return p->x++; }\n", "f(&points[0])", NOT_FOUND),
    ("its object changed", "static int f(const struct point *p) { points[0].x = 3; return p->x; }\n", "f(&points[0])",
     NOT_FOUND),
    ("volatile", "static int f(const volatile struct point *p) { return p->x; }\n", "f(&points[0])", NOT_FOUND),
    ("a volatile object by value",
     FAR.replace("p->x * (*p).y", "p->x") + "static volatile struct point v = { 1, 2 };\n",
     "f((const struct point *) &v)", "a call passes a pointer that may point at no object"),
    ("kept", "static const struct point *kept;\nstatic int f(const struct point *p) { kept = p; return p->x; }\n",
     "f(&points[0])", NOT_FOUND),
]


def output(folder):
    subprocess.run(["cc", "-std=gnu11", "-g", "-w", "-fsanitize=address,undefined", "-o", folder / "k", folder / "k.c"],
                   check=True)
    return subprocess.run([folder / "k"], capture_output=True, text=True, check=True).stdout


def own(text, row):
    """The text with names that no other row has."""
    return re.sub(r"\b([fgFv])\b", rf"\g<1>{row}", text)


@pytest.fixture(scope="module")
def patched(tmp_path_factory):
    """All rows in one file: ([(first line, last line)] of the rows, the patch, what was said, the folder)."""
    folder, text, places = tmp_path_factory.mktemp("rows"), HEAD, []
    for row, (_, functions, _, _) in enumerate(ROWS):
        places.append((text.count("\n") + 1, text.count("\n") + functions.count("\n") + 1))
        text += own(functions, row) + f"static long main{row}(void) {{ return (long) ({own(ROWS[row][2], row)}); }}\n"
    calls = "".join(f'    printf("%ld\\n", main{row}());\n' for row in range(len(ROWS)))
    (folder / "k.c").write_text(text + "int main(void)\n{\n" + calls + "    return 0;\n}\n")
    done = run_escape(folder, "k.c", "--cflags", "-std=gnu11", "--fix")
    assert done.returncode == 0, done.stderr
    return places, done.stdout, done.stderr.splitlines(), folder


@pytest.mark.parametrize("row", range(len(ROWS)), ids=[row[0] for row in ROWS])
def test_a_parameter(patched, row):
    places, patch, said, _ = patched
    first, last = places[row]
    left = [line.split(": left as it is: ")[1] for line in said
            if "left as it is" in line and first <= int(line.split(":")[3]) <= last]
    changed = [line for line in patch.splitlines() if re.match(rf"\+.*\bf{row}\(", line)]
    want = ROWS[row][3]
    if want is NOT_FOUND:
        assert not changed and not left
    elif want.startswith("+"):
        assert any(line.startswith(own(want, row)) for line in changed) and not left
    else:
        assert not changed and len(left) == 1 and want in left[0]


def test_the_program_does_the_same(patched):
    _, patch, _, folder = patched
    before = output(folder)
    subprocess.run(["patch", "-p1"], input=patch, text=True, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    assert before.count("\n") == len(ROWS) and output(folder) == before


def test_what_fails_the_check_is_taken_back(run, tmp_path):
    """A test that counts the bytes of the source does not like either change."""
    (tmp_path / "k.c").write_text(HEAD + SUM + "int main(void) { return f(x) != 9; }\n")
    size = (tmp_path / "k.c").stat().st_size
    (tmp_path / "Makefile").write_text(f"test: k\n\t./k && test $$(wc -c <k.c) = {size}\nk: k.c\n\t$(CC) -o k k.c\n")
    status, patch, err = run("k.c", "--fix", "--check", "make test", PWD=str(tmp_path))
    assert (status, patch) == (1, "") and "left as it is: taken back: make test fails with it" in err
    (tmp_path / "Makefile").write_text("test: k\n\t./k\nk: k.c\n\t$(CC) -o k k.c\n")
    status, patch, err = run("k.c", "--fix", "--check", "make test", PWD=str(tmp_path))
    assert status == 0 and "1 of 1 parameters that could be passed in another way are in the patch" in err
    assert "+int main(void) { return f(&x) != 9; }" in patch

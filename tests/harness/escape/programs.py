# SPDX-License-Identifier: MIT
"""Random C programs over observed.h: calls, stores, fields, arrays, loops, recursion, function pointers, wrappers."""

import random
from dataclasses import dataclass

POINTERS = 5  # variables of each function
GLOBALS = 3


@dataclass(frozen=True)
class Style:
    """How often a block is a loop, and how often a pointer is handed on or stored, against the style `mixed`; how often
    a local is lent to a call, and overwritten."""
    loops: float
    away: float
    lent: float = 0


STYLES = {"mixed": Style(0.12, 1), "inner": Style(0.3, 0.3), "lent": Style(0.2, 0.4, 1)}

HEAD = """#include "observed.h"
static struct node *global0, *global1, *global2;
static struct both box;
static void *plain(size_t n) { return malloc(n); }
static void *zeroed(size_t n, size_t size) { void *p = calloc(n, size); if (!p) abort(); return p; }
static void *twice(size_t n) { return plain(n * 2); }
static void release(void *p) { free(p); }
static struct node *same(struct node *p) { return p; }
static void put(struct node **to, struct node *p) { *to = p; }
static struct node *either(struct node *p, struct node *q, int n) { return n & 1 ? p : q; }
static void bytes(void *to, const void *from, size_t n) {
    unsigned char *t = to; const unsigned char *f = from;
    while (n--) *t++ = *f++;
}
static void swap(struct node **a, struct node **b) { struct node *c = *a; *a = *b; *b = c; }
static struct both join(struct node *a, struct node *b) { struct both s = { a, 1, b }; return s; }
static struct node *of_both(struct both s, int n) { return n & 1 ? s.first : s.second; }
static struct node *vary(int n, ...) {
    va_list list; struct node *p = 0; va_start(list, n);
    while (n-- > 0) p = va_arg(list, struct node *);
    va_end(list); return p;
}
static void link(struct node *a, struct node *b) { a->next = b; }
static void link_below(struct node *a, struct node *b) { if (a->next) a->next->any = b; }
static struct node *below(struct node *a) { return a->next && a->next->any ? a->next->any : a; }
static long count(struct node *a) { long n = a->number; for (int i = 0; i < 4 && a->next; i++) a = a->next; return n; }
static struct node *fresh(size_t n) { ENTER; struct node *p = NEW(malloc(n)); LEAVE; return p; }
static struct node *keeps(size_t n) { ENTER; struct node *p = NEW(malloc(n)); global1 = p; LEAVE; return p; }
static struct node *linked(size_t n) { ENTER; struct node *p = NEW(calloc(1, n)); p->next = global0; LEAVE; return p; }
static struct node *shared(size_t n) { ENTER; struct node *p = global2 ? global2 : NEW(malloc(n)); LEAVE; return p; }
static struct node *again(void *own, struct node *p, size_t n) {
    ENTER; struct node *q = n ? NEW(realloc(0, n)) : 0; if (q && own) q->any = p; LEAVE; return q;
}
static struct node *other(struct node *p) { if (p->any) return p->any; global2 = p->pair[0]; return p; }
static void wipe(struct node *p, struct node *q) { if (p->next) p->next->any = q; FREE(p); }
static void drop_two(struct node *p, struct node *q) { FREE(p); if (q != p) FREE(q); }
static void drop_all(struct node *p) { if (p->next) FREE(p->next); FREE(p); }
static void drop_late(struct node *p) { global0 = p; FREE(p); }
static struct node *filled(size_t n, struct node *q) {
    ENTER; struct node *p = NEW(malloc(n)); p->next = q; if (q) q->pair[1] = p->any; LEAVE; return p;
}
static struct node *twined(struct node *q) {
    ENTER; struct node *p = CALL(filled(sizeof *p, q)); if (q) q->any = p; LEAVE; return p; }
static void keep(struct node *p, int n) { if (n) global0 = p; }
static void hand(struct node *p, int n) { if (p->next) p->next->any = n ? p : p->any; }
static void mark(struct node *p, int n) { p->number += n; }
static struct node *apply(struct node *(*f)(struct node *), struct node *p) { return f(p); }
static void each(struct node *p, void (*f)(struct node *, int), int n) { for (int i = 0; p && i < 2; i++) { f(p, n); p = p->next; } }
static struct node *(*const ops[])(struct node *) = { same, below, same };
static long look(struct node **at) { return (*at)->number; }
static struct node *lent(struct node **a, struct node **b, struct node *p) {
    ENTER; LOCAL(l); struct node *before = *a; *a = l; (*b)->any = p; struct node *q = l->any; *a = before; LEAVE;
    return q ? q : before;
}
static struct node *shift(struct node **a, struct node **b, struct node *p) { struct node *c = *a; *b = p; *a = *b; return c; }
typedef struct node *step(struct node *, struct node **, struct both, int);
struct hooks { struct node *(*make)(size_t); void (*see)(struct node *, int); void (*drop)(void *); };
static struct node *from(const struct hooks *h, size_t n) { ENTER; struct node *p = CALL(h->make(n)); LEAVE; return p; }
"""


def hooks(choose):
    """Functions that are called through pointers only: which of them keep what they get is drawn."""
    makers = choose.sample(["fresh", "keeps", "linked", "shared"], choose.choice([1, 1, 2, 4]))
    seers = choose.sample(["keep", "hand", "mark"], choose.choice([1, 1, 2, 3]))
    if choose.random() < 0.75:  # most programs' hooks are plain ones
        makers, seers = ["fresh"], ["mark"]
    yield f"static struct hooks hooks = {{ {makers[0]}, {seers[0]}, release }};"
    yield f"static struct node *(*unary)(struct node *) = {choose.choice(['same', 'same', 'below', 'other'])};"
    yield "static struct node *(*resize)(void *, struct node *, size_t) = again;"
    yield "static void turn(int n) {"
    for maker in makers[1:]:
        yield f"    if (n & {choose.choice([1, 2, 3])}) hooks.make = {maker};"
    for seer in seers[1:]:
        yield f"    if (n & {choose.choice([1, 2, 3])}) hooks.see = {seer};"
    yield "}"


class Function:
    """One function's text, line by line."""

    def __init__(self, choose, number, functions, style):
        self.choose, self.number, self.functions, self.style = choose, number, functions, style
        self.temporaries = 0

    def pointer(self):
        return f"p{self.choose.randrange(POINTERS)}"

    def temporary(self):
        self.temporaries += 1
        return f"t{self.temporaries}"

    def make(self, p, q):
        away = "twined" if self.choose.random() < self.style.away / 2 else "same"
        return self.choose.choice([
            f"{p} = NEW(malloc(sizeof(struct node)));", f"{p} = NEW(calloc(1, sizeof(struct node)));",
            f"{p} = NEW(plain(sizeof(struct node)));", f"{p} = NEW(zeroed(1, sizeof(struct node)));",
            f"{p} = NEW(twice(sizeof(struct node)));", f"{p} = CALL(hooks.make(sizeof(struct node)));",
            f"{p} = CALL(from(&hooks, sizeof(struct node)));",
            f"{p} = NEW(realloc(0, sizeof(struct node)));", f"{p} = CALL(filled(sizeof(struct node), {q}));",
            f"{p} = CALL(filled(sizeof(struct node), 0));", f"{p} = CALL({away}({q}));",
            f"{p} = CALL(resize(0, 0, sizeof(struct node)));"])

    def call(self, p, q, r):
        if self.choose.random() < 0.2:
            return f"if (n > 0) {p} = CALL(table[(n + {self.choose.randrange(9)}) % 3]({q}, &{r}, join({q}, {r}), n - 1));"
        callee = self.choose.randrange(self.functions)
        held = self.choose.choice([f"&{r}", "out", f"&{q}->next", f"&{r}->pair[n & 1]"])
        pair = self.choose.choice([f"join({q}, {r})", "s", "box"])
        return f"if (n > 0) {p} = CALL(f{callee}({q}, {held}, {pair}, n - 1));"

    def through_memory(self, p, q, r):
        t = self.temporary()
        return self.choose.choice([
            f"struct node *{t}[3] = {{ {q}, {r}, {p} }}; {p} = {t}[(n & 3) % 3];",
            f"struct both {t} = join({q}, {r}); {p} = {t}.second;",
            f"struct both {t} = s; {t}.first = {q}; s = {t};",
            f"union {{ struct node *p; unsigned char b[8]; uintptr_t u; }} {t} = {{ {q} }}; {p} = (struct node *) "
            f"{t}.u;",
            f"uintptr_t {t} = (uintptr_t) {q} | 1; {p} = (struct node *) ({t} & ~(uintptr_t) 1);",
            f"struct node *{t}; bytes(&{t}, &{q}, sizeof {t}); {p} = {t};",
            f"struct node *{t} = 0; put(&{t}, {q}); {p} = {t};",
            f"struct node **{t} = &{q}; {p} = *{t};",
            f"uintptr_t {t} = (uintptr_t) {q} - (uintptr_t) {r}; {p} = (struct node *) ((uintptr_t) {r} + {t});",
            f"struct node *{t} = {p}; memcpy(&{t}, &{r}, sizeof {t}); {p} = {t};",
        ])

    def overwritten(self, p, q, r):
        t = self.temporary()
        return self.choose.choice([
            f"struct node *{t} = {q}; total += look(&{t}); {t} = {r}; total += look(&{t}); {p} = {t};",
            f"struct node *{t} = {q}; if (n & 1) {t} = {r}; total += look(&{t}); {p} = {t};",
            f"struct both {t} = join({q}, {r}); {t}.first = a; total += look(&{t}.first); {p} = {t}.first;",
            f"struct both {t} = join({q}, {r}); {t}.second = a; total += look(&{t}.second); {p} = {t}.first;",
            f"struct node *{t}[2] = {{ {q}, {r} }}; {t}[n & 1] = a; total += look({t}); {p} = {t}[1];",
            f"struct node *{t}; put(&{t}, {q}); total += look(&{t}); memcpy(&{t}, &{r}, sizeof {t}); {p} = {t};",
            f"struct node *{t} = {r}; for (int j = 0; j < 2; j++) {{ {p} = {t}; total += look(&{t}); {t} = {q}; }}",
        ])

    def simple(self):
        p, q, r = self.pointer(), self.pointer(), self.pointer()
        word, g = self.choose.choice(["next", "any", "pair[0]",
                                      "pair[n & 1]"]), f"global{self.choose.randrange(GLOBALS)}"
        kinds = [
            (8, lambda: self.make(p, q)), (6, lambda: f"USE({p});"), (3, lambda: f"FREE({p});"),
            (2, lambda: f"{p} = {q};"),
            (3, lambda: f"{p}->{word} = {q};", "away"), (3, lambda: f"if ({q}->{word}) {p} = {q}->{word};"),
            (3, lambda: self.call(p, q, r), "away"), (2, lambda: self.through_memory(p, q, r)),
            (1, lambda: f"*out = {p};", "away"), (1, lambda: f"if (*out) {p} = *out;"),
            (0.7, lambda: f"{g} = {p};", "away"),
            (1, lambda: f"if ({g}) {p} = {g};"), (1, lambda: f"{p} = same({q});"),
            (1, lambda: f"link({p}, {q});", "away"),
            (0.6, lambda: f"link_below({p}, {q});", "away"), (0.6, lambda: f"{p} = below({q});"),
            (0.6, lambda: f"{p} = either({q}, {r}, n);"), (0.6, lambda: f"swap(&{p}, &{q});"),
            (0.5, lambda: f"s = join({p}, {q});"), (0.6, lambda: f"struct node *t = of_both(s, n); if (t) {p} = t;"),
            (0.3, lambda: "box = s;", "away"),
            (0.3, lambda: f"{p} = vary(2, {q}, {r});"), (0.6, lambda: f"total += count({p});"),
            (0.4, lambda: f"*{p} = *{q};"), (0.4, lambda: f"memcpy({p}, {q}, sizeof *{p});"),
            (0.3, lambda: f"bytes({p}, {q}, sizeof *{p});"), (0.5, lambda: f"{p} = n & 2 ? {q} : {r};"),
            (0.4, lambda: f"hooks.see({p}, n & 1);", "away"), (0.2, lambda: f"{p} = unary({q});"),
            (0.2, lambda: "turn(n);"),
            (0.2, lambda: f"{p} = apply({self.choose.choice(['same', 'below', 'other'])}, {q});"),
            (0.2, lambda: f"each({p}, {self.choose.choice(['hooks.see', 'mark'])}, n);"),
            (0.2, lambda: f"{p} = ops[n % 3 & 1]({q});"),
            (0.2, lambda: f"struct node *t = CALL(resize({p}, {q}, n & 1 ? sizeof(struct node) : 0)); if (t) {p} = t;"),
            (4, lambda: f"{p} = {self.choose.choice('axy')};", "lent"), (2, lambda: f"total += look(&{p});", "lent"),
            (1, lambda: f"{p} = lent(&{q}, &{r}, {self.pointer()});", "lent"),
            (1, lambda: f"{p} = shift(&{q}, &{r}, {self.pointer()});", "lent"),
            (2, lambda: self.overwritten(p, q, r), "lent"),
            (0.3, lambda: f"if ({p} == {q}) {p} = {r};"), (0.4, lambda: f"DROP({p});"), (0.5, lambda: f"RELEASE({p});"),
            (0.7, lambda: f"FREE(n & 1 ? {p} : {q});"), (0.5, lambda: f"wipe({p}, {q});"),
            (0.5, lambda: f"drop_two({p}, {q});"), (0.3, lambda: f"drop_all({p});"),
            (0.2, lambda: f"drop_late({p});", "away"),
        ]
        factors = {"away": self.style.away, "lent": self.style.lent}
        weights = [weight * factors.get(*(kind or [""]), 1) for weight, _, *kind in kinds]
        return self.choose.choices([maker for _, maker, *_ in kinds], weights)[0]()

    def block(self, left, depth, indent):
        while left > 0:
            kind = self.choose.random()
            if depth < 2 and kind < self.style.loops:
                i = f"i{depth}"
                yield f"{indent}for (int {i} = 0; {i} < 3 && FUEL; {i}++) {{"
                yield from self.block(self.choose.randint(2, 5), depth + 1, indent + "    ")
                yield f"{indent}}}"
                left -= 3
            elif depth < 2 and kind < self.style.loops + 0.1:
                yield f"{indent}if (n & {self.choose.choice([1, 2, 4])}) {{"
                yield from self.block(self.choose.randint(1, 4), depth + 1, indent + "    ")
                yield f"{indent}}}"
                left -= 2
            else:
                yield f"{indent}{{ {self.simple()} }}"
                left -= 1

    def lines(self):
        yield f"struct node *f{self.number}(struct node *a, struct node **out, struct both s, int n)"
        yield "{"
        yield "    ENTER;"
        yield "    LOCAL(x);"
        yield "    LOCAL(y);"
        yield "    long total = 0;"
        starts = ["a", "x", "y", "s.first ? s.first : a", "a->next ? a->next : x"]
        for p in range(POINTERS):
            yield f"    struct node *p{p} = {self.choose.choice(starts)};"
        yield "    if (FUEL) {"
        yield from self.block(self.choose.randint(5, 14), 0, "        ")
        yield "    }"
        if self.choose.random() < 0.6:
            yield "    p0 = a;"
        yield "    p0->number += total;"
        yield "    LEAVE;"
        yield "    SEE(a); SEE(*out); SEE(p0); SEE(global0); SEE(global1); SEE(global2); SEE(box.first); SEE(box.second);"
        yield "    return p0;"
        yield "}"


def program(seed, functions, style="mixed"):
    """The text of a program of so many functions."""
    choose = random.Random(seed)
    lines = HEAD.splitlines()
    lines += ["#ifdef OBSERVED", "#define RELEASE(p) observe_use(p)", "#define DROP(p) observe_use(p)", "#else",
              "#define RELEASE(p) release(p)", "#define DROP(p) hooks.drop(p)", "#endif"]
    lines += hooks(choose)
    lines += [f"step f{n};" for n in range(functions)]
    lines += [f"static step *table[3] = {{ f0, f{functions // 2}, f{functions - 1} }};"]
    for n in range(functions):
        lines += Function(choose, n, functions, STYLES[style]).lines()
    lines += ["int main(void)", "{", "    ENTER;", "    LOCAL(a);", "    LOCAL(b);", "    struct node *held = b;"]
    for n in range(functions):
        lines += [f"    for (int n = 0; n < 4; n++) USE(f{n}(a, &held, join(a, b), n));"]
    lines += ["#ifdef OBSERVED", "    report();", "#endif"]
    return "\n".join([*lines, "    LEAVE;", "    return 0;", "}", ""])

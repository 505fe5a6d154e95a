# SPDX-License-Identifier: MIT
"""Random C programs for a stack that moves: calls, recursion, locals, arrays, pointers to outer frames and tables of
them, by-value structs, results through hidden pointers, floating point, calls of the host stack.

A program is well-defined by construction: numbers are unsigned, indices are masked, and a pointer never outlives what
it points to. So its result is the same wherever its stack stands, and for whichever compiler."""
import random

WORDS = (1, 3, 8, 20, 40)  # of the structs that are handed on by value

HEAD = """#include "harness/stack/stack.h"
#include <stdio.h>
#include <string.h>
""" + "".join(f"struct s{n} {{ uint64_t w[{n}]; }};\n" for n in WORDS) + """
static uint64_t on_host(void *arg)
{
    uint64_t *p = arg;
    char text[64];
    snprintf(text, sizeof text, "%llu", (unsigned long long) *p);
    *p = *p * 6364136223846793005u + (unsigned char) text[0];
    return *p >> 7;
}
/* Not inlined, which would be most of what the compilers have to do; small, so they need no check. */
__attribute__((noinline)) static uint64_t use(const uint64_t *p, unsigned n)
{
    uint64_t sum = n;
    for (unsigned i = 0; i < n; i++)
        sum = sum * 31 + p[i];
    return sum;
}
__attribute__((noinline)) static void fill(uint64_t *p, unsigned n, uint64_t x)
{
    for (unsigned i = 0; i < n; i++)
        p[i] = x + i;
}
"""

TAIL = """
static const unsigned modes[] = {{ 0, AMP_STACK_FORCE | AMP_STACK_POISON }};
static amp_stack_fn *const programs[] = {{ {mains} }};
int main(void)
{{
    uint64_t all = 0, moves = 0;
    int failed = 0;
    for (unsigned i = 0; i < sizeof programs / sizeof *programs; i++) {{
        uint64_t want = programs[i](NULL);
        all = all * 31 + want;
        for (unsigned m = 0; m < 2; m++) {{
            struct amp_stack_policy policy = {{ 2048, 1 << 26, 2, modes[m], NULL, NULL }};
            struct amp_stack_stats stats;
            struct amp_stack *stack;
            const char *why;
            uint64_t result = ~want;
            if (amp_stack_create(&policy, &stack, &why))
                return 3;
            int error = amp_stack_run(stack, programs[i], NULL, &result);
            amp_stack_stats(stack, &stats);
            moves += stats.moves;
            if (error || result != want || amp_stack_destroy(stack)) {{
                printf("program {first}+%u, mode %u: error %d %s, %llx instead of %llx\\n", i, modes[m], error,
                       error ? amp_stack_message(stack) : "", (unsigned long long) result, (unsigned long long) want);
                failed = 1;
            }}
        }}
    }}
    printf("%llx %llu\\n", (unsigned long long) all, (unsigned long long) moves);
    return failed;
}}
"""


class Function:
    def __init__(self, draw, program, n):
        self.name = f"p{program}_f{n}"
        self.by_value = draw.choice((0, 0, *WORDS))
        self.returns = draw.choice((0, 0, 0, *WORDS[1:]))
        self.real = draw.random() < 0.3
        self.table = draw.random() < 0.4

    @property
    def type(self):
        return f"struct s{self.returns}" if self.returns else "uint64_t"

    def parameters(self):
        found = ["uint64_t *a", "uint64_t *b", "uint64_t x", "unsigned fuel"]
        found += [f"struct s{self.by_value} s"] * bool(self.by_value)
        return ", ".join(found + ["double d"] * self.real + ["uint64_t **t"] * self.table)


class Body:
    """The text of one function. Every array and everything that `a`, `b` and pointers to four words point to has four
    words at least; `p0` to `p3` point to one."""

    def __init__(self, draw, function, functions):
        self.draw, self.function, self.functions = draw, function, functions
        self.scalars = [f"l{n}" for n in range(draw.randint(1, 8))]
        self.arrays = {f"r{n}": draw.choice((4, 5, 8, 16, 33)) for n in range(draw.randint(1, 3))}
        self.pointers = [f"p{n}" for n in range(draw.randint(1, 4))]
        self.lines = []

    def number(self, depth=0):
        draw = self.draw
        pick = draw.randint(0, 9 if depth < 2 else 6)
        if pick == 0:
            return f"{draw.getrandbits(draw.choice((4, 16, 40)))}u" if draw.random() < 0.5 else "x"
        if pick in (1, 2):
            return draw.choice(self.scalars)
        if pick == 3:
            return f"*{draw.choice(self.pointers)}"
        if pick == 4:
            array, size = draw.choice(list(self.arrays.items()))
            return f"{array}[{draw.randrange(size)}]"
        if pick == 5:
            return f"{draw.choice('ab')}[{draw.randrange(4)}]"
        if pick == 6:
            if self.function.by_value:
                return f"s.w[{draw.randrange(self.function.by_value)}]"
            return "(uint64_t) (d * 3.0)" if self.function.real else "x"
        return f"({self.number(depth + 1)} {draw.choice(('+', '-', '*', '^', '|', '&'))} {self.number(depth + 1)})"

    def place(self):
        """An lvalue."""
        draw = self.draw
        array, size = draw.choice(list(self.arrays.items()))
        return draw.choice((draw.choice(self.scalars), f"*{draw.choice(self.pointers)}",
                            f"{array}[{draw.randrange(size)}]",
                            f"{array}[{draw.choice(self.scalars)} % {size}]",
                            f"{draw.choice('ab')}[{draw.randrange(4)}]"))

    def one(self):
        """A pointer to a word."""
        draw = self.draw
        array, size = draw.choice(list(self.arrays.items()))
        choices = [f"&{draw.choice(self.scalars)}", f"&{array}[{draw.randrange(size)}]",
                   f"{draw.choice('ab')} + {draw.randrange(4)}",
                   draw.choice(self.pointers), f"m[{draw.randrange(4)}]"]
        return draw.choice(choices + [f"t[{draw.randrange(4)}]"] * self.function.table)

    def four(self):
        """A pointer to four words."""
        array, size = self.draw.choice(list(self.arrays.items()))
        return self.draw.choice(("a", "b", f"{array} + {self.draw.randrange(size - 3)}"))

    def call(self):
        draw = self.draw
        callee = draw.choice(self.functions)
        arguments = [self.four(), self.four(), self.number(), "fuel - 1"]
        before = ""
        if callee.by_value:
            before = (f"struct s{callee.by_value} v; memset(&v, 0, sizeof v); "
                      f"v.w[{draw.randrange(callee.by_value)}] = {self.number()}; ")
            arguments.append("v")
        if callee.real:
            arguments.append(f"(double) ({self.number()} % 1000)")
        if callee.table:
            arguments.append("m")
        text = f"{callee.name}({', '.join(arguments)})"
        if callee.returns:
            before += f"struct s{callee.returns} o = {text}; "
            text = f"use(o.w, {callee.returns})"
        return f"if (fuel > 0) {{ {before}{draw.choice(self.scalars)} += {text}; }}"

    def statement(self, depth):
        draw = self.draw
        pick = draw.randint(0, 11)
        if pick <= 3:
            return f"{self.place()} {draw.choice(('=', '+=', '^=', '-='))} {self.number()};"
        if pick <= 5:
            return f"{draw.choice(self.pointers)} = {self.one()};"
        if pick == 6:
            return f"m[{draw.randrange(4)}] = {self.one()};"
        if pick == 7 and self.function.table:
            return f"t[{draw.randrange(4)}] = {draw.choice('ab')} + {draw.randrange(4)};"
        if pick == 8 and draw.random() < 0.4:
            return f"{draw.choice(self.scalars)} ^= amp_stack_call(on_host, {self.one()});"
        if depth < 2 and pick == 9:
            return f"if ({self.number()} & 1) {{ {self.statement(depth + 1)} }} else {{ {self.statement(depth + 1)} }}"
        if depth < 2 and pick == 10:
            return f"for (unsigned i{depth} = 0; i{depth} < {draw.randint(1, 4)}; i{depth}++) {{ {self.statement(2)} }}"
        return f"{self.place()} = {self.number()};"

    def text(self):
        draw, function = self.draw, self.function
        lines = [f"uint64_t {name} = {draw.getrandbits(20)}u;" for name in self.scalars]
        lines += [f"uint64_t {name}[{size}]; fill({name}, {size}, x);"
                  for name, size in self.arrays.items()]
        array = next(iter(self.arrays))
        lines += [f"uint64_t *{name} = &{array}[{n % 4}];" for n, name in enumerate(self.pointers)]
        lines += [f"uint64_t *m[4] = {{ a, b, {array}, &{self.scalars[0]} }};"]
        calls = draw.randint(1, 3)
        for _ in range(calls):
            lines += [self.statement(0) for _ in range(draw.randint(1, 6))] + [self.call()]
        lines += [self.statement(0) for _ in range(draw.randint(0, 3))]
        sums = [*self.scalars, *(f"use({name}, {size})" for name, size in self.arrays.items()),
                "*m[0] + *m[1] + *m[2] + *m[3]",
                *(f"*{name}" for name in self.pointers)]
        lines.append(f"uint64_t sum = {' ^ '.join(f'({text}) * {2 * n + 3}u' for n, text in enumerate(sums))};")
        if function.returns:
            lines += [f"struct s{function.returns} o; memset(&o, 0, sizeof o);",
                      f"o.w[0] = sum; o.w[{function.returns - 1}] += x; return o;"]
        else:
            lines.append("return sum;")
        return "\n".join(f"    {line}" for line in lines)


def program(number):
    """The text of one program, and the names of its growable functions."""
    draw = random.Random(f"stack program {number}")
    functions = [Function(draw, number, n) for n in range(draw.randint(2, 5))]
    declared = "".join(f"__attribute__((visibility(\"hidden\"))) {f.type} {f.name}({f.parameters()});\n"
                       for f in functions)
    text = declared
    for f in functions:
        unused = "    (void) a, (void) b, (void) x, (void) fuel;\n"
        text += (f"AMP_GROWS({f.type}, {f.name}, FRAME_{f.name}, {f.parameters()})\n"
                 f"{{\n{unused}{Body(draw, f, functions).text()}\n}}\n")
    first = functions[0]
    arguments = ["r", "q", "7u",
                 str(draw.randint(2, 5))] + ["v"] * bool(first.by_value) + ["1.5"] * first.real + ["m"] * first.table
    value = f"struct s{first.by_value} v; memset(&v, 1, sizeof v); " if first.by_value else ""
    table = "uint64_t *m[4] = { r, q, r + 1, q + 2 }; " if first.table else ""
    call = f"{first.name}({', '.join(arguments)})"
    result = f"sum = {call};"
    if first.returns:
        result = f"struct s{first.returns} o = {call}; sum = use(o.w, {first.returns});"
    name = f"p{number}_main"
    text += (f"AMP_GROWS(uint64_t, {name}, FRAME_{name}, void "
             f"*arg)\n{{\n    uint64_t r[4] = {{ 1, 2, 3, 4 }}, q[4] = {{ 5, 6, 7, 8 }}, sum;\n"
             f"    (void) arg;\n    {value}{table}{result}\n    return sum + use(r, 4) + 3 * use(q, 4);\n}}\n")
    return text, [*(f.name for f in functions), name]


def batch(numbers):
    """One C file with many programs and a main() that runs each natively and on stacks that move."""
    made = [program(number) for number in numbers]
    mains = ", ".join(f"p{number}_main" for number in numbers)
    return HEAD + "".join(text for text, _ in made) + TAIL.format(mains=mains, first=numbers[0])

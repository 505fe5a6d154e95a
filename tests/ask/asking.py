# SPDX-License-Identifier: MIT
"""A header to ask about."""
import os
import platform
import subprocess
import sys

import pytest

from ask.types import compiler as compilers, subject as subjects
from places import ROOT
from waiting import HANGS_S

CC = os.environ.get("CC") or "cc"
x86_64 = pytest.mark.skipif(platform.machine() != "x86_64", reason="the experiment knows the System V ABI for x86-64")

HEADER = """
#include <stdint.h>
struct declared;
struct order { int id; double price; };
typedef struct order order_t;
typedef const struct order const_order;
typedef int numbers[4];
typedef struct hidden opaque;
typedef int function(int);
struct flexible { int n; char text[]; };
struct holds_flexible { int a; struct flexible last; };
struct has_const { const int a; int b; };
struct has_volatile { int a; struct { volatile int x; } in; };
struct has_atomic { _Atomic int x; };
struct over { _Alignas(64) int a; };
struct huge { char b[2000000]; };
struct bits { unsigned a : 3, b : 13; int c; unsigned : 4; unsigned d : 9; };
union either { int i; double d; char c[12]; };
struct padded { char a; int b; char c; double d; char e; };
struct nest { struct padded p[2]; short s; };
struct page { char b[4096]; };
struct empty { };
struct blank { int : 32; };
"""


def compiler_in(folder, cc=CC, flags="", include=()):
    return compilers.make(cc, include, flags, folder)


def study(folder, header, name, **how):
    return subjects.study(compiler_in(folder, **how), str(header), name)


def ask(*words, **how):
    return subprocess.run([sys.executable, "-m", "ask", *map(str, words)], cwd=ROOT, text=True, capture_output=True,
                          stdin=subprocess.DEVNULL, timeout=HANGS_S, **how)


# ---- The advice

def row(pair="pass", estimate=1.0, low=None, high=None, verdict="undecided", failed=None, within=None, value_ns=10.0):
    times = None if estimate is None else {"estimate": estimate, "low": low, "high": high}
    return {"pair": pair, "ratio": times, "value_ns_per_op": {"estimate": value_ns}, "verdict": verdict,
            "failed": failed, "equal_within": within}

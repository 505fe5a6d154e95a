# SPDX-License-Identifier: MIT
"""What is typed behind `ask`; a hint where words stand there without quotes, in another order, or for the compiler."""

import argparse
import itertools
import os
import re
import shlex

from ask.types import cpp_class
from plots.program.command_line import Parser, joined, no_such_flag

LAUNCHES = 13
MOST_CALLS = 64
OWN = ("-I", "-D", "--cc", "--cflags", "--launches", "--seed", "--json", "--facts", "--reads", "--writes", "--alias",
       "--depth", "--functions", "--c++", "-x", "--make", "--link")
PROFILE = ("reads", "writes", "alias", "depth")
PARTS = ("struct", "union", "enum", "const", "volatile", "unsigned", "signed", "long", "short")  # a type goes on behind
COMPILERS = re.compile(r"--(std|param|target|sysroot|coverage|save-temps)\b")


def whole_number(low, high):
    def read(word):
        if not word.isascii() or not word.isdigit() or len(word) > 20 or not low <= int(word) <= high:
            raise argparse.ArgumentTypeError(f"{shown(word)} is not a whole number from {low} to {high}")
        return int(word)
    return read


def reads(word):
    return "all" if word == "all" else whole_number(1, 1 << 20)(word)


def parse(words):
    parser = Parser(prog="ask", allow_abbrev=False, add_help=False)
    parser.add_argument("-I", action="append", default=[], dest="folders")
    parser.add_argument("-D", action="append", default=[], dest="macros")
    parser.add_argument("--cc")
    parser.add_argument("--cflags")
    parser.add_argument("--c++", action="store_const", const="c++", dest="language")
    parser.add_argument("-x", choices=("c", "c++"), dest="language")
    parser.add_argument("--make")
    parser.add_argument("--link", action="append", default=[])
    parser.add_argument("--launches", type=whole_number(1, 1000), default=LAUNCHES)
    parser.add_argument("--seed", type=whole_number(0, (1 << 53) - 1))
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--facts", action="store_true")
    parser.add_argument("--reads", type=reads)
    parser.add_argument("--writes", action="store_true")
    parser.add_argument("--alias", action="store_true")
    parser.add_argument("--depth", type=whole_number(1, MOST_CALLS))
    parser.add_argument("--functions", action="store_true")
    end = words.index("--") if "--" in words else len(words)
    args, more = parser.parse_known_args(joined(words[:end], ("--cflags", "--cc", "-D", "-I", "--make", "--link")))
    bare = [word for word in more if not word.startswith("-")][:2]
    for word in bare:
        more.remove(word)
    bare += words[end + 1:]
    args.header, args.type, *_ = *bare, None, None
    more = bare[2:] + more
    flags = [word for word in more if word.startswith("-")]
    wrong = (_of_functions(args) if args.functions and not flags else
             hint(args.header, args.type, more, args.cflags or ""))
    if wrong:
        parser.error(wrong)
    wrong = _of_language(args)
    if wrong:
        parser.error(wrong)
    return args


def _of_language(args):
    """Settle the language, and what follows from it; what is wrong with flags that belong to the other one, or ""."""
    args.language = args.language or ("c++" if cpp_class.is_cpp(args.header) else "c")
    compiler, flags = ("CXX", "CXXFLAGS") if args.language == "c++" else ("CC", "CFLAGS")
    if args.cc is None:
        args.cc = os.environ.get(compiler) or os.environ.get("CC") or ("c++" if args.language == "c++" else "cc")
    args.cflags = os.environ.get(flags, "") if args.cflags is None else args.cflags
    of_c = next((f"--{flag}" for flag in (*PROFILE, "functions") if getattr(args, flag)), None)
    if args.language == "c++" and of_c:
        return f"{of_c} is about C, and {shown(args.header)} is taken for C++ (-x c takes it for C)"
    if args.language == "c" and (args.make or args.link):
        return f"{'--make' if args.make else '--link'} is about classes of C++: --c++ takes a header for C++"
    return ""


def shown(word):
    """A word as one would type it, without what a terminal takes for a command; not endless."""
    word = "".join(c if c.isprintable() else "?" for c in word)
    return shlex.quote(word if len(word) <= 80 else word[:77] + "...")


def hint(header, kind, more, flags=""):
    """What is wrong with these words, and what was probably meant; "" if nothing is. `flags`: of --cflags."""
    if header is None:
        return "which header, which type? As in: ask order.h 'struct order'"
    if not is_header(header) and (is_type(header) or is_header(kind)):
        bare = [word for word in (header, kind, *more) if word and not word.startswith("-")]
        file = next((word for word in bare if is_header(word)), "HEADER")
        name = " ".join(word for word in bare if word != file) if header in PARTS else header
        return f"the header comes first: ask {shown(file)} {shown(name)}"
    if kind is None:
        return f"which type? As in: ask {shown(header)} 'struct order'"
    bare = list(itertools.takewhile(lambda word: not word.startswith("-"), more))
    if bare and (kind in PARTS or kind.split()[-1:] == ["*"] or re.fullmatch(r"[\s*\[\]\d]+", bare[0])):
        name = " ".join([kind, *bare])
        return f"{shown(name)} is one word, in quotes: ask {shown(header)} {shown(name)}"
    if bare:
        return f"{shown(bare[0])} is one word too many: a header and a type, as in: ask order.h 'struct order'"
    return _of_a_flag(more, flags) if more else ""


def _of_a_flag(more, flags):
    if not more[0].startswith("--") or COMPILERS.match(more[0]):
        together = shown(" ".join([*flags.split(), *more]))
        return f"{shown(more[0])}: the compiler's flags go into one word: --cflags {together}"
    return no_such_flag(more[0], OWN, shown)


def _of_functions(args):
    """--functions takes a header alone."""
    if args.header is None:
        return "which header? As in: ask order.h --functions"
    own = next((f"--{flag}" for flag in PROFILE if getattr(args, flag)), None)
    if args.type is not None or own:
        return (f"--functions is about all functions of a header, without {own or shown(args.type)}: ask "
                f"{shown(args.header)} --functions")
    return ""


def is_header(word):
    """Whether a word names a file, or is spelled as one."""
    return word is not None and (os.path.isfile(word) or word.endswith((".h", ".c", *cpp_class.SUFFIXES))
                                 or word.startswith("<") or word.endswith(">") and "<" not in word)


def is_type(word):
    """Whether a word begins as a type does."""
    return word.split()[:1] != [] and word.split()[0] in PARTS

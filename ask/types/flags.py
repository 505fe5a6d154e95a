# SPDX-License-Identifier: MIT
"""The user's flags, sorted by what they do: those that are used, and for what; those that are left out, and are said to
be; those that are refused, by name."""

import re

from plots.program.errors import Refused, one_line

# A flag whose value is the next word.
WITH_VALUE = {"-D", "-U", "-I", "-A", "-include", "-include-pch", "-imacros", "-isystem", "-iquote", "-idirafter",
              "-iprefix", "-iwithprefix", "-iwithprefixbefore", "-isysroot", "--sysroot", "-Xpreprocessor",
              "-Xassembler", "-Xlinker", "-Xclang", "-mllvm", "--param", "-L", "-l", "-T", "-u", "-z", "-e", "-B",
              "-MF", "-MT", "-MQ", "-MJ", "-target", "-aux-info", "-dumpbase", "-dumpbase-ext", "-dumpdir", "-specs",
              "-wrapper", "-arch", "-o", "-x", "-index-store-path", "-serialize-diagnostics",
              "--serialize-diagnostics", "-working-directory"}

PREPROCESSOR = re.compile(r"-[DUIAPC]|-i(nclude|macros|system|quote|dirafter|prefix|withprefix)|-nostdinc|-undef$|-Wp,|"
                          r"-Xpreprocessor|-traditional|-trigraphs$|-f(macro-prefix-map|directives-only|preprocessed)")
# What changes how C is read, how types are laid out, or what is seen from outside: never of the harness's own code.
LANGUAGE = re.compile(r"-std=|--std|-ansi$|-f(no-)?(pack-struct|short-enums|short-wchar|(un)?signed-(char|bitfields)|"
                      r"ms-extensions|plan9-extensions|asm$|gnu89-inline|visibility|common|leading-underscore|openmp|"
                      r"openacc|blocks|char8_t)|-m(no-)?(ms-bitfields|long-double|align-double|128bit-long-double|"
                      r"96bit-long-double)")
TARGET = re.compile(r"-m|--?target|--sysroot|-isysroot|-B|-fsplit-stack|-specs")  # the linker must know it, too

# For debuggers and readers of messages: no code changes, so nothing is said about them.
APART = re.compile(r"-g|-f(no-)?(debug-|emit-struct-debug|var-tracking|eliminate-unused-debug|standalone-debug|"
                   r"limit-debug-info|diagnostics|color|message-length|max-errors|caret)|-ferror-limit|"
                   r"-W(?!a,|p,|l,)|-w$|-R|-pedantic|-[HvQ]$|-pipe$|--?(verbose|serialize-diagnostics|"
                   r"index-store-path)")

LEFT_OUT = (
    (re.compile(r"-pg?$|-m(no-)?(fentry|record-mcount|nop-mcount)|--?coverage$|-f(no-)?(profile|auto-profile|"
                r"test-coverage|instrument-functions|patchable-function-entry|xray|branch-probabilities|cs-profile)"),
     "what counts, traces or foretells calls belongs to your program"),
    (re.compile(r"-M|-Wp,.*-M|--?save-temps|-f(no-)?(dump-|stack-usage|callgraph-info|time-trace|time-report|"
                r"mem-report|proc-stat-report|save-optimization-record|optimization-record|opt-info|crash-diagnostics|"
                r"compare-debug|(implicit-)?modules)|-aux-info|-d(umpbase|umpdir|[A-Z]|[apx]$)|-time|"
                r"-Wa,.*(-a|-M|--MD|--listing)|-working-directory"),
     "nothing is written but the answer"),
    (re.compile(r"-Wl,|-Xlinker|-[lLTze]|-u(?!ndef)|-nostdlib|-nodefaultlibs|-nostartfiles|-nolibc|-no-pie$|-pie$|"
                r"-static|-shared|-rdynamic|-s$|-f(no-)?(use-ld|use-linker-plugin)"),
     "ask does the linking"),
    (re.compile(r"-f(no-)?(lto|fat-lto|whole-program)"), "each lesson is compiled by itself"),
)

REFUSED = (
    (re.compile(r"-fsanitize"), "what a sanitizer adds would be measured, too"),
    (re.compile(r"-[cSE]$|-o|-r$|-x|-fsyntax-only|-###|--?(help|version|target-help|print|analyze|emit-)|"
                r"-dump(machine|version|fullversion|specs)"), "says what is to be made, which is ask's to say"),
    (re.compile(r"-mabi=(?!sysv)"), "changes how calls pass arguments, and ask calls the C library"),
    (re.compile(r"@"), "is a file of flags: write here what is in it"),
    (re.compile(r"(?!-.)"), "is no flag"),
    (re.compile(r"-X(preprocessor|clang|assembler) .*(-M|-dependency|-dep-|-a|-o|--MD|-emit|-serialize)"),
     "may write a file of its own"),
)


def groups(words):
    """Each flag with its value."""
    found, words = [], iter(words)
    for word in words:
        value = next(words, None) if word in WITH_VALUE else None
        found.append((word,) if value is None else (word, value))
    return found


def sort(words):
    """(words that are used, [(words left out, why)]); Refused, naming it, where one cannot be taken."""
    used, left_out = [], []
    for group in groups(words):
        flag = " ".join(group)
        for refused, why in REFUSED:
            if refused.match(flag):
                raise Refused("--cflags", f"{one_line(flag, 120) or repr(flag)}: {why}; leave it out")
        if len(group) == 1 and flag in WITH_VALUE:
            raise Refused("--cflags", f"{flag}: needs a value")
        why = next((why for kind, why in LEFT_OUT if kind.match(flag)), None)
        if why:
            left_out.append((flag, why))
        elif not APART.match(flag):
            used += group
    return tuple(used), tuple(left_out)


def but(words, *kinds):
    return tuple(word for group in groups(words) if not any(kind.match(group[0]) for kind in kinds) for word in group)


def only(words, kind):
    return tuple(word for group in groups(words) if kind.match(group[0]) for word in group)

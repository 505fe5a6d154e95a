# SPDX-License-Identifier: MIT
"""Why a header does not compile as C, beyond the compiler's own words: what would help it, or that it is C++.

That g++ takes it proves nothing: it defines _GNU_SOURCE, knows bool and wchar_t unasked, and its -std is another. So
first what helps C is tried; and C++ is only said of a header that g++ takes and that uses C++'s own words."""

import glob
import re
import shlex

MACROS = ("_DEFAULT_SOURCE", "_GNU_SOURCE", "_XOPEN_SOURCE=700")
HEADERS = ("stddef.h", "stdint.h", "stdbool.h", "sys/types.h", "stdio.h", "stdarg.h", "limits.h", "time.h",
           "sys/time.h", "sys/socket.h", "netinet/in.h", "pthread.h", "wchar.h", "uchar.h", "stdalign.h",
           "stdnoreturn.h", "assert.h",
           "threads.h", "stdatomic.h", "signal.h", "math.h", "complex.h", "errno.h")
HELPS = (*(("-D", macro) for macro in MACROS), ("-std=gnu11",), *(("-include", header) for header in HEADERS))
SIMPLE = r"(?:const|volatile|struct|unsigned|char|short|int|long|float|double|size_t|u?int\d+_t)"
WORDS = re.compile(rf"""
    \b(?:class|typename|virtual|mutable|friend|explicit|constexpr|noexcept|decltype|namespace)\b | \btemplate\s*<
    | \busing\s+\w | \boperator\s*[^\w\s;,)=] | \w\s*::\s*\w | \bextern\s*"C | \b(?:public|private|protected)\s*:
    | \b{SIMPLE}\s[\w\s]*&&?\s*\w*\s*[,)] | \bstruct\s+\w+\s*(?:final\s*)?:\s*\w[\w\s,<>]*\{{ """, re.X)
INCLUDED_BELOW = ("/usr/include/*", "/usr/include/*/*", "/usr/local/include/*")  # packages' own folders
MISSING = re.compile(r"error: '?([^':]+)'?(?:: No such file| file not found)")
STANDARD_HEADER = re.compile(r"error: '?[a-z_]+'?(: No such file| file not found)")  # <vector>, without .h


def because(error, compiles, text):
    """(words that follow the compiler's error, as in "; with -D _GNU_SOURCE it does"; whether it is C++).

    compiles(flags, language)   whether the header does with these flags behind the user's, as "c" or as "c++"
    text()                      what the header says itself: as the preprocessor leaves it, else as it is written"""
    missing = MISSING.search(error)
    helped = (_folder_of(missing[1], lambda flags: compiles(flags, "c")) if missing
              else _helped(lambda flags: compiles(flags, "c")))
    if helped:
        return f"; with {as_typed(helped)} it does", False
    if not compiles((), "c++"):
        return "", False
    if STANDARD_HEADER.search(error) or WORDS.search(without_comments(text())):
        return "", True
    return "; as C++ it does: ask with --c++", False


def for_a_type(compiles):
    """The same of a type that its header does not have, or does not have whole."""
    flags = next((flags for flags in HELPS if flags[0] == "-D" and compiles(flags)), None)
    return f"; with {as_typed(flags)} it does" if flags else ""


def _helped(compiles):
    """The fewest flags, of HELPS, with which it compiles; () where all of them do not help."""
    if not compiles(sum(HELPS, ())):
        return ()
    for flags in HELPS:
        if compiles(flags):
            return flags
    needed = list(HELPS)
    for flags in reversed(HELPS):  # the plainest come first, and are kept
        rest = [one for one in needed if one is not flags]
        if compiles(sum(rest, ())):
            needed = rest
    return sum(needed, ())


def _folder_of(header, compiles):
    """The folder of the system's in which this header is, if that is all that is missing."""
    folders = [found.removesuffix(f"/{header}") for below in INCLUDED_BELOW
               for found in sorted(glob.glob(f"{below}/{glob.escape(header)}"))]
    return next((("-I", folder) for folder in folders if compiles(("-I", folder))), ())


def as_typed(flags):
    """As one gives them to ask."""
    words = " ".join(flags)
    return words if flags[0] in ("-D", "-I") and len(flags) == 2 else f"--cflags {shlex.quote(words)}"


def without_comments(text):
    """The text without comments, and without what is there for C++ anyhow."""
    text = re.sub(r"/\*.*?\*/|//[^\n]*", " ", text, flags=re.S)
    text = re.sub(r"^[ \t]*#[ \t]*if(def[ \t]+|[ \t]+defined\W*)__cplusplus.*?^[ \t]*#[ \t]*(endif|else)", " ", text,
                  flags=re.S | re.M)
    return re.sub(r"^[ \t]*#.*$", " ", text, flags=re.M)


def of_the_header(preprocessed):
    """Of a file behind the preprocessor the lines that come from no header of the system."""
    lines, system = [], False
    for line in preprocessed.splitlines():
        marker = re.match(r'# \d+ ".*"(.*)', line)
        if marker:
            system = "3" in marker[1].split()
        elif not system:
            lines.append(line)
    return "\n".join(lines)

# SPDX-License-Identifier: MIT
"""The user's compiler with the user's flags, and what it says."""

import os
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from plots.documents import Refused, one_line

# A flag whose value is the next word.
WITH_VALUE = {"-D", "-U", "-I", "-A", "-include", "-imacros", "-isystem", "-iquote", "-idirafter", "-iprefix",
              "-iwithprefix", "-iwithprefixbefore", "-isysroot", "--sysroot", "-Xpreprocessor", "-Xassembler",
              "-Xlinker", "-Xclang", "-mllvm", "--param", "-L", "-l", "-T", "-u", "-z", "-e", "-B", "-MF", "-MT", "-MQ",
              "-MJ", "-target", "-aux-info", "-dumpbase", "-dumpdir", "-specs", "-wrapper"}
# What is made for others than the processor: debuggers, link-time optimisers, readers of messages.
APART = re.compile(r"-g|-f(no-)?(lto|fat-lto|use-linker-plugin|whole-program|debug-|emit-struct-debug|var-tracking|"
                   r"eliminate-unused-debug|standalone-debug|limit-debug-info|diagnostics|color|message-length|max-errors"
                   r"|caret)|-ferror-limit|-W(?!a,|p,|l,)|-w$|-pedantic|-H$|-v$|-pipe$")
# What counts or traces calls: it would be measured with the rest.
TRACING = re.compile(r"-pg?$|-m(no-)?(fentry|record-mcount|nop-mcount)|--?coverage$|-f(no-)?(profile|test-coverage|"
                     r"instrument-functions|patchable-function-entry|xray|branch-probabilities)")
PREPROCESSOR = re.compile(r"-[DUIAPC]|-i(nclude|macros|system|quote|dirafter|prefix|withprefix)|-nostdinc|-undef$|-Wp,|"
                          r"-Xpreprocessor|-traditional|-trigraphs$|-f(macro-prefix-map|directives-only|preprocessed)")
# What changes how C is read, how types are laid out, or what is seen from outside: never of the harness's own code.
LANGUAGE = re.compile(r"-std=|--std|-ansi$|-f(no-)?(pack-struct|short-enums|short-wchar|(un)?signed-(char|bitfields)|"
                      r"ms-extensions|plan9-extensions|asm$|gnu89-inline|visibility|common|leading-underscore|openmp|"
                      r"openacc|blocks|char8_t)|-m(no-)?(ms-bitfields|long-double|align-double|128bit-long-double|"
                      r"96bit-long-double)")
LINKING = re.compile(r"-Wl,|-Xlinker|-[lLTuze]|-nostdlib|-nodefaultlibs|-nostartfiles|-nolibc|-no-pie|-pie|-static|-rdynamic|"
                     r"-s$|-fuse-ld")
TARGET = re.compile(r"-m|--?target|--sysroot|-isysroot|-B|-fsplit-stack|-fuse-ld|-specs")  # the linker must know it, too


@dataclass(frozen=True)
class Compiler:
    """The flags have three uses, and each leaves out what does not belong to it:

      facts    the user's header: every flag that bears on what it says, and none of ours
      lesson   code about a type that is rebuilt from those facts: optimisation, target, calling convention
      link     what the linker has to know of the target"""

    command: tuple  # --cc, in words
    include: tuple  # -I and -D, as given
    flags: tuple    # --cflags, in words
    folder: Path    # for what is made

    @property
    def name(self):
        return shlex.join(self.command)

    def _but(self, *kinds, of=None):
        return tuple(word for group in groups(self.flags if of is None else of)
                     if not any(kind.match(group[0]) for kind in kinds) for word in group)

    @property
    def facts(self):
        return (*self._but(APART, TRACING, LINKING), *self.include)

    @property
    def facts_behind_preprocessor(self):
        return self._but(PREPROCESSOR, of=self.facts)

    @property
    def lesson(self):
        return self._but(APART, TRACING, LINKING, PREPROCESSOR, LANGUAGE)

    @property
    def link(self):
        return tuple(word for group in groups(self.flags) if TARGET.match(group[0]) for word in group)

    @property
    def left_out(self):
        """Flags whose effect is not measured, as given."""
        return tuple(" ".join(group) for group in groups(self.flags) if TRACING.match(group[0]))

    def run(self, *words, language=None, timeout_s=60):
        """(status, messages) of one call."""
        words = [*self.command, *(("-x", language) if language else ()), *words]
        try:
            done = subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, errors="replace", timeout=timeout_s, check=False,
                                  env={**os.environ, "LC_ALL": "C"})
        except OSError as error:
            raise Refused(f"--cc {self.name}", error.strerror) from None
        except subprocess.TimeoutExpired:
            raise Refused(f"--cc {self.name}", f"no answer after {timeout_s} s") from None
        return done.returncode, done.stdout

    def version(self):
        """gcc 12.2.0, clang 14.0.6."""
        status, text = self.run("--version")
        if status:
            raise Refused(f"--cc {self.name}", "does not know --version: neither gcc nor clang")
        number = re.search(r"\b(\d+\.\d+(\.\d+)?)\b", text)
        kind = "clang" if "clang" in text.split("\n")[0] else "gcc" if "Free Software" in text else self.command[0]
        return f"{kind} {number[1]}" if number else kind


def groups(words):
    """Each flag with its value."""
    found, words = [], iter(words)
    for word in words:
        value = next(words, None) if word in WITH_VALUE else None
        found.append((word,) if value is None else (word, value))
    return found


def make(command, include, flags, folder):
    """A Compiler, or Refused where the words cannot be taken as they are."""
    try:
        words, given = shlex.split(command), shlex.split(flags)
    except ValueError as error:
        raise Refused("--cflags" if command else "--cc", f"{one_line(flags)}: {error}") from None
    if not words:
        raise Refused("--cc", "its value is empty")
    if not shutil.which(words[0]):
        raise Refused(f"--cc {words[0]}", "no such command")
    for flag in given:
        if flag.startswith("-fsanitize"):
            raise Refused("--cflags", f"{flag}: what a sanitizer adds would be measured, too; leave it out")
        if flag in ("-c", "-S", "-E", "-o", "-shared", "-static", "-fsyntax-only", "-x", "-M", "-MM"):
            raise Refused("--cflags", f"{flag}: says what is to be made, which is ask's to say; leave it out")
    return Compiler(tuple(words), tuple(include), tuple(given), folder)


def first_error(text):
    """The compiler's first error, without the folders before the file's name; "" where it names none."""
    lines = [line for line in text.splitlines() if re.search(r"\b(fatal )?error\b", line)]
    found = lines[0] if lines else next((line for line in text.splitlines() if line.strip()), "")
    more = len(lines) - 1
    return one_line(found, 260) + (f" (and {more} more)" if more > 0 else "")

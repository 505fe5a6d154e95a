# SPDX-License-Identifier: MIT
"""The user's compiler with the user's flags, and what it says."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

from ask.types import children, flags as kinds
from plots.program.errors import Refused, one_line

# Variables by which a compiler writes files, or lists, that nobody asked ask for.
WRITING = re.compile(r"DEPENDENCIES_OUTPUT|SUNPRO_DEPENDENCIES|CC_PRINT_|CC_LOG_|GCC_EXTRA_DIAGNOSTIC_OUTPUT")
# And those by which it finds headers: the user's, which stand before the C library's in sources of ours, too.
INCLUDING = re.compile(rf"{WRITING.pattern}|CPATH$|C_INCLUDE_PATH$")


@dataclass(frozen=True)
class Compiler:
    """The flags have three uses, and each leaves out what does not belong to it:

      facts    the user's header: every flag that bears on what it says, and none of ours
      lesson   code about a type that is rebuilt from those facts: optimisation, target, calling convention
      link     what the linker has to know of the target"""

    command: tuple  # --cc, in words
    include: tuple  # -I and -D, as given
    flags: tuple    # of --cflags what is used, in words
    folder: Path    # for what is made
    left_out: tuple = ()  # of --cflags: (flag, why)
    language: str = "c"   # or c++

    @property
    def name(self):
        return shlex.join(self.command)

    @property
    def is_cpp(self):
        return self.language == "c++"

    @property
    def of_c(self):
        """The same for code of ours in C, with the flags that bear on it."""
        if not self.is_cpp:
            return self
        return replace(self, command=(*self.command, "-x", "c"), include=(), flags=self.lesson, language="c")

    @property
    def facts(self):
        return (*self.flags, *self.include)

    @property
    def facts_behind_preprocessor(self):
        return kinds.but(self.facts, kinds.PREPROCESSOR)

    @property
    def lesson(self):
        return kinds.but(self.flags, kinds.PREPROCESSOR, kinds.LANGUAGE)

    @cached_property
    def plain(self):
        """What turns off the hardening that a distribution's compiler adds unasked, as kernel_args does it."""
        return ("-U_FORTIFY_SOURCE", *(flag for flag in HARDENING_OFF.read_text().split() if self.run(
            "-Werror", flag, "-fsyntax-only", os.devnull, language="c")[0] == 0))

    @property
    def link(self):
        return kinds.only(self.flags, kinds.TARGET)

    def run(self, *words, language=None, timeout_s=60, cwd=None, without=WRITING):
        """(status, messages) of one call; `without`: variables that it does not see."""
        words = [*self.command, *(("-x", language) if language else ()), *words]
        environment = {name: value for name, value in os.environ.items() if not without.match(name)}
        try:
            done = children.run(words, timeout_s, stderr=subprocess.STDOUT, cwd=cwd,
                                env={**environment, "LC_ALL": "C", "TMPDIR": str(self.folder)})
        except OSError as error:
            raise Refused(f"--cc {self.name}", error.strerror) from None
        except subprocess.TimeoutExpired:
            raise Refused(f"--cc {self.name}", f"no answer after {timeout_s} s") from None
        return done.returncode, done.stdout

    def compile(self, what, source, made, words, symbol=None):
        """Make an object file of `source` with the flags words(self); Refused, naming the flag that is to blame, where
        there is none that can be used here. `symbol`: what it has to define."""
        why = self.without_object(source, made, words, symbol)
        if why:
            raise Refused(what, why + self.blame(lambda other: not other.without_object(source, made, words, symbol)))

    def without_object(self, source, made, words, symbol=None, cwd=None):
        """"", or why no usable object was made."""
        Path(made).unlink(missing_ok=True)
        ours = Path(source).is_relative_to(ROOT)
        status, said = self.run(*words(self), "-c", source, "-o", made, cwd=cwd, without=INCLUDING if ours else WRITING)
        if status and ours:  # the C library itself may be found by these variables alone
            status, said = self.run(*words(self), "-c", source, "-o", made, cwd=cwd)
        if status:
            return because(said) or f"{self.name} ended {ending(status)}"
        return unusable(made, symbol)

    def blame(self, works):
        """Words about the flag that alone hinders, or without which the rest does not; "" where there is none."""
        groups = kinds.groups(self.flags)
        if not groups or not self._works_with([], works):
            return ""
        for group in groups:
            if not self._works_with([group], works):
                return f", because of {' '.join(group)}: leave it out"
        for i, group in enumerate(groups):
            if self._works_with(groups[:i] + groups[i + 1:], works):
                return f", because of {' '.join(group)}: leave it out"
        return ""

    def _works_with(self, groups, works):
        try:
            return works(replace(self, flags=tuple(word for group in groups for word in group)))
        except Refused:
            return False

    @cached_property
    def is_clang(self):
        return self.version().startswith("clang")

    @cached_property
    def objcopy(self):
        """The one that belongs to the compiler, which another machine's would need."""
        found = shutil.which(self.run("-print-prog-name=objcopy")[1].strip()) or shutil.which("objcopy")
        if not found:
            raise Refused("objcopy", "no such command: it comes with the linker, in binutils")
        return found

    def version(self):
        """gcc 12.2.0, clang 14.0.6."""
        status, text = self.run("--version")
        if status:
            raise Refused(f"--cc {self.name}", "does not know --version: neither gcc nor clang")
        number = re.search(r"\b(\d+\.\d+(\.\d+)?)\b", text)
        kind = "clang" if "clang" in text.split("\n")[0] else "gcc" if "Free Software" in text else self.command[0]
        return f"{kind} {number[1]}" if number else kind


AS_TYPED = {"encoding": sys.getfilesystemencoding(), "errors": "surrogateescape"}  # a file with words of the user's
ROOT = Path(__file__).resolve().parents[2]
HARDENING_OFF = ROOT / "benchmarks/hardening_off.txt"
PROBE = """#ifdef __cplusplus
#error this compiles C++: name a compiler of C
#endif
extern int amp_probe;
int amp_probe = 1;
"""
PROBE_CPP = "extern int amp_probe;\nint amp_probe = 1;\n"
OF_CPP = {"cc": "c++", "gcc": "g++", "clang": "clang++"}  # the name by which a compiler of C links C++, too


def make(command, include, flags, folder, language="c"):
    """A Compiler, or Refused where the words cannot be taken as they are."""
    words, given = _split("--cc", command), _split("--cflags", flags)
    if words and language == "c++":
        words[0] = re.sub(r"(?<![^/-])(cc|gcc|clang)(?=(-[\d.]+)?$)", lambda found: OF_CPP[found[0]], words[0])
    if not words:
        raise Refused("--cc", "its value is empty")
    if not shutil.which(words[0]):
        raise Refused(f"--cc {words[0]}", "no such command")
    n = next((i for i, word in enumerate(words) if i and word.startswith("-")), len(words))  # flags may stand there
    used, left_out = kinds.sort([*words[n:], *given])
    compiler = Compiler(tuple(words[:n]), tuple(include), used, folder, left_out, language)
    _probe(compiler)
    return compiler


def _split(flag, words):
    try:
        return shlex.split(words)
    except ValueError as error:
        raise Refused(flag, f"{one_line(words, 120)}: {error}") from None


def _probe(compiler):
    """Compile a file of one variable, in an empty folder: whatever these flags do instead or besides shows there."""
    place, source = compiler.folder / "probe", compiler.folder / ("probe.cpp" if compiler.is_cpp else "probe.c")
    source.write_text(PROBE_CPP if compiler.is_cpp else PROBE)
    place.mkdir(exist_ok=True)

    def fault(other):
        why = other.without_object(source, place / "probe.o", lambda one: kinds.but(one.flags, kinds.PREPROCESSOR),
                                   "amp_probe", cwd=place)
        more = [path for path in place.iterdir() if path.name != "probe.o"]
        for path in more:
            path.unlink()
        return why or (f"{more[0].name} is written beside the object file" if more else "")

    why = fault(compiler)
    if why and fault(replace(compiler, flags=())):
        raise Refused(f"--cc {compiler.name}", why)
    if why:
        raise Refused("--cflags", why + compiler.blame(lambda other: not fault(other)))


def unusable(made, symbol=None):
    """Why a file is no object file of this machine that defines the symbol; "" if it is one."""
    try:
        with open(made, "rb") as file:
            elf = ELFFile(file)
            if elf.elfclass != 64 or elf["e_machine"] != own_machine():
                return f"makes code for {elf.get_machine_arch()}, {elf.elfclass} bits, which this machine does not run"
            symbols = elf.get_section_by_name(".symtab")
            found = symbols.get_symbol_by_name(symbol) if symbols and symbol else None
            if elf["e_type"] != "ET_REL" or symbol and not (found and found[0]["st_shndx"] != "SHN_UNDEF"):
                return "makes another file than an object file with the code in it"
    except FileNotFoundError:
        return "makes no object file"
    except ELFError:
        return "makes another file than an ELF object file"
    return ""


def own_machine():
    with open("/proc/self/exe", "rb") as file:
        return ELFFile(file)["e_machine"]


def ending(status):
    """In words: with status 1, by SIGSEGV."""
    if status >= 0:
        return f"with status {status}"
    return f"by {signal.Signals(-status).name}" if -status in list(signal.Signals) else f"by signal {-status}"


def first_error(text):
    """The first error of a compiler or a linker, without the folders before the file's name; "" where it names none."""
    lines = [line for line in text.splitlines() if re.search(r"\b(fatal )?error\b|: undefined reference to ", line)]
    found = lines[0] if lines else next((line for line in text.splitlines() if line.strip()), "")
    more = len(lines) - 1
    return one_line(found, 260) + (f" (and {more} more)" if more > 0 else "")


def because(text):
    """The same without its place, which is in a file of ours."""
    return re.sub(r"^.*?(\b(fatal )?error: |: (?=undefined reference))", "error: ", first_error(text))

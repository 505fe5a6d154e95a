# SPDX-License-Identifier: MIT
"""The functions of a header that take or return a struct or union by value.

Which words of the header name functions is the compiler's to say: each word before a parenthesis gets a line that
declares a pointer to it, and those that it refuses are none. What the functions take is read from what the compiler
writes for debuggers of these pointers. Nothing is called or linked, so functions need no body, and may be inline."""

import os
import re
from dataclasses import dataclass, replace

from elftools.common.exceptions import DWARFError, ELFError

from ask.types import facts, members, subject
from ask.types.compiler import because
from plots.program.errors import Refused

BEGIN = "amp_the_header_begins"
MARKER = re.compile(r'^# \d+ "((?:[^"\\]|\\.)*)"([ \d]*)$')
PARTS = re.compile(r"""([{}])|\b([A-Za-z_]\w*)\s*\(|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'""")
# Where headers of all kinds lie together: what a header here includes is not its own.
COMMON = re.compile(r"/include$|/[\w.]+-linux-\w+$")
KEYWORDS = frozenset("""if while for switch return sizeof do else case default goto typedef struct union enum static
    extern inline const volatile restrict void char short int long float double signed unsigned _Alignas _Alignof
    _Atomic _Generic _Static_assert _Noreturn typeof asm __asm __asm__ __attribute __attribute__ __typeof __typeof__
    __extension__ __alignof __alignof__ __declspec""".split())


@dataclass(frozen=True, eq=False)
class Argument:
    """A parameter or a result. `name`: by which a struct or union can be asked about; "" for all else."""
    use: members.Use
    name: str


@dataclass(frozen=True, eq=False)
class Function:
    name: str
    takes: tuple
    returns: Argument | None  # None: void

    @property
    def by_value(self):
        return [one for one in (*self.takes, self.returns) if one and one.name]


def find(compiler, header):
    """(the header's name as it is shown, how many functions it has, those that take or return structs by value)."""
    line = subject.include_line(header)
    unit, said = facts.preprocess(compiler, "functions", f"{BEGIN}\n{line}\n", compiler.facts,
                                  compiler.facts_behind_preprocessor)
    if not unit:
        subject.check_header(compiler, line, header)
        raise Refused(header, because(said))
    before, _, behind = unit.text.partition(BEGIN)
    unit = replace(unit, text=before + behind)
    names = _functions_among(unit, sorted(set(words_of(behind)) - KEYWORDS), header, line)
    found = [one for one in _read(unit, names) if one]
    return header, len(found), [one for one in found if one.by_value]


def words_of(text):
    """Each word before a parenthesis in the header itself and what it includes of its own; not within braces, where a
    function calls others."""
    own, header, depth = False, None, 0
    for line in text.splitlines():
        marker = MARKER.match(line)
        if marker:
            file, flags = marker[1], marker[2].split()
            header = header or ("1" in flags and (file, "3" in flags))
            own = bool(header) and _is_own(file, "3" in flags, *header)
        elif own:
            for brace, word in PARTS.findall(line):
                depth += {"{": 1, "}": -1}.get(brace, 0)
                if word and not depth:
                    yield word


def _is_own(file, is_system, header, header_is_system):
    if file == header:
        return True
    if not header_is_system:
        return not is_system and not file.startswith("<")
    folder = os.path.dirname(header)
    return os.path.dirname(file) == folder and not COMMON.search(folder)


def _pointers(names):
    return "".join(f"extern __typeof__({name}) *amp_pointer_{i}; __typeof__({name}) *amp_pointer_{i};\n"
                   for i, name in enumerate(names))


def _functions_among(unit, words, header, line):
    """The words that the compiler takes for something of which there may be pointers."""
    limit = "-ferror-limit=0" if unit.compiler.is_clang else "-fmax-errors=0"
    while True:
        status, said, _ = unit.compile(_pointers(words), "-w", "-fsyntax-only", limit)
        if not status:
            return words
        wrong = {int(number) - 1 for number in re.findall(r"^ask:(\d+):\d+: (?:fatal )?error", said, re.M)}
        if not wrong:
            subject.check_header(unit.compiler, line, header)
            raise Refused(header, because(said))
        words = [word for i, word in enumerate(words) if i not in wrong]


def _read(unit, names):
    """A Function for each name, None for what is none."""
    status, said, made = unit.compile(_pointers(names), *facts.DEBUGGING, "-fno-common")
    if status:
        raise Refused("the header's functions", because(said))
    try:
        dwarf = facts.Made(made).elf.get_dwarf_info()
        dies = {members.name_of(die): die for unit_ in dwarf.iter_CUs() for die in unit_.get_top_DIE().iter_children()
                if die.tag == "DW_TAG_variable" and "DW_AT_type" in die.attributes}
        reader = members.Reader()
        return [_function(name, dies.get(f"amp_pointer_{i}"), reader) for i, name in enumerate(names)]
    except (ELFError, DWARFError) as error:
        raise Refused("debugging information", f"cannot be read: {error}") from None


def _function(name, variable, reader):
    pointer = variable and _behind_names(members.type_of(variable))
    kind = (_behind_names(members.type_of(pointer))
            if pointer and pointer.tag == "DW_TAG_pointer_type" and "DW_AT_type" in pointer.attributes else None)
    if not kind or kind.tag != "DW_TAG_subroutine_type":
        return None
    takes = tuple(_argument(members.type_of(child), reader) for child in kind.iter_children()
                  if child.tag == "DW_TAG_formal_parameter")
    returns = _argument(members.type_of(kind), reader) if "DW_AT_type" in kind.attributes else None
    return Function(name, takes, returns)


def _behind_names(die):
    while die.tag in members.NAMELESS and "DW_AT_type" in die.attributes:
        die = members.type_of(die)
    return die


def _argument(die, reader):
    use = reader.use(die)
    if use.type.kind not in ("struct", "union"):
        return Argument(use, "")
    tag = f"{use.type.kind} {use.type.name}" if use.type.name else ""
    return Argument(use, use.names[0] if use.names else tag)

# SPDX-License-Identifier: MIT
"""Call compiled functions of a type, and see where its objects go: harness/ask/abi.c."""

import json
import re
import subprocess
import tempfile

from ask.types import children, facts
from ask.types.compiler import ROOT, because, ending
from plots.program.errors import Refused

# Sections of the experiment: its functions, and the thunks that gcc calls through; the constants of some x87 code.
OURS = re.compile(r"\.text\.(amp_abi$|__x86)|\.(symtab|strtab|shstrtab|note\.GNU-stack)$|$")
OURS_AND_CONSTANTS = re.compile(OURS.pattern + r"|\.rodata")


def run(compiler, unit, layout, flags):
    """How the unit's compiled functions pass and return the type: what harness/ask/abi.c prints. `flags`: the unit's,
    of a compiler with others."""
    filled = "".join("1" if one else "0" for one in layout.filled)
    return printed(compiler, unit, "abi", (ROOT / "harness/ask/abi_subject.c").read_text(), flags,
                   [layout.size_b, filled])


def printed(compiler, unit, name, text, flags, arguments=()):
    """What harness/ask/<name>.c prints, linked with our functions in `text`, which stands behind the unit."""
    caller = compiler.folder / f"{name}.o"
    if not caller.is_file():
        compiler.of_c.compile(f"harness/ask/{name}.c", ROOT / f"harness/ask/{name}.c", caller,
                              lambda _: ["-std=gnu11", "-O1", "-fno-pie", *facts.DEBUGGING, "-iquote", ROOT])
    found, why = _call(compiler, unit, caller, text, arguments)
    if why:
        raise Refused("how it is passed", "cannot be found out: " + why + compiler.blame(
            lambda other: not _call(other, facts.Unit(other, "try", unit.text, flags(other)), caller, text,
                                    arguments)[1]))
    return found


def _call(compiler, unit, caller, text, arguments):
    """(what the caller printed, ""), or (None, why it printed nothing). Nothing but our functions is taken along of
    what the header makes."""
    status, said, made = unit.compile(text, "-w", "-fno-lto")
    if status:
        return None, because(said)
    ours, program = (compiler.folder / f"{unit.name}.{name}" for name in ("ours.o", "abi"))
    why = _take_out(compiler, made, ours)
    if why:
        return None, why
    status, said = compiler.run(*compiler.link, "-no-pie", caller, ours, "-o", program)
    if status:
        return None, f"linking: {because(said)}"
    try:
        done = children.run([program, *arguments], 20, stderr=subprocess.PIPE)
    except PermissionError:
        raise Refused(tempfile.gettempdir(), "programs made there cannot be run (mounted noexec?): let TMPDIR name "
                      "another folder") from None
    except OSError as error:
        return None, f"the linker made no program: {error.strerror}"
    except subprocess.TimeoutExpired:
        return None, "the experiment did not end"
    if done.returncode:
        return None, f"the experiment ended {ending(done.returncode)}"
    return json.loads(done.stdout), ""


def _take_out(compiler, made, ours):
    """Write an object file of our functions alone; "", or why that cannot be done."""
    for kept in (OURS, OURS_AND_CONSTANTS):
        others = [f"--remove-section={name}" for name in facts.Made(made).sections
                  if not kept.match(name) and not name.startswith(".rela")]
        done = children.run([compiler.objcopy, "--strip-unneeded", *others, made, ours], stderr=subprocess.STDOUT)
        if not done.returncode:
            return ""
    return done.stdout.strip()

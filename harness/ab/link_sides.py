#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Link two sides into modules, or programs, in which a function of both has the same address (slots.py).

A side is one relocatable file: `cc -r -nostdlib -Wl,--unique kernels.o ... libraries`. Sections that nothing reaches
are dropped; each code section gets a name of its own, so that a linker script can place it. Everything else of a module
stands where the linker puts it, but the code begins at a fixed address, takes as much room in each layout, and the
module ends at a fixed address: so both versions are mapped to the same place. Prints what it found as JSON.

With --template a few layouts are linked, and all others can be made from these (templates.py, place_sides.py)."""

import argparse
import concurrent.futures
import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import code_facts
import side_object
import slots
import templates
from lesson_object import Refused

SIDES = "base", "head"
ROUND_B = 1 << 20
UNDEFINED = re.compile(r"undefined (?:reference to|symbol:) [`']?([\w.$@]+)")
NOT_FOR_MODULES = re.compile(r"recompile with -fPIC|R_X86_64_TPOFF|R_AARCH64_TLSLE|can ?not be used when making a "
                             r"(?:shared object|PIE)|relocation R_\w+ .* in shared", re.I)
LIBRARY = ("-shared", "-Wl,-z,now", "-Wl,-Bsymbolic")
PROGRAM = ("-no-pie", "-Wl,-z,now")
SCRIPT = """SECTIONS
{{
  .text.amp {begin}
  {{
{lines}
    . = {end:#x};
  }}
}}
INSERT AFTER .text;
"""
LAST = "SECTIONS {{ .amp_end {last:#x} (NOLOAD) : {{ . += 64; }} }} INSERT AFTER .bss;\n"
ALWAYS = "-Wl,--as-needed", "-lm"  # the program's own main() needs it, and many a library
COUNTED = "-ljansson", "-ljemalloc", "-ldl"
BOTH = ("-Wl,--gc-sections", "-Wl,--build-id=none", "-Wl,--strip-debug")


def run(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                          errors="replace", stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout.strip()


class Linker:
    def __init__(self, args):
        self.args = args
        self.sides = {name: side_object.Side(getattr(args, name)) for name in SIDES}
        self.places = {}
        self.absent = {name: [] for name in SIDES}  # names that a side uses and nothing defines
        for name, side in self.sides.items():
            self.places[name], dead = side.places()
            names = {section: f".text.amp.{section}" for section in self.places[name]}
            names |= {section: f".text.dead.{section}" for section in dead}
            (args.out / f"{name}.o").write_bytes(side.renamed(names))
        (args.out / "exports.map").write_text("{ global: amp_ab_side; local: *; };\n")
        self.slots, self.order = self._slots()
        self.spread = slots.spread(*self.order, self.slots)
        self.text_b = slots.room(*self.order, self.slots)
        self.begin_b, self.data_b = self._room()

    def _room(self):
        """Where code may begin, so that all that stands before it fits on both sides; how much the rest may take."""
        before = after = 0
        for side in self.sides.values():
            pointers = sum(len(some) for some in side.relocations.values())
            data = sum(header["sh_size"] + 64 for section, header in enumerate(side.headers)
                       if side.is_allocated(section) and not side.is_placed(section))
            before, after = max(before, 64 * pointers + 65536 + data), max(after, 2 * data)
        return -(-before // ROUND_B) * ROUND_B, -(-after // ROUND_B) * ROUND_B + ROUND_B

    def _slots(self):
        """{name: (size, alignment)}, and the names of code that runs often and rarely, of both sides."""
        slots_of, orders = {}, {}
        for name in SIDES:
            for section, (key, cold) in self.places[name].items():
                header = self.sides[name].headers[section]
                size, align = slots_of.get(key, (0, 1))
                slots_of[key] = max(size, header["sh_size"]), max(align, header["sh_addralign"])
                orders.setdefault((name, cold), []).append(key)
        hot, cold = (slots.merged(*(orders.get((name, rare), []) for name in SIDES)) for rare in (False, True))
        often = set(hot)
        return slots_of, (hot, [key for key in cold if key not in often])

    def script(self, name, at):
        sections = {key: section for section, (key, _) in self.places[name].items()}
        lines = "\n".join(f"    . = {at[key]:#x}; *(.text.amp.{sections[key]})" for key in sorted(at, key=at.get)
                          if key in sections)
        if self.args.programs:
            return SCRIPT.format(begin=": ALIGN(4096)", lines=lines, end=self.text_b)
        last = self.begin_b + -(-self.text_b // ROUND_B) * ROUND_B + self.data_b
        return SCRIPT.format(begin=f"{self.begin_b:#x} :", lines=lines, end=self.text_b) + LAST.format(last=last)

    def path(self, name, k):
        return self.args.out / f"{name}.{k:03d}{'' if self.args.programs else '.so'}"

    def link(self, name, k, at, more=(), counts=False):
        """None, or what the linker said. `at`: of each function. `counts`: link the program that counts,
        <name>.count."""
        args = self.args
        out = args.out / f"{name}.count" if counts else self.path(name, k)
        script = out.with_name(f"{out.name}.ld")
        script.write_text(self.script(name, at))
        cc = getattr(args, f"{name}_cc") or args.cc
        form = (*PROGRAM, args.count_library if counts else args.program_library) if args.programs else (
            *LIBRARY, f"-Wl,--version-script={args.out}/exports.map")
        absent = [f"-Wl,--defsym={symbol}=0" for symbol in self.absent[name]]
        status, said = run([*shlex.split(cc), *form[:1], str(args.out / f"{name}.o"), *form[1:], *BOTH, *absent, *more,
                            f"-Wl,-T,{script}", "-o", str(out), *args.arg,
                            *ALWAYS, *(COUNTED if counts else ())])
        script.unlink()
        return said if status else None

    def find_absent(self):
        """Names that a side uses and neither it nor a library defines: the kernels that need them are missing there."""
        for name in SIDES:
            said = self.link(name, 0, self.spread[0], ("-Wl,-z,defs",))
            if said is None:
                continue
            found = sorted(set(UNDEFINED.findall(said)))
            if not found:
                raise Refused(("not for modules: " if NOT_FOR_MODULES.search(said) else f"{name}: ") + last_line(said))
            self.absent[name] = found

    def missing(self):
        """{kernel: {"side", "lacks", "why"}} of those that one side cannot run."""
        found = {}
        for name, other in zip(SIDES, reversed(SIDES)):
            for kernel in self.sides[other].kernels:
                if kernel not in self.sides[name].kernels:
                    found[kernel] = {"side": name, "lacks": None, "why": "it is not declared there"}
            for kernel in self.sides[name].kernels:
                outside = self.sides[name].of_kernel(kernel)[1]
                lacks = [symbol for symbol in outside if symbol in self.absent[name]]
                if lacks:
                    found[kernel] = {"side": name, "lacks": lacks[0], "why": f"there is no {lacks[0]}() there"}
        return found

    def link_some(self, jobs):
        """`jobs`: what link() takes, of each module or program; several are linked at once."""
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            said = [one for one in pool.map(lambda job: self.link(*job), jobs) if one is not None]
        if said:
            raise Refused(last_line(said[0]))

    def link_all(self):
        plan = slots.layouts(*self.order, self.slots, self.args.count, self.args.seed)
        self.link_some([(name, k, at) for k, (at, _) in enumerate(plan) for name in SIDES])

    def link_counting(self):
        """Link the programs that count. Why they cannot be had, or None."""
        said = [self.link(name, 0, self.spread[0], counts=True) for name in SIDES]
        return next((last_line(one) for one in said if one is not None), None)

    def link_template(self):
        """Why there is none, or None: layouts that a template is made from, and one that it must be able to make."""
        three = [*self.spread, slots.unlike(*self.order, self.slots)]
        self.link_some([(name, k, at, templates.TELLING if k == 0 else ()) for k, at in enumerate(three)
                        for name in SIDES])
        found = {}
        try:
            for name, side in self.sides.items():
                sizes = {key: side.headers[section]["sh_size"] for section, (key, _) in self.places[name].items()}
                at = [{key: one[key] for key in sizes} for one in three]
                found[name] = templates.of(sizes, at[0], self.path(name, 0), at[1], self.path(name, 1))
                if not templates.makes(found[name], at[2], self.path(name, 2)):
                    raise Refused("moving its functions does not lead to what the linker makes")
        except Refused as error:
            return str(error)
        counting = {name: self.args.out / f"{name}.count" for name in SIDES}
        templates.save(self.args.template, found, self.order, self.slots,
                       {f"{name}.count": path.read_bytes() for name, path in counting.items() if path.exists()})
        return None


def last_line(said):
    all_lines = [line for line in said.splitlines() if "ld returned" not in line]  # the driver's: it knows nothing
    lines = [line for line in all_lines if "error:" in line or "undefined" in line or "relocation" in line]
    return (lines or all_lines or ["the linker says nothing"])[0]


def text_hash(side):
    digest = hashlib.sha256()
    for section, (name, _) in sorted(side.places()[0].items(), key=lambda one: one[1]):
        digest.update(name.encode() + b"\0" + side.data[section])
    return digest.hexdigest()


def facts(linker):
    """What both sides' code has, and in what it differs."""
    base, head = linker.sides["base"], linker.sides["head"]
    missing = linker.missing()
    both, changed, only_base, only_head = side_object.differences(base, head)
    kernels = [name for name in base.kernels if name in head.kernels and name not in missing]
    same = [name for name in kernels if side_object.same(base, head, name)]
    return {"kernels": kernels, "missing": missing, "same": same,
            "functions": len(both), "changed": changed, "only_base": only_base, "only_head": only_head,
            "own_allocator": sorted({*base.own_allocator(), *head.own_allocator()}),
            "text_sha256": {name: text_hash(side) for name, side in linker.sides.items()},
            "code": {name: code_facts.of_kernel(base, head, name) for name in kernels if name not in same}}


def linked(linker):
    """Why kernels cannot be counted, and why there is no template; None where they can, and there is one."""
    found = {"not_counted": linker.link_counting() if linker.args.programs else None, "not_placed": None}
    if linker.args.template:
        found["not_placed"] = linker.link_template()
    else:
        linker.link_all()
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    for name in SIDES:
        parser.add_argument(f"--{name}", required=True, metavar="FILE", help="the side's relocatable file")
        parser.add_argument(f"--{name}-cc", metavar="CC", help="the compiler driver that links it, if it is another")
    parser.add_argument("--out", type=Path, required=True, help="an empty folder for what is made")
    parser.add_argument("--count", type=int, default=64, help="how many layouts, a multiple of 4")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cc", default="cc")
    parser.add_argument("--arg", action="append", default=[], help="for the linker, behind all files: --arg=-lm")
    parser.add_argument("--programs", action="store_true", help="link programs")
    parser.add_argument("--program-library", metavar="FILE", help="their main()")
    parser.add_argument("--count-library", metavar="FILE", help="main() of a program that counts their kernels")
    parser.add_argument("--facts", action="store_true", help="link nothing: only say what is the same")
    parser.add_argument("--template", type=Path, metavar="FILE", help="link only what place_sides.py needs, into it")
    args = parser.parse_args()
    try:
        linker = Linker(args)
        linker.find_absent()
        print(json.dumps(facts(linker) if args.facts else linked(linker)))
    except (Refused, OSError) as error:
        sys.exit(f"ampersand: ab: {error}")


if __name__ == "__main__":
    main()

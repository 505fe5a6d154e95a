#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Link one lesson many times: modules that differ only in where their functions stand within a 64-byte line.

Where the linker puts a function can change its time by up to 30 %. Of the address, only the offset within the line
matters. Compilers place functions at multiples of 16, so most functions have four placements:

    line  |0---------------16--------------32--------------48--------------|
    00.so |run_value.......................................................|
    01.so |................run_value.......................................|
    02.so |................................run_value.......................| ...

A function that asks for more has fewer. gcc 14 begins short loops at multiples of 32 or 64, which aligns the function
around them likewise; an attribute or -falign-functions=32 does the same. Such a function stands at 0 and 32, or only
at 0: where any linker would put it, with its loops where its compiler wants them.

A lesson is compiled once, with a section for each function, and linked once for each row of a balanced design over
the functions that a side reaches. For n = 4^m layouts the rows are all vectors x of GF(4)^m, and a function's column
is <x, v>, where v is a point of the projective geometry PG(m-1, 4). Up to m functions get the unit vectors: the full
factorial. More get further points, at most (4^m - 1) / 3: an orthogonal array in which every pair of functions meets
each of its 16 placements equally often (Hedayat, Sloane, Stufken, Orthogonal Arrays, 1999, section 3.4). Of a function
with two placements each stands for two of the four levels, which keeps all of this balanced; one with a single
placement needs no column. The two sides have designs of their own, in rows shuffled apart, unless they share a
function; then one array holds both.

What the lesson calls of a static library is linked into its object first (--library) and placed with it. Calls of shared
libraries go through the procedure linkage table, whose targets stand where the library has them: the table names them.

The order of the functions and paddings of whole lines are drawn at random; all else stays where the linker puts it.
results/SCHEMA.md describes the table that is written beside the modules."""

import argparse
import concurrent.futures
import hashlib
import itertools
import json
import os
import random
import shlex
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "stack"))
sys.path.insert(1, str(Path(__file__).resolve().parents[1] / "copies"))
import check_growable
import lesson_object
from elftools.elf.elffile import ELFFile
from lesson_object import FUNCTION, STEP_B, Object, Refused, read_symbols

try:
    import copies
    import declared
    import registers
    import stretches
    import waits
except ImportError:  # python3-capstone is optional: the table then says nothing of copies
    copies = None

LINE_B = 64
MAX_EXTRA_LINES = 3  # the largest padding between two functions
LESSON_ABI = 6  # AMP_LESSON_ABI, harness/lesson/layout.h


def read_contract(path):
    """Offsets within struct amp_pair, from the `amp_lesson` that harness/lesson/lesson.c defines."""
    lesson = Object(path)
    for symbol in lesson.symbols:
        if symbol.name == "amp_lesson" and symbol.section is not None:
            fields = struct.unpack_from("<7I", lesson.data[symbol.section], symbol.value)
            if fields[0] != LESSON_ABI:
                raise Refused(f"{path}: its ABI is {fields[0]}, make_layouts knows {LESSON_ABI}")
            return dict(zip(("value", "pointer", "name", "sizes", "calls", "copied_b"), fields[1:]))
    raise Refused(f"{path}: has no amp_lesson; --extra is the object of harness/lesson/lesson.c")


# --- which functions belong to which side ----------------------------------------------------------------------------


def reach(lesson, start, pair_sections):
    """The functions that section `start` can call, directly or through tables in data, and the names outside the object
    that it uses; both in the order in which they are found.

    A section stands for the function or the object in it. Code that the compiler expects never to run (.text.unlikely)
    is followed but not placed."""
    seen, queue, functions, outside = {start}, [start], [], {}
    for section in queue:
        if lesson.is_code(section) and not lesson.names[section].startswith(".text.unlikely"):
            functions.append(lesson.function_of(section))
        if section in pair_sections:
            raise Refused(f"{lesson.path}: {lesson.names[start]} refers to {lesson.names[section]}, which holds a "
                          "pair: compile with -fdata-sections, and let no kernel read its own pair")
        for _, _, symbol, _ in lesson.relocations.get(section, ()):
            if symbol.section is not None and symbol.section not in seen:
                seen.add(symbol.section)
                queue.append(symbol.section)
            if symbol.is_undefined and symbol.name != "_GLOBAL_OFFSET_TABLE_":
                outside[symbol.name] = True
    return functions, list(outside)


def read_pairs(lesson, offsets):
    """Every pair of the lesson: its rows, and the functions of its sides."""
    if "amp_pairs" not in lesson.names:
        raise Refused(f"{lesson.path}: declares no AMP_PAIR, or was compiled with -flto")
    table = lesson.names.index("amp_pairs")
    places = [lesson.pointer_at(table, at) for at in range(0, lesson.headers[table]["sh_size"], 8)]
    if None in places:
        raise Refused(f"{lesson.path}: its amp_pairs holds something else than what AMP_PAIR puts there")
    pair_sections = {section for section, _ in places}
    pairs = []
    for section, base in places:
        name = lesson.pointer_at(section, base + offsets["name"])
        sizes = lesson.pointer_at(section, base + offsets["sizes"])
        if name is None or sizes is None:
            raise Refused(f"{lesson.path}: {lesson.names[section]} has no name or no sizes")
        pair = {"name": lesson.string_at(*name)}
        pair["rows"] = [f"{pair['name']}/size={size}" for size in lesson.sizes_at(*sizes)]
        for side in ("value", "pointer"):
            run = lesson.pointer_at(section, base + offsets[side])
            if run is None:
                raise Refused(f"{lesson.path}: {pair['name']}: its {side} side has no run function")
            pair[side], pair[f"{side}_calls"] = reach(lesson, run[0], pair_sections)
            pair[f"{side}_run"] = run[0]
            pair[f"{side}_declares"] = read_declaration(lesson, section, base + offsets[side], offsets)
        pairs.append(pair)
    return pairs


def read_declaration(lesson, section, side, offsets):
    """(calls, bytes copied) of struct amp_side at this offset; None: it declares nothing."""
    calls = lesson.pointer_at(section, side + offsets["calls"])
    if calls is None:
        return None
    return lesson.string_at(*calls), struct.unpack_from("<Q", lesson.data[section], side + offsets["copied_b"])[0]


def make_units(pairs):
    """Join the pairs that share functions. A unit has rows, the functions of each side, and what these call outside the
    object, each name once."""
    units = []
    for pair in pairs:
        functions = set(pair["value"] + pair["pointer"])
        joined = {"rows": [], "value": [], "pointer": [], "value_calls": [], "pointer_calls": []}
        apart = []
        for unit in units:
            touches = functions & set(unit["value"] + unit["pointer"])
            if not touches:
                apart.append(unit)
                continue
            for key in joined:
                joined[key] += unit[key]
        for key in joined:
            joined[key] = list(dict.fromkeys(joined[key] + pair[key]))
        units = apart + [joined]
    return units


# --- the design ------------------------------------------------------------------------------------------------------

# GF(4) = {0, 1, w, w + 1} as 0..3: addition is exclusive or.
PRODUCT = ((0, 0, 0, 0), (0, 1, 2, 3), (0, 2, 3, 1), (0, 3, 1, 2))


def dot(x, v):
    total = 0
    for a, b in zip(x, v):
        total ^= PRODUCT[a][b]
    return total


def points(m):
    """The points of PG(m-1, 4), unit vectors first, then those that keep every three columns independent (for m = 3 a
    hyperoval of six), so that small sides are balanced in threes as well; then the rest."""
    unit = [tuple(int(i == j) for j in range(m)) for i in range(m)]
    rest = [v for v in itertools.product(range(4), repeat=m) if next((a for a in v if a), 0) == 1 and v not in unit]
    chosen = list(unit)
    for v in sorted(rest, key=lambda v: v.count(0)):
        lines = {tuple(PRODUCT[s][a] ^ b for a, b in zip(p, q)) for p, q in itertools.permutations(chosen, 2)
                 for s in (1, 2, 3)}
        if not any(tuple(PRODUCT[s][a] for a in v) in lines for s in (1, 2, 3)):
            chosen.append(v)
    return chosen + [v for v in rest if v not in chosen]


def placements(align):
    """The offsets within a line at which a function with this alignment may stand."""
    return range(0, LINE_B, max(align, STEP_B))


def balanced(alignments, count, draw):
    """Offsets of each function over `count` layouts, every pair of functions balanced. `alignments`: function -> B."""
    m = count.bit_length() // 2  # count = 4^m
    rows = list(itertools.product(range(4), repeat=m))
    draw.shuffle(rows)
    offsets = {function: [0] * count for function in alignments}
    for function, v in zip(movable(alignments), points(m)):
        places = placements(alignments[function])
        levels = [place for place in places for _ in range(4 // len(places))]
        draw.shuffle(levels)
        offsets[function] = [levels[dot(x, v)] for x in rows]
    return offsets


def movable(alignments):
    return [function for function, align in alignments.items() if len(placements(align)) > 1]


def first(names, n):
    return ", ".join(names[:n]) + (", ..." if len(names) > n else "")


def design(unit, alignments, count, draw):
    """Add the unit's design and offsets. `alignments`: function -> B."""
    shared = bool(set(unit["value"]) & set(unit["pointer"]))
    groups = [list(dict.fromkeys(unit["value"] + unit["pointer"]))] if shared else [unit["value"], unit["pointer"]]
    groups = [{name: alignments[name] for name in group} for group in groups]
    limit = (count - 1) // 3
    most = max(map(movable, groups), key=len)
    if len(most) > limit:
        enough = next(4 ** m for m in itertools.count(1) if (4 ** m - 1) // 3 >= len(most))
        raise Refused(f"{first(unit['rows'], 3)}: {len(most)} functions to place together ({first(most, 8)}), but "
                      f"{count} layouts can balance {limit}: link {enough} layouts, or share fewer functions between "
                      "pairs")
    unit["design"] = "full factorial" if 4 ** len(most) <= count else "orthogonal array"
    aligned = {name: align for group in groups for name, align in group.items() if align > STEP_B}
    if aligned:
        unit["aligned"] = aligned
    unit["offsets"] = {}
    for group in groups:
        unit["offsets"].update(balanced(group, count, draw))


# --- the modules -----------------------------------------------------------------------------------------------------


def script(lesson, offsets, draw):
    """A linker script that places each function at its offset, in random order, with random lines between."""
    sections = {s.name: s.section for s in lesson.symbols if s.kind == FUNCTION and s.section is not None}
    order = sorted(offsets)
    draw.shuffle(order)
    lines, end = [], 0
    for name in order:
        section = sections[name]
        unit = max(LINE_B, lesson.alignments[name])
        pad = (offsets[name] - end) % unit + unit * draw.randint(0, MAX_EXTRA_LINES)
        lines.append(f"    . += {pad}; *({lesson.names[section]})")
        end += pad + lesson.headers[section]["sh_size"]
    body = "\n".join(lines)
    align = max([LINE_B, *(lesson.alignments[name] for name in order)])
    return f"SECTIONS\n{{\n  .text.amp : ALIGN({align})\n  {{\n{body}\n  }}\n}}\nINSERT AFTER .text;\n"


def join(cc, lesson, libraries, link_args, out):
    """Link the lesson's object with what it uses of the libraries, into `out`, so that this is placed, too."""
    command = [*shlex.split(cc), "-r", "-nostdlib", *(arg for arg in link_args if arg.startswith("-fuse-ld=")), lesson,
               *libraries, "-o", str(out)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        raise Refused(f"{shlex.join(command)}\n{done.stdout.strip()}")
    return str(out)


def helpers(cc):
    """The names of the compiler's helper functions, such as __udivti3: everything in the index of its library."""
    done = subprocess.run([*shlex.split(cc), "-print-libgcc-file-name"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True, check=False)
    path = Path(done.stdout.strip())
    archive = path.read_bytes() if path.is_file() else b""
    if not archive.startswith(b"!<arch>\n/ "):
        return frozenset()
    index = archive[68:68 + int(archive[56:66])]  # behind the archive's first line and the header of its first member
    count = int.from_bytes(index[:4], "big")
    return frozenset(name.decode() for name in index[4 + 4 * count:].split(b"\0")[:count])


def hold_outside(symbols, outside, module):
    """Refuse functions that come into the module in another way: they would not be placed."""
    for symbol in symbols:
        if symbol.kind == FUNCTION and symbol.section is not None and symbol.name in outside:
            raise Refused(f"{module.name}: {symbol.name}: comes from a static library or another object, and would not be "
                          "placed: name that file with --library")


def link(command, module, text, offsets, outside):
    """Link one module, and check that its functions stand where they should. Returns its build ID."""
    script_file = module.with_suffix(".ld")
    script_file.write_text(text)
    command = command + ["-Wl,--build-id=sha1", f"-Wl,-T,{script_file}", "-o", str(module)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    script_file.unlink()
    if done.returncode != 0:
        raise Refused(f"{shlex.join(command)}\n{done.stdout.strip()}")
    with open(module, "rb") as file:
        sections = list(ELFFile(file).iter_sections())
        data = [s.data() if s["sh_type"] in ("SHT_SYMTAB", "SHT_STRTAB", "SHT_NOTE") else b"" for s in sections]
    symbols = read_symbols([s.header for s in sections], data)
    addresses = {}
    for symbol in symbols:
        if symbol.kind == FUNCTION and symbol.name in offsets:
            addresses.setdefault(symbol.name, set()).add(symbol.value)
    for name, offset in offsets.items():
        found = addresses.get(name, set())
        if not found:
            raise Refused(f"{module.name}: {name}: is not in the module's symbol table (stripped?)")
        if {address % LINE_B for address in found} != {offset}:
            places = ", ".join(hex(address) for address in sorted(found))
            raise Refused(f"{module.name}: {name}: the linker put it at {places}, not {offset} B into a line")
    hold_outside(symbols, outside, module)
    note = next((bytes_ for s, bytes_ in zip(sections, data) if s.name == ".note.gnu.build-id"), None)
    if note is None:
        raise Refused(f"{module.name}: the linker gave it no build ID")
    return note[16:].hex()  # behind three sizes and "GNU"


def install(made, out, lesson, count):
    """Move the new modules into place, and delete those of an earlier, larger design. The table is deleted first and
    written last: without it there is no lesson, so a half replaced design is never used."""
    (out / f"{lesson}.layouts.json").unlink(missing_ok=True)
    for file in sorted(made.glob("*.so")):
        os.replace(file, out / file.name)
    for file in out.glob(f"{lesson}.*.so"):
        number = file.name[len(lesson) + 1 : -3]
        if number.isdigit() and int(number) >= count:
            file.unlink()
    os.replace(made / f"{lesson}.layouts.json", out / f"{lesson}.layouts.json")


def make(args):
    if args.count < 4 or args.count & (args.count - 1) or args.count.bit_length() % 2 == 0:
        raise Refused(f"--count {args.count}: must be a power of 4, as 4, 16, 64 or 256")
    args.out.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{args.lesson}.", dir=args.out))
    try:
        make_in(made, args)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def make_in(made, args):
    path = join(args.cc, args.object, args.library, args.link_arg, made / "joined.o") if args.library else args.object
    lesson = Object(path)
    if lesson.has_growable() and lesson.machine == "EM_X86_64" and not args.instrumented:
        complaints = check_growable.check([path])
        if complaints:
            raise Refused("\n".join([f"{args.lesson}: breaks the rules of harness/stack/stack.h:", *complaints]))
    draw = random.Random(f"{args.seed} {args.lesson}")
    pairs = read_pairs(lesson, read_contract(args.extra))
    units = make_units(pairs)
    for unit in units:
        design(unit, lesson.alignments, args.count, draw)
    link_args = args.link_arg + (args.growable_link_arg if lesson.has_growable() else [])
    command = shlex.split(args.cc) + ["-shared", "-Wl,-z,now", path, args.extra, *link_args]
    table = first_keys(args, lesson) | {"build_ids": link_all(command, lesson, units, args, draw, made)}
    if args.instrumented:
        table["code_not_read"] = "built with a sanitizer"
    elif not copies:
        table["code_not_read"] = "python3-capstone was not installed when the lessons were built"
    else:
        table |= read_code(lesson, pairs)
        for key, read in (("handed", registers.handed), ("waits", waits.waits)):
            table[key] = read_sides(lesson, pairs, read)
        table["places"] = stretches.places(lesson, {name for unit in units for name in unit["offsets"]})
    head = json.dumps(table)[:-1]
    body = ",\n".join(json.dumps(unit) for unit in units)
    (made / f"{args.lesson}.layouts.json").write_text(f'{head}, "units": [\n{body}]}}\n')
    install(made, args.out, args.lesson, args.count)


def read_code(lesson, pairs):
    """What the compiled code of each row does (harness/copies), and in what it breaks the word of its pair."""
    code = {"copies": {}, "calls": {}, "breaches": {}}
    for pair in pairs:
        sides = {side: copies.read(lesson, pair[f"{side}_run"]) for side in ("value", "pointer")}
        broken = [f"{side}: {text}" for side, found in sides.items() if pair[f"{side}_declares"]
                  for text in declared.breaches(*pair[f"{side}_declares"], *found)]
        for row in pair["rows"]:
            code["copies"][row] = {side: found[0] for side, found in sides.items()}
            code["calls"][row] = {side: found[1] for side, found in sides.items()}
            if broken:
                code["breaches"][row] = "; ".join(broken)
    return code


def read_sides(lesson, pairs, read):
    """{row: {side: what `read` finds in its kernel}} of the rows where it finds something."""
    sides = [{side: read(lesson, pair[f"{side}_run"]) for side in ("value", "pointer")} for pair in pairs]
    return {row: found for pair, found in zip(pairs, sides) if any(found.values()) for row in pair["rows"]}


def first_keys(args, lesson):
    table = {"schema": "ampersand/layouts/1", "lesson": args.lesson, "seed": args.seed, "n": args.count}
    if args.source:
        table["source"] = args.source.name
        table["source_sha256"] = hashlib.sha256(args.source.read_bytes()).hexdigest()
    if args.flag:
        table["flags"] = args.flag
    return table | {"compiled": lesson_object.record_macros(lesson_object.compiled(lesson), args.flag)}


def link_all(command, lesson, units, args, draw, made):
    """Link all modules; returns their build IDs."""
    outside = {name for unit in units for side in ("value", "pointer") for name in unit[f"{side}_calls"]}
    outside -= helpers(args.cc) if outside else set()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        links = []
        for k in range(args.count):
            offsets = {name: column[k] for unit in units for name, column in unit["offsets"].items()}
            module = made / f"{args.lesson}.{k:02d}.so"
            links.append(pool.submit(link, command, module, script(lesson, offsets, draw), offsets, outside))
        try:
            return [future.result() for future in links]
        finally:
            pool.shutdown(cancel_futures=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--lesson", required=True, help="name of the lesson and of its modules")
    parser.add_argument("--object", required=True,
                        help="the lesson, compiled with -fPIC -ffunction-sections -fdata-sections")
    parser.add_argument("--library", action="append", default=[], metavar="FILE", help="a static library or an object "
                        "that the lesson calls; what it calls is placed, too, so compile it with the same flags")
    parser.add_argument("--extra", required=True, help="harness/lesson/lesson.c, compiled")
    parser.add_argument("--source", type=Path, help="the lesson's text; its SHA-256 goes into the table")
    parser.add_argument("--flag", action="append", default=[], help="a flag of this lesson only, which goes into "
                        "the table: --flag=-O3")
    parser.add_argument("--count", type=int, default=64, help="how many layouts: 4, 16, 64 or 256")
    parser.add_argument("--seed", type=int, default=1, help="draws the order of functions and the padding")
    parser.add_argument("--out", type=Path, required=True, help="the folder for the modules and their table")
    parser.add_argument("--cc", default="cc", help="the compiler driver that links, with its flags")
    parser.add_argument("--link-arg", action="append", default=[], metavar="ARG",
                        help="for the linker: --link-arg=-fuse-ld=lld")
    parser.add_argument("--growable-link-arg", action="append", default=[], metavar="ARG",
                        help="for the linker, if the lesson has growable functions")
    parser.add_argument("--instrumented", action="store_true", help="do not check the frames of growable functions")
    try:
        make(parser.parse_args())
    except (Refused, check_growable.Refused, OSError) as error:
        sys.exit(f"ampersand: layouts: {error}")


if __name__ == "__main__":
    main()

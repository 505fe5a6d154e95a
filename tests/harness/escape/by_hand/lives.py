# SPDX-License-Identifier: MIT
"""What really dies before its frame in a program of others, by its runs, beside what `escape` says of each line.

python3 tests/harness/escape/by_hand/lives.py PROGRAM LIVES FILE.json [-v]: PROGRAM is built with lives.c, LIVES is
what its runs wrote, FILE.json what `escape --format json` printed of the same sources.
python3 tests/harness/escape/by_hand/lives.py --flags prints what the linker needs."""
import collections
import json
import os
import shutil
import subprocess
import sys

WRAPPED = ("malloc", "calloc", "realloc", "reallocarray", "strdup", "strndup", "free")
KEYS = ("made", "died", "in_callee", "outlived", "left", "resized", "met", "least", "most")
FRAME_MOST_B = 65536


def places(program, addresses):
    """{address: (file, line, column)} of the calls that end there."""
    tool = shutil.which("llvm-symbolizer") or shutil.which("llvm-symbolizer-14")
    asked = "".join(f"{int(one, 16) - 1:#x}\n" for one in addresses)
    said = subprocess.run([tool, "--obj", program, "--no-inlines", "--functions=none"], input=asked, text=True,
                          capture_output=True, check=True).stdout.split("\n\n")
    found = {}
    for address, place in zip(addresses, said):
        file, line, column = place.strip().rsplit(":", 2)
        found[address] = (os.path.realpath(file), int(line), int(column))
    return found


def read(program, file):
    """{place: {key: sum over all runs}}."""
    rows = [line.split() for line in open(file)]
    at = places(program, sorted({row[0] for row in rows}))
    found = {}
    for address, *numbers in rows:
        row = dict(zip(KEYS, map(int, numbers)))
        known = found.setdefault(at[address], row)
        if known is not row:
            for key in KEYS[:-2]:
                known[key] += row[key]
            known["least"], known["most"] = min(known["least"], row["least"]), max(known["most"], row["most"])
    return found


def fate(lived):
    if lived["outlived"]:
        return "outlives"
    if lived["left"]:
        return "left"
    if lived["met"]:
        return "meets an older one"
    return "dies"


def main(program, lives, file, verbose=False):
    lived = read(program, lives)
    sites = json.loads(open(file).read())["allocations"]
    ran, fates, missed = 0, collections.Counter(), collections.Counter()
    found = small = small_found = found_ran = 0
    for site in sites:
        one = lived.get((os.path.realpath(site["file"]), site["line"], site["column"]))
        if not one:
            continue
        ran += 1
        is_found, what = site["obstacle"] is None, fate(one)
        fates[what] += 1
        found_ran += is_found
        where = f"{os.path.basename(site['file'])}:{site['line']} {site['by']}() in {site['function']}()"
        if is_found and (what not in ("dies", "left") or one["resized"]):
            print(f"UNSOUND by the run: {where}: {one}")
        if what != "dies":
            continue
        fits = one["most"] <= FRAME_MOST_B
        found += is_found
        small += fits
        small_found += fits and is_found
        if not is_found:
            missed[site["obstacle"]] += 1
        if verbose:
            print(f"  {where}: {one['least']}..{one['most']} B{' in callee' if one['in_callee'] else ''}"
                  f"{' resized' if one['resized'] else ''}: {site['obstacle'] or 'FOUND'}: {site.get('reason', '')}"
                  f"{[hop['what'] for hop in site.get('path', [])]}")
    print(f"{len(sites)} sites, {sum(site['obstacle'] is None for site in sites)} could live in the frame; {ran} ran, "
          f"{found_ran} of these found; {dict(fates)}; {found} of {fates['dies']} that died are found "
          f"({small_found} of {small} of at most 64 KiB); missed: {dict(missed)}")


if __name__ == "__main__":
    if sys.argv[1:] == ["--flags"]:
        print(" ".join(f"-Wl,--wrap={name}" for name in WRAPPED))
    else:
        main(*sys.argv[1:4], verbose=sys.argv[4:] == ["-v"])

#!/usr/bin/python3
"""How often does `ampersand ab` call a difference where there is none, and find one of 1 or 2 % where there is one?

    apt-get source lua5.4
    examples/ab/accuracy/accuracy.py --sources lua5.4-*/src --runs 300 --out accuracy.jsonl

Makes versions of Lua and compares each with the first, again and again, as a user would: every run is one of
`ampersand ab`, with other random choices.

    again       the same code, built again: its sources have a comment more
    unrelated   one function more, of another length and in another file each time: it moves what stands behind it
    planted     the steps of three kernels (chain, turns, find) are 1 % or 2 % more; one operation in 65536 of a
                fourth (rare) takes so much longer that it is as much in the mean
    memory      as again, of a kernel that is bound by memory: does the floor hold that its run claims?

Each line of the file is a run. What is in it already is not done again, so it may be interrupted. --table only
prints."""

import argparse
import collections
import concurrent.futures
import json
import os
import random
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from scipy import special

HERE = Path(__file__).resolve().parent
ORDINARY, PLANTED = ("fib", "sort", "join", "words", "parse"), ("chain", "turns", "find")
STEPS = {"CHAIN": 1000, "TURNS": 200, "LETTERS": 2000, "OFTEN": 20, "HOPS": 100}
UNRELATED = 8  # versions
PERCENT = {"1%": 1, "2%": 2}
SAME = "again", "unrelated"
KINDS = dict.fromkeys(SAME, ORDINARY) | dict.fromkeys(PERCENT, (*PLANTED, "rare")) | {"memory": ("hops",)}


def exactly(found, runs, confidence=0.95):
    """Clopper and Pearson's interval of a share, in percent."""
    low = special.betaincinv(found, runs - found + 1, (1 - confidence) / 2) if found else 0.0
    high = special.betaincinv(found + 1, runs - found, (1 + confidence) / 2) if found < runs else 1.0
    return 100 * low, 100 * high


# ---- The versions

def make(sources, folder, percent=0, unrelated=None, comment=""):
    shutil.copytree(sources, folder)
    for name in ("lua.c", "luac.c", "onelua.c", "ltests.c"):  # programs of their own
        (folder / name).unlink(missing_ok=True)
    for header in re.findall(r'^#include "(.*-deb-multiarch\.h)"', (folder / "luaconf.h").read_text(), re.M):
        (folder / header).write_text('#define DEB_HOST_MULTIARCH "."\n')  # Debian's build makes it
    with open(folder / "luaconf.h", "a", encoding="utf-8") as file:  # else strings hash by the time of day
        file.write("\n#undef luai_makeseed\n#define luai_makeseed(L) ((void) (L), 0x5eedu)\n")
    steps = {name: n + n * percent // 100 for name, n in STEPS.items()}
    steps["RARE"] = 65536 * STEPS["OFTEN"] * percent // 100
    (folder / "plants.h").write_text("".join(f"#define {name} {n}\n" for name, n in steps.items()))
    with open(folder / "lapi.c", "a", encoding="latin-1") as file:
        file.write(comment)
    if unrelated is not None:
        insert(folder, random.Random(unrelated))


def insert(folder, draw):
    """A function that luaL_openlibs() leads to, and nobody calls: somewhere between the others."""
    lines = "".join(f"    x = x * {draw.randrange(3, 1 << 30)}u ^ x >> {draw.randrange(1, 30)};\n"
                    for _ in range(draw.randrange(1, 60)))
    function = f"unsigned unrelated(unsigned x);\nunsigned unrelated(unsigned x)\n{{\n{lines}    return x;\n}}\n"
    file = folder / draw.choice(("lapi.c", "ldo.c", "lgc.c", "lvm.c", "lstring.c", "ltable.c", "lstrlib.c"))
    text = file.read_text(encoding="latin-1")
    ends = [found.end() for found in re.finditer(r"^}\n", text, re.M)]
    at = draw.choice(ends)
    file.write_text(text[:at] + function + text[at:], encoding="latin-1")
    libraries = (folder / "linit.c").read_text(encoding="latin-1")
    begin = re.search(r"^LUALIB_API void luaL_openlibs \(lua_State \*L\) \{\n", libraries, re.M)
    if not begin:
        sys.exit(f"{folder}/linit.c: there is no luaL_openlibs() in it: are these the sources of Lua 5.4?")
    (folder / "linit.c").write_text(
        f"{libraries[:begin.start()]}unsigned unrelated(unsigned x);\n{begin[0]}  if (L == NULL) unrelated(0);\n"
        f"{libraries[begin.end():]}", encoding="latin-1")


def make_all(sources, folder):
    made = {"base": {}, "again": {"comment": "/* the same code */\n"}}
    made |= {kind: {"percent": percent} for kind, percent in PERCENT.items()}
    made |= {f"unrelated{k}": {"unrelated": k} for k in range(UNRELATED)}
    for name, how in made.items():
        make(sources, folder / name, **how)


# ---- The runs

def run(asked, folder, kind, number, kernels=()):
    """One line of the file. `kernels`: only these."""
    head = {"unrelated": f"unrelated{number % UNRELATED}", "memory": "again"}.get(kind, kind)
    file = HERE / ("memory.c" if kind == "memory" else "kernels.c")
    begun = time.monotonic()
    done = subprocess.run(
        [*shlex.split(asked.ampersand), "ab", "--base", folder / "base", "--head", folder / head, "--source", "l*.c",
         "--kernels", file, "--filter", f"^({'|'.join(kernels or KINDS[kind])})$", "--time-same", "--format", "json",
         *shlex.split(asked.flags)], cwd=folder, capture_output=True, text=True, errors="replace")
    row = {"kind": kind, "number": number, "status": done.returncode, "load": os.getloadavg()[0]}
    if done.returncode in (0, 3):
        kept = ("mean", "rare_most", "kernel", "verdict", "difference", "visits", "seconds", "quiet", "floor",
                "memory_bound")
        row["rows"] = [{key: one[key] for key in kept if key in one} for one in json.loads(done.stdout)["rows"]]
    else:
        row["why"] = (done.stderr.splitlines() or [""])[-1]
    return row | {"seconds": round(time.monotonic() - begun, 1)}


def plan(asked, have):
    """(kind, number) of the runs that the file has not: kinds in turn, as many A/A runs as planted ones."""
    wanted = {"again": asked.runs // 2, "unrelated": asked.runs - asked.runs // 2, "memory": asked.memory}
    wanted |= dict.fromkeys(PERCENT, asked.planted)
    jobs = [(k / n, kind, k) for kind, n in wanted.items() for k in range(n) if (kind, k) not in have]
    return [(kind, k) for _, kind, k in sorted(jobs)]


def measure(asked, rows):
    end = time.monotonic() + 60 * asked.minutes if asked.minutes else float("inf")
    with tempfile.TemporaryDirectory(prefix="accuracy-") as folder, open(asked.out, "a", encoding="utf-8") as file:
        make_all(asked.sources, Path(folder))

        def one(job):
            if time.monotonic() > end:
                return
            row = run(asked, Path(folder), *job)
            rows.append(row)
            file.write(json.dumps(row) + "\n")
            file.flush()

        with concurrent.futures.ThreadPoolExecutor(asked.jobs) as pool:
            list(pool.map(one, plan(asked, {(row["kind"], row["number"]) for row in rows})))


# ---- The table

def is_different(one):
    return one["verdict"] in ("slower", "faster")


def called_different(rows, kinds, title):
    runs = [row for row in rows if row["kind"] in kinds]
    wrong = [row for row in runs if any(map(is_different, row["rows"]))]
    yield line(f"{title}: calls some kernel different", len(wrong), len(runs))
    for row, one in ((row, one) for row in wrong for one in row["rows"] if is_different(one)):
        low, high = (100 * one["difference"][end] for end in ("low", "high"))
        yield f"    {row['kind']} {row['number']}: {one['kernel']} {one['verdict']}, {low:+.2f} to {high:+.2f} %"


def found(rows, kind, kernels, title):
    verdicts = collections.Counter(one["verdict"] for row in rows if row["kind"] == kind for one in row["rows"]
                                   if one["kernel"] in kernels)
    return line(f"{title}: slower", verdicts["slower"], sum(verdicts.values()),
                ", ".join(f"{n} {name}" for name, n in verdicts.items() if name != "slower"))


def floors(rows):
    """Of a kernel that is bound by memory: what was measured, against what was said to be the least that shows."""
    known = [one for row in rows if row["kind"] == "memory" for one in row["rows"]
             if one["floor"] and "difference" in one]
    if known:
        beyond = sum(abs(one["difference"]["estimate"]) > one["floor"] for one in known)
        said = sorted(100 * one["floor"] for one in known)
        most = max(abs(100 * one["difference"]["estimate"]) for one in known)
        yield line("memory: beyond the floor", beyond, len(known), f"floors {said[0]:.1f} to {said[-1]:.1f} %, median "
                   f"{said[len(said) // 2]:.1f} %; largest difference {most:.1f} %")


def table(rows):
    good = [row for row in rows if "rows" in row]
    for kind in SAME:
        yield from called_different(good, (kind,), kind)
    yield from called_different(good, SAME, "both")
    for kind in PERCENT:
        for kernel in PLANTED:
            yield found(good, kind, (kernel,), f"planted {kind} in {kernel}")
        yield found(good, kind, PLANTED, f"planted {kind} in all")
        yield found(good, kind, ("rare",), f"planted {kind} as rare slow calls")
    yield from called_different(good, ("memory",), "memory")
    yield from floors(good)
    for kinds in ((*SAME, *PERCENT), ("memory",)):
        these = [row for row in good if row["kind"] in kinds]
        if these:
            yield times(these)
    if len(good) < len(rows):
        yield f"{len(rows) - len(good)} runs failed: {next(row['why'] for row in rows if 'rows' not in row)}"


def times(rows):
    kernels = [one for row in rows for one in row["rows"]]
    of_run, of_kernel = (sorted(one["seconds"] for one in some) for some in (rows, kernels))
    loads = sorted(row["load"] for row in rows)
    undecided = sum(one["verdict"] == "undecided" for one in kernels)
    return (f"{len(rows)} runs, {of_run[len(of_run) // 2]:.0f} s each (median), "
            f"{of_kernel[len(of_kernel) // 2]:.1f} s a kernel; load {loads[0]:.0f} to {loads[-1]:.0f}; {undecided} of "
            f"{len(kernels)} kernels undecided")


def line(what, found, runs, more=""):
    if not runs:
        return f"{what:44} no runs"
    low, high = exactly(found, runs)
    return f"{what:44} {found:4} of {runs:4}   {100 * found / runs:5.1f} % ({low:.1f} to {high:.1f} %)  {more}".rstrip()


def begun(parser, asked):
    """The rows that the file has so far; ends where there is something to measure, and no Lua."""
    if not asked.table and not (asked.sources and (asked.sources / "lapi.c").is_file()):
        parser.error("--sources: name the folder src/ of Lua 5.4: apt-get source lua5.4")
    file = Path(asked.out)
    return [json.loads(one) for one in file.read_text().splitlines() if one.endswith("}")] if file.is_file() else []


def add_shared(parser, out):
    """What beside.py has, too."""
    beside = HERE.parents[2] / "ampersand"
    parser.add_argument("--flags", default="", help="more flags of ab, such as '--layouts 16'")
    parser.add_argument("--ampersand", default=str(beside) if beside.is_file() else "ampersand", metavar="COMMAND")
    parser.add_argument("--out", default=out, metavar="FILE")
    parser.add_argument("--table", action="store_true", help="only print what the file has")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sources", metavar="DIR", type=Path, help="Lua's src/")
    parser.add_argument("--runs", type=int, default=300, help="of versions that do not differ")
    parser.add_argument("--planted", type=int, default=100, help="runs of each planted difference")
    parser.add_argument("--memory", type=int, default=0, help="runs of a kernel that is bound by memory")
    parser.add_argument("--minutes", type=float, help="begin no run after that")
    parser.add_argument("--jobs", type=int, default=1, help="runs at once: they then disturb each other")
    add_shared(parser, "accuracy.jsonl")
    asked = parser.parse_args()
    rows = begun(parser, asked)
    if not asked.table:
        measure(asked, rows)
    print("\n".join(table(rows)))


if __name__ == "__main__":
    main()

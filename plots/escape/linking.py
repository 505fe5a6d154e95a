# SPDX-License-Identifier: MIT
"""Which files make up one program, where several have a main(): with each main what it needs, as a linker takes it from
libraries. What was found in several programs is put together: what does not hold in one of them does not hold."""

from plots.escape import chains


def programs(files, symbols):
    """[[file]]: `symbols` says of each file {"defines", "needs"}. One list if at most one file has a main()."""
    mains = [file for file in files if "main" in symbols[file]["defines"]]
    if len(mains) < 2:
        return [list(files)]
    definers = {}
    for file in files:
        for name in symbols[file]["defines"] if file not in mains else ():
            definers.setdefault(name, []).append(file)
    found = [closure(main, symbols, definers) for main in mains]
    used = set().union(*found)
    rest = []  # what no main needs: together, as far as no name is defined twice
    for file in (file for file in files if file not in used):
        names = set(symbols[file]["defines"])
        fitting = next((one for one in rest if not names & one["names"]), None)
        if fitting is None:
            fitting = {"names": set(), "files": []}
            rest.append(fitting)
        fitting["names"] |= names
        fitting["files"].append(file)
    return [[file for file in files if file in program] for program in found] + [one["files"] for one in rest]


def closure(main, symbols, definers):
    """The main and all that it needs. A name that several files define stays unknown: which one is meant, is."""
    taken, to_do, defined = {main}, [main], set(symbols[main]["defines"])
    while to_do:
        for name in symbols[to_do.pop()]["needs"]:
            by = definers.get(name, ())
            if name in defined or len(by) != 1 or by[0] in taken:
                continue
            taken.add(by[0])
            to_do.append(by[0])
            defined |= set(symbols[by[0]]["defines"])
    return taken


def key_of(kind, one):
    return kind, one.get("file"), one.get("line"), one.get("column"), one["function"], one.get("name"), one.get("what")


def merge(results):
    """One result of several, in which each place stands once."""
    first, *others = results
    if not others:
        return first
    merged = {"version": first["version"], "pointers": {"calls": 0, "resolved": 0, "why": ""}}
    for kind in ("allocations", "locals", "given_up", "copies", "parameters", "frames", "wrappers", "passed"):
        known = {}
        for result in results:
            for one in result[kind]:
                key = key_of(kind, one)
                known[key] = worse(known[key], one) if key in known and kind == "allocations" else known.get(key, one)
        merged[kind] = list(known.values())
    for result in results:
        for count in ("calls", "resolved"):
            merged["pointers"][count] += result["pointers"][count]
        merged["pointers"]["why"] = merged["pointers"]["why"] or result["pointers"]["why"]
    merged["functions"] = len(merged["frames"])
    merged["chains"] = sorted((chain for result in results for chain in result["chains"]),
                              key=lambda chain: -chain["bytes"])[:chains.MOST]
    return merged


def worse(a, b):
    """Of what two programs say of one allocation, that which keeps it on the heap; of two, what is certain."""
    if (a["bytes"], a.get("at_most")) != (b["bytes"],
                                          b.get("at_most")) and a["obstacle"] is None and b["obstacle"] is None:
        return {**a, "obstacle": "size", "reason": "its size differs between the programs that share this file"}
    return min(a, b, key=lambda one: (one["obstacle"] is None, one["obstacle"] != "outlives",
                                      one.get("assumed", False)))

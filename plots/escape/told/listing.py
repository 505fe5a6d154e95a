# SPDX-License-Identifier: MIT
"""What was found, as lines of a terminal: one screen, or all of it."""

from plots.escape.told import explain
from plots.words import quantity

SCREEN = 20  # lines of the first screen
LARGE_B = 4096  # frames and chains of calls from a page on are told by -m; JSON has all frames


def saved(finding):
    """The middle of what it saves in ns: of all calls where they are counted, else of one; 0 if that is not certain."""
    low, high = finding.get("saving_ns") or (0, 0)
    return (low + high) / 2 * finding.get("calls", 1)


def order(finding):
    """What gains most first; where nothing is measured, objects in loops, then the large ones; the rest by place."""
    return (-saved(finding), -finding.get("calls", 0), not finding["loop"], -(finding["bytes"] or 0), finding["file"],
            finding["line"], finding["column"])


def by_place(finding):
    return finding["file"], finding["line"], finding["column"]


def by_size(copy):
    """In loops first, then large ones."""
    return not copy["loop"], -copy["bytes"], *by_place(copy)


def lines(found, whole):
    """A line for each local and each allocation, as Go's compiler prints them."""
    for finding in sorted(found["locals"], key=by_place):
        yield f"{explain.place(finding)}: {explain.local(finding)}"
        if whole:
            yield from explain.whole(finding["path"])
    for finding in sorted(found["allocations"], key=by_place):
        yield f"{explain.place(finding)}: {explain.allocation(finding)}: {explain.why(finding)}"
        if whole:
            yield from explain.whole(finding.get("path", []))
    for copy in sorted(found["copies"], key=by_size):
        yield f"{explain.place(copy)}: {explain.copied(copy)}"
    for one in found["parameters"]:
        yield f"{one['function']}(): {explain.parameter(one)}"
    for one in found["passed"]:
        if one["to"] == "value":
            yield f"{explain.place(one)}: {explain.passed(one)}"
    for frame in sorted(found["frames"], key=lambda frame: -frame["bytes"]):
        if frame["bytes"] >= LARGE_B:
            yield f"{explain.place(frame)}: {explain.frame(frame)}"
    for chain in found["chains"]:
        if chain["bytes"] >= LARGE_B:
            yield explain.chain(chain)
            if whole:
                yield from (f"    {explain.link(step)}" for step in chain["steps"])
    for frame in found["frames"]:
        for taken in frame["taken"]:
            yield f"{explain.place(taken)}: {explain.taken(frame, taken)}"
    for one in found["given_up"]:
        yield f"{one['function']}(): not followed: it {one['why']}; all that it gets or makes is taken to escape"


def counts(found):
    sites = found["allocations"]
    frame = sum(site["obstacle"] is None for site in sites)
    assumed = sum(site.get("assumed", False) for site in sites)
    yield (f"{quantity.counted(found['files'], 'file')}, {quantity.counted(found['functions'], 'function')}, "
           f"{quantity.counted(len(sites), 'allocation')}: {frame} could live in the frame, "
           f"{sum(site['obstacle'] == 'outlives' for site in sites)} outlive it "
           f"({assumed} of these as far as is known: a body or a pointer is not seen)")
    pointers = found["pointers"]
    if pointers["resolved"] < pointers["calls"]:
        yield (f"{pointers['calls'] - pointers['resolved']} of {quantity.counted(pointers['calls'], 'call')} through "
               f"pointers may reach functions that are not seen{unseen(pointers['why'])}")


def unseen(why):
    return f": {why}; --closed if none is called" if why else ""


def first_screen(found):
    head = list(counts(found))
    yield from head
    shown = [f"{explain.place(one)}: {'bug' if one['returned'] else 'left behind'}: {explain.local(one)}"
             for one in sorted(found["locals"], key=by_place)]
    frame = sorted((one for one in found["allocations"] if one["obstacle"] is None), key=order)
    measured = [one for one in frame if "saving_ns" not in one or saved(one) > 0]
    shown += [f"{explain.place(one)}: {explain.allocation(one)}: {explain.why(one)}" for one in measured]
    if len(measured) < len(frame):
        shown.append(f"no gain here: {len(frame) - len(measured)} more could live in the frame (-m)")
    room = SCREEN - len(head) - 2
    yield from shown[:room]
    if len(shown) > room:
        yield f"{len(shown) - room} more: -m prints all"
    else:
        yield "-m prints why each other allocation must be on the heap; -m=2 every step of it"

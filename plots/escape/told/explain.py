# SPDX-License-Identifier: MIT
"""Findings as sentences: where an object must live and why, in one line or step by step."""

import os

from plots.words import quantity

MOST_STEPS = 4  # in one line


def place(at, file=None):
    """"k.c:16:9", or "line 16" in the file that is known already."""
    if file is not None and at["file"] == file:
        return f"line {at['line']}"
    name = os.path.relpath(at["file"]) if at["file"] else "?"
    return f"{name if not name.startswith('../..') else at['file']}:{at['line']}" + (
        f":{at['column']}" if file is None else "")


def step(hop, file):
    text = f"{hop['what']} at {place(hop, file)}"
    inner = hop.get("within")
    if inner and not hop["what"].startswith("returned by"):
        text += ", there " + step(inner[-1], file)
    return text


def gain(finding):
    if "saving_ns" not in finding:
        return f"; it ran {quantity.counted(finding['calls'], 'time')}" if "calls" in finding else ""
    if finding["saving_ns"] is None:
        return "; no gain is known at this size"
    low, high = finding["saving_ns"]
    return f"; saves {quantity.interval(low, high)} ns and an allocation each time{in_all(finding)}"


def in_all(finding):
    if "calls" not in finding:
        return ""
    calls, (low, high) = finding["calls"], finding["saving_ns"]
    if calls == 0:
        return "; it did not run"
    return f"; {quantity.count(calls)} times: {quantity.interval(low * calls / 1e6, high * calls / 1e6)} ms"


DOES = {"fills": "filled what it is given", "frees": "did not free it"}


def changes(finding):
    """What other functions would have to do."""
    wanted = dict.fromkeys(f"{one['function']}() {DOES[one['does']]}" for one in finding["changes"])
    return f", if {' and '.join(wanted)}" if wanted else ""


def why(finding):
    """One line."""
    if finding["obstacle"] is None:
        return (f"could live in the frame{changes(finding)}" + ("" if finding["freed"] else "; it is never freed") +
                gain(finding))
    if finding["obstacle"] != "outlives":
        return finding["reason"]
    steps = [step(hop, finding["file"]) for hop in finding["path"]]
    steps = [one for one, before in zip(steps, ["", *steps]) if one != before]
    if finding.get("out_parameter"):
        callers = quantity.counted(finding["out_parameter"], "call")
        steps.append(f"and dies with the caller in {callers}, all there are: could be an out-parameter")
    if len(steps) > MOST_STEPS:
        steps[1:-2] = [f"{len(steps) - 3} steps more (-m=2)"]
    return ", ".join(steps)


def allocation(finding):
    size = "" if finding["bytes"] is None else f" of {quantity.size(finding['bytes'])}"
    if "at_most" in finding:
        size = f" of at most {quantity.size(finding['at_most'])}"
    where = " in a loop" if finding["loop"] else ""
    return f"{finding['by']}{size}{where} in {finding['function']}()"


def local(finding):
    steps = ", ".join(step(hop, finding["file"]) for hop in finding["path"])
    return f"address of local `{finding['name']}` outlives {finding['function']}(): {steps}"


def whole(path, indent="    "):
    """Every step, a line each; what a called function does stands below the call."""
    for hop in path:
        assumed = " (assumed)" if hop.get("assumed") else ""
        yield f"{indent}{place(hop)}: {hop['what']}{assumed}"
        yield from whole(hop.get("within", []), indent + "    ")


def copied(copy):
    what = "an object is copied" if copy["what"] == "object" else "an argument is copied into the frame of the call"
    return f"{quantity.size(copy['bytes'])} in {copy['function']}(): {what}{' in a loop' if copy['loop'] else ''}" + (
        "" if copy.get("survives", True) else "; -O2 removes it")


def parameter(one):
    how = "changed or handed on" if one["changed"] else "only read: a `const` pointer would copy nothing"
    return f"parameter `{one['name']}` is passed by value in memory, {quantity.size(one['bytes'])}; it is {how}"


def passed(one):
    """A pointer to a small object."""
    return (f"{one['function']}(): of what parameter `{one['name']}` points at, {quantity.size(one['bytes'])} are only "
            "read: it could be passed by value")


def taken(frame, one):
    """What a frame takes while the function runs."""
    where = f"{frame['function']}(){' in a loop' if one['loop'] else ''}"
    return f"{one['what']} in {where}, of a size that only the run knows"


def frame(one):
    return f"{quantity.size(one['bytes'])} of locals in the frame of {one['function']}()"


def link(step):
    """A step of a chain of calls."""
    names = ", ".join(f"{one}()" for one in step["functions"])
    around = " call each other, each counted once" if len(step["functions"]) > 1 else " calls itself, counted once"
    varies = "; of a size that only the run knows" if step["varies"] else ""
    return f"{names} {quantity.size(step['bytes'])}{around if step['recursive'] else ''}{varies}"


def chain(one):
    frames = sum(len(step["functions"]) for step in one["steps"])
    names = [step["functions"][0] + "()" + (f" and {len(step['functions']) - 1} around it"
                                             if len(step["functions"]) > 1 else "") for step in one["steps"]]
    if len(names) > MOST_STEPS:
        names[2:-1] = [f"{len(names) - 3} steps more (-m=2)"]
    around = any(step["recursive"] for step in one["steps"])
    return (f"a chain of calls needs {quantity.size(one['bytes'])} of locals in {quantity.counted(frames, 'frame')}"
            f"{' or more, since some call themselves' if around else ''}: {', '.join(names)}")

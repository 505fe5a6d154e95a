# SPDX-License-Identifier: MIT
"""The chains of calls that need most stack: from each function that no other calls, the way down whose frames are
largest in sum. Functions that call each other make one step, in which each is counted once: how often they go round is
only known when they run."""

MOST = 5  # chains that are told


def circles(calls):
    """[[function]], the called ones first: those that call each other stand together (Tarjan's components)."""
    index, low, open_, found = {}, {}, [], []
    for start in calls:
        if start in index:
            continue
        path = [(start, iter(calls[start]))]
        index[start] = low[start] = len(index)
        open_.append(start)
        while path:
            function, rest = path[-1]
            for called in rest:
                if called not in index:
                    index[called] = low[called] = len(index)
                    open_.append(called)
                    path.append((called, iter(calls[called])))
                    break
                if called in low:
                    low[function] = min(low[function], index[called])
            else:
                path.pop()
                if path:
                    low[path[-1][0]] = min(low[path[-1][0]], low[function])
                if low[function] == index[function]:
                    at = open_.index(function)
                    found.append(open_[at:])
                    for one in open_[at:]:
                        del low[one]
                    del open_[at:]
    return found


def of(found, called_by):
    """The largest ones: [{"bytes", "steps": [{"functions", "bytes", "recursive", "varies"}]}]. `called_by`: {function:
    [what it calls]}."""
    frames = {frame["function"]: frame for frame in found["frames"]}
    calls = {name: [called for called in called_by.get(name, ()) if called in frames] for name in frames}
    steps, best = {}, {}  # of each function its step; of each step (bytes, the next step)
    for members in circles(calls):
        step = {"functions": sorted(members), "bytes": sum(frames[one]["bytes"] for one in members),
                "recursive": len(members) > 1 or members[0] in calls[members[0]],
                "varies": sorted(one for one in members if frames[one]["taken"])}
        below = [steps[called] for one in members for called in calls[one] if called in steps]
        deepest = max(below, key=lambda one: best[id(one)][0], default=None)
        best[id(step)] = (step["bytes"] + (best[id(deepest)][0] if deepest else 0), deepest)
        steps.update((one, step) for one in members)
    called = {id(steps[one]) for name in calls for one in calls[name] if steps[one] is not steps[name]}
    heads = {id(step): step for step in steps.values() if id(step) not in called}.values()
    return [chain(head, best) for head in sorted(heads, key=lambda one: -best[id(one)][0])[:MOST]]


def chain(step, best):
    total, way = best[id(step)][0], []
    while step:
        way.append(step)
        step = best[id(step)][1]
    return {"bytes": total, "steps": way}

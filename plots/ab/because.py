# SPDX-License-Identifier: MIT
"""Why the head of a kernel takes another time, as far as counts and code show it."""

from plots.words import quantity

NAMED = 3  # changed functions
WORTH = 0.002  # of the instructions


def of(facts, counts):
    """{kernel: sentence}, only of those for which there is one."""
    found = {}
    for kernel in facts["kernels"]:
        parts = [*_counted(counts.get(kernel)), *_code(facts, kernel)]
        if parts:
            found[kernel] = ", ".join(parts)
    return found


def _counted(both):
    if not both:
        return
    base, head = both["base"], both["head"]
    if base["allocs"] is not None and head["allocs"] is not None and base["allocs"] != head["allocs"]:
        new, old = (f"{quantity.count(float(one['allocs']))} of {quantity.size(float(one['asked_b'] or 0))}"
                    for one in (head, base))
        yield f"allocations: {new} instead of {old}"
    for key in ("instructions", "loads", "stores"):
        one, other = base[key], head[key]
        change = float(other / one) - 1 if one and other is not None else 0
        if abs(change) >= WORTH:
            yield f"{quantity.percent(change, signed=True)} {key}"


def _code(facts, kernel):
    code = facts.get("code", {}).get(kernel)
    if not code:
        return
    if code["copies"] and code["copies"]["base"] != code["copies"]["head"]:
        yield f"copies {quantity.size(code['copies']['head'])} instead of {quantity.size(code['copies']['base'])}"
    for name, both in list(code["frames"].items())[:1]:
        yield f"the frame of {name}() is {quantity.size(both['head'])} instead of {quantity.size(both['base'])}"
    for name, both in list(code["calls"].items())[:1]:
        yield f"{quantity.counted(both['head'], 'call')} in {name}() instead of {both['base']}"
    changed = code["changed"]
    if changed:
        more = f" and {len(changed) - NAMED} more" if len(changed) > NAMED else ""
        yield f"changed: {', '.join(changed[:NAMED])}{more}"

# SPDX-License-Identifier: MIT
"""Objects that a function makes and returns, and that each of its callers could hold in its own frame: the caller could
pass the address of a local instead (an out-parameter)."""

def returns_only(path):
    """Whether the way out is the function's own return, and no call's."""
    return bool(path) and path[-1]["what"] == "returned" and not any(
        "within" in hop or hop.get("assumed") for hop in path)


def dies_in_caller(site):
    return site["obstacle"] is None and all(one["does"] == "fills" for one in site["changes"])


def add(found):
    """Set "out_parameter" of such an allocation: how many calls there are, all of which are seen."""
    calls = {}
    for site in found["allocations"]:
        calls.setdefault(site["by"], []).append(site)
    for site in found["allocations"]:
        callers = calls.get(site["function"], [])
        if (site["obstacle"] == "outlives" and site["callers_known"] and callers and returns_only(site["path"])
                and all(map(dies_in_caller, callers))):
            site["out_parameter"] = len(callers)

# SPDX-License-Identifier: MIT
"""Findings as diagnostics of the Language Server Protocol, as Go's compiler writes them (-json): what a server would
publish for each file, with the steps of a pointer as related information. Lines and columns count from 0 there."""

from pathlib import Path

from plots.escape.told import explain, sarif

ERROR, WARNING, INFORMATION, HINT = 1, 2, 3, 4


def where(at):
    """A range of no width: only the start is known."""
    point = {"line": max(at["line"], 1) - 1, "character": max(at["column"], 1) - 1}
    return {"start": point, "end": point}


def uri(at):
    return Path(at["file"]).as_uri() if at["file"] else "file:///"


def steps(path):
    for hop in path:
        yield {"location": {"uri": uri(hop), "range": where(hop)},
               "message": f"escflow: {hop['what']}{' (assumed)' if hop.get('assumed') else ''}"}
        yield from steps(hop.get("within", []))


def diagnostic(rule, severity, one, text):
    return {"range": where(one), "severity": severity, "code": rule, "source": "ampersand escape", "message": text,
            "relatedInformation": list(steps(one.get("path", [])))}


def of(found):
    """[{"uri", "diagnostics"}], by file and place."""
    files = {}
    for one in found["locals"]:
        severity = ERROR if one["returned"] else WARNING
        files.setdefault(uri(one), []).append(diagnostic("local-outlives-frame", severity, one, explain.local(one)))
    for one in found["allocations"]:
        severity = INFORMATION if one["obstacle"] is None else HINT
        files.setdefault(uri(one), []).append(
            diagnostic(sarif.rule_of(one), severity, one, f"{explain.allocation(one)}: {explain.why(one)}"))
    order = lambda one: (one["range"]["start"]["line"], one["range"]["start"]["character"])
    return [{"uri": file, "diagnostics": sorted(files[file], key=order)} for file in sorted(files)]

# SPDX-License-Identifier: MIT
"""Findings as SARIF 2.1.0, which code scanning of forges and editors reads. The way of a pointer is a code flow."""

from pathlib import Path

from plots.escape.told import explain

RULES = {
    "local-outlives-frame": "The address of a local outlives its frame.",
    "could-live-in-frame": "A heap allocation whose object dies before its function returns.",
    "never-freed": "A heap allocation that does not leave its function and is never freed.",
    "must-be-on-heap": "A heap allocation that outlives its function, and how.",
}
LEVELS = {"local-outlives-frame": "error", "must-be-on-heap": "none"}


def location(at, text=None):
    found = {"physicalLocation": {"artifactLocation": {"uri": Path(at["file"]).as_uri() if at["file"] else "file:///"},
                                  "region": {"startLine": max(at["line"], 1), "startColumn": max(at["column"], 1)}}}
    return {**found, "message": {"text": text}} if text else found


def steps(path):
    for hop in path:
        yield {"location": location(hop, hop["what"])}
        yield from steps(hop.get("within", []))


def result(rule, finding, text):
    level = "warning" if finding.get("returned") is False else LEVELS.get(rule, "note")  # stored, perhaps never read
    found = {"ruleId": rule, "level": level, "message": {"text": text},
             "locations": [location(finding)]}
    if finding.get("path"):
        found["codeFlows"] = [{"threadFlows": [{"locations": list(steps(finding["path"]))}]}]
    return found


def rule_of(finding):
    if finding["obstacle"] is None:
        return "could-live-in-frame" if finding["freed"] else "never-freed"
    return "must-be-on-heap"


def of(found):
    results = [result("local-outlives-frame", one, explain.local(one)) for one in found["locals"]]
    results += [result(rule_of(one), one, f"{explain.allocation(one)}: {explain.why(one)}")
                for one in found["allocations"]]
    rules = [{"id": name, "shortDescription": {"text": text}} for name, text in RULES.items()]
    return {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0",
            "runs": [{"tool": {"driver": {"name": "ampersand escape", "rules": rules}}, "results": results}]}

# SPDX-License-Identifier: MIT
"""Whether two runs were made under the same conditions, and of which lessons the code is the same."""

from dataclasses import replace

from plots.files import compiled
from plots.judge.comparison import Fact

# What varies from run to run of one machine, or has no part in a paired launch.
IGNORED = {"machine.load_1min", "machine.hardware_counters", "build.modules_crc32"}
NEWER = {"machine.cpus_allowed"}  # what older runs do not say, and may be the same
# How an epoch is measured. The number of launches is none of it: launches are samples.
SETTINGS = ("epoch_ns", "rounds_per_block", "layouts", "layout", "threshold")


def differences(a, b):
    """The Facts in which the conditions of two runs differ."""
    found = [one for one in _unlike(_facts(a), _facts(b)) if not (one.fact in NEWER and None in (one.a, one.b))]
    return found + compiled_differently(a, b, shared_lessons(a, b))


def _unlike(a, b):
    return [Fact(fact=fact, a=a.get(fact), b=b.get(fact)) for fact in {**a, **b} if a.get(fact) != b.get(fact)]


def shared_lessons(a, b):
    others = {row.lesson for row in b.rows}
    return list(dict.fromkeys(row.lesson for row in a.rows if row.lesson in others))


def _facts(run):
    manifest = run.manifest
    settings = {key: manifest["settings"].get(key) for key in SETTINGS}
    settings["layout"] = -1 if settings["layout"] is None else settings["layout"]
    configuration = next(one for one in manifest["configurations"] if one["name"] == run.configuration)
    parts = {"machine": manifest["machine"], "build": manifest["build"], "allocator": manifest["allocator"] or {},
             "configuration": configuration, "settings": settings}
    return {"ampersand": manifest["version"]} | {fact: value for fact, value in _leaves(parts, "")
                                                 if fact not in IGNORED}


def _leaves(part, name):
    if isinstance(part, dict) and name not in IGNORED:
        for key, value in part.items():
            yield from _leaves(value, f"{name}.{key}" if name else key)
    else:
        yield name, part


def _compiled(run, lessons):
    """{fact: how} of these lessons, for a comparison; nothing of a run that did not ask them."""
    layouts = run.manifest["layouts"]
    return {f"compiled.{lesson}": compiled.of_lesson(run.manifest, lesson, telling=False) for lesson in lessons
            if layouts[lesson].get("compiled")}


def compiled_differently(a, b, lessons):
    """The Facts: one for all lessons where they all differ in the same way."""
    found = _unlike(_compiled(a, lessons), _compiled(b, lessons))
    if len(found) == len(lessons) > 1 and len({(one.a, one.b) for one in found}) == 1:
        return [replace(found[0], fact="compiled")]
    return found


def code(a, b):
    """{lesson: "same", "changed" or "unknown"} for each lesson that both runs have.

    The checksum is of the lesson's whole first module: one function at another place, or other debug information, is a
    change, too. So "same" is certain, and "changed" only says that the lesson was built anew."""
    crc_a, crc_b = (run.manifest["build"].get("modules_crc32") or {} for run in (a, b))
    found = {}
    for lesson in shared_lessons(a, b):
        known = lesson in crc_a and lesson in crc_b
        found[lesson] = "unknown" if not known else "same" if crc_a[lesson] == crc_b[lesson] else "changed"
    return found


def same_layouts(row, a, b):
    """Whether the row's functions stood at the same places in both runs."""
    return _offsets(row, a) == _offsets(row, b)


def _offsets(row, run):
    units = run.manifest["layouts"][row.lesson]["units"]
    return next((unit["offsets"] for unit in units if row.name in unit["rows"]), None)

# SPDX-License-Identifier: MIT
"""How each lesson of a run was compiled, as its object says (harness/lesson/lesson_object.py). A run may hold lessons
of several compilers. An older run only says what ampersand itself was built with. And for which ABI: how arguments are
passed is its affair, and some texts are true of one only."""

import re

# What is worth a word beside the compiler: what optimises, chooses instructions, or adds code.
_TELLING = re.compile(r"-(O|m|flto|fno-inline|ffast-math|fsanitize|fprofile|finstrument|fno-omit-frame-pointer|"
                      r"fstack-(protector|clash)|fcf-protection)")
_USUAL = ("-mtune=generic", "-march=x86-64", "-fcf-protection=none")
SYSV, AAPCS64 = "x86-64 System V", "AArch64"  # the names are those of harness/kernel.h
_ABIS = {"x86_64": SYSV, "aarch64": AAPCS64}
_FEW = 2  # lessons that are named where they are not compiled like the others, and features of a processor


def abi(manifest):
    """Its name, or None where nobody has written down what it does."""
    return _ABIS.get(manifest["machine"].get("arch"))


def units(manifest, lesson):
    """[{compiler, flags}] of a lesson; flags are None where its object does not say them."""
    table = manifest["layouts"][lesson]
    build = manifest["build"]
    return table.get("compiled") or [{"compiler": build.get("compiler") or "unknown compiler",
                                      "flags": [*(build.get("kernel_args") or ()), *table.get("flags", ())]}]


def words(unit, telling=True):
    """"gcc 12.2.0 -O2"; with all flags where they are not only to tell."""
    if unit["flags"] is None:
        return f"{unit['compiler']}, flags not recorded"
    kept = [flag for flag in unit["flags"] if not telling or (_TELLING.match(flag) and flag not in _USUAL)]
    return " ".join([unit["compiler"], *kept])


def of_lesson(manifest, lesson, telling=True):
    return " and ".join(dict.fromkeys(words(unit, telling) for unit in units(manifest, lesson)))


def caption(manifest, lesson):
    """As of_lesson(), for where there is little room: what -march=native says, some ninety features, is counted."""
    kept, features = [], 0
    for flag in of_lesson(manifest, lesson).split(" "):
        feature = flag.startswith("-m") and not flag.startswith(("-march=", "-mtune="))
        features += feature
        if not feature or features <= _FEW:
            kept.append(flag)
    return " ".join(kept) + (f" and {features - _FEW} more -m flags" if features > _FEW else "")


def ways(manifest, telling=True):
    """{how: the lessons that were measured and are compiled so}, most of them first."""
    found = {}
    for lesson in dict.fromkeys(row["lesson"] for row in manifest.get("rows", ())):
        found.setdefault(of_lesson(manifest, lesson, telling), []).append(lesson)
    return dict(sorted(found.items(), key=lambda one: -len(one[1])))


def brief(manifest):
    """All lessons in a few words; of a run that has none what ampersand itself was built with."""
    found = ways(manifest)
    if not found:
        return words({"compiler": manifest["build"].get("compiler") or "unknown compiler",
                      "flags": manifest["build"].get("kernel_args") or []})
    (how, most), *others = found.items()
    names = [f"{lesson}: {other}" for other, lessons in others for lesson in lessons]
    if len(names) > _FEW:
        names = [f"{len(names)} of {len(most) + len(names)} lessons otherwise"]
    return how + (f" ({'; '.join(names)})" if names else "")

# SPDX-License-Identifier: MIT
"""The Go benchmark text format, written and read: what benchstat and its kin understand.

Definition: golang.org/design/14313-benchmark-format, and golang.org/x/perf/benchfmt for unit metadata.

    Unit allocs/op assume=exact
    goos: linux
    BenchmarkPass/size=64/side=value 1048576 1.25 ns/op 0 B/op 0 allocs/op

How a lesson was compiled stands above its lines, where that is not as before: benchstat makes a table of each way, and
one of all with -ignore compiler,kernel-args.

A launch that the summary leaves out has "launch: left out, disturbed" above its lines: benchstat then gives it a table
of its own.

One line a side and launch, so that benchstat's samples are launches; `benchstat -col /side bench.txt` sets the two
sides beside each other."""

import re
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from plots.files import compiled

LEFT_OUT = {"launch": "left out, disturbed"}  # the "key: value" line of a launch that the summary leaves out
UNITS = {"B/op": {"assume": "exact"}, "allocs/op": {"assume": "exact"}}
_GOARCH = {"x86_64": "amd64", "aarch64": "arm64", "i686": "386", "riscv64": "riscv64", "ppc64le": "ppc64le",
           "s390x": "s390x", "armv7l": "arm"}


@dataclass(frozen=True)
class Line:
    name: str  # without "Benchmark"
    iterations: int
    values: dict  # unit -> value
    configuration: dict  # the "key: value" lines in force


class Malformed(ValueError):
    """`line` is 1-based."""

    def __init__(self, line, why):
        super().__init__(f"line {line}: {why}")


def benchmark_name(row, side):
    """BenchmarkPass/size=64/side=value: Go wants no lower-case letter after "Benchmark"."""
    return f"Benchmark{row[0].upper()}{row[1:]}/side={side}"


def number(x):
    """A count in full; a time with six significant digits, never with an exponent, which people read badly."""
    if isinstance(x, (int, Fraction)):
        return str(x.numerator) if x.denominator == 1 else np.format_float_positional(float(x), trim="-")
    return np.format_float_positional(float(f"{x:.6g}"), trim="-")


def configuration_of(manifest, configuration):
    """The "key: value" lines. Keys are those of `go test`, then our own; a value stays on its line."""
    machine = manifest["machine"]
    arch = machine.get("arch")
    pairs = {"goos": "linux", "goarch": _GOARCH.get(arch, arch), "pkg": "ampersand", "cpu": machine.get("cpu"),
             "allocator": (manifest["allocator"] or {}).get("name"), "configuration": configuration}
    return _on_a_line(pairs)


def compilation_of(manifest, lesson):
    """The "key: value" lines of one lesson."""
    units = compiled.units(manifest, lesson)
    flags = [" ".join(unit["flags"]) if unit["flags"] is not None else "not recorded" for unit in units]
    return _on_a_line({"compiler": " and ".join(dict.fromkeys(unit["compiler"] for unit in units)),
                       "kernel-args": " and ".join(dict.fromkeys(flags))})


def _on_a_line(pairs):
    return {key: " ".join(str(value).split()) for key, value in pairs.items() if value}


def write(configuration, lines):
    """The text of a file; `lines` are (name, iterations, {unit: value}, the "key: value" lines of its own)."""
    out = [f"Unit {unit} " + " ".join(f"{k}={v}" for k, v in facts.items()) for unit, facts in UNITS.items()]
    out += [f"{key}: {value}" for key, value in configuration.items()]
    in_force = {}
    for name, iterations, values, own in lines:
        for key in [*own, *(key for key in in_force if key not in own)]:
            if own.get(key) != in_force.get(key):
                out.append(f"{key}: {own.get(key, '')}".rstrip())
        in_force = own
        out.append(" ".join([name, str(iterations)] + [f"{number(x)} {unit}" for unit, x in values.items()]))
    return "\n".join(out) + "\n"


def read(text):
    """(lines, units) of a file. Lines that are neither are skipped, as the format says; a broken benchmark line is
    Malformed."""
    lines, units, configuration = [], {}, {}
    for i, text_line in enumerate(text.split("\n"), start=1):
        if text_line.startswith("Unit "):
            unit, *facts = text_line.split()[1:] or [""]
            if not unit or not all(re.fullmatch(r"[^=\s]+=\S*", fact) for fact in facts):
                raise Malformed(i, "a Unit line is: Unit <unit> <key>=<value> ...")
            units.setdefault(unit, {}).update(fact.split("=", 1) for fact in facts)
        elif re.match(r"Benchmark(?![a-z])\S*\s", text_line):
            lines.append(_read_benchmark(text_line, i, dict(configuration)))
        elif match := re.match(r"([a-z][^\sA-Z:]*):(?:[ \t]+(.*))?$", text_line):
            if match[2]:
                configuration[match[1]] = match[2].strip()
            else:
                configuration.pop(match[1], None)
    return lines, units


def _read_benchmark(text, line, configuration):
    name, *fields = text.split()
    try:
        iterations = int(fields[0])
        values = [float(value) for value in fields[1::2]]
    except (ValueError, IndexError):
        raise Malformed(line, "not <name> <iterations> <value> <unit> ...") from None
    units = fields[2::2]
    if iterations < 1 or not values or len(values) != len(units):
        raise Malformed(line, "not <name> <iterations> <value> <unit> ...")
    return Line(name[len("Benchmark"):], iterations, dict(zip(units, values)), configuration)

# SPDX-License-Identifier: MIT
"""Reads what `profile -o` writes: profile.proto of pprof, compressed.

Of its fields only those are read that say how many objects which lines allocated. Source: profile.proto."""

import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path

from plots.program.errors import Refused

SAMPLE_TYPE, SAMPLE, LOCATION, FUNCTION, STRING = 1, 2, 4, 5, 6  # fields of a Profile
VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5  # how a field is written


@dataclass
class Sample:
    values: dict  # {"alloc_objects": 3}
    stack: list   # of (function, file, line), the innermost first


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if data[at - 1] < 0x80:
            return value, at


def fields(data):
    """(number, value) of each field of a message."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == VARINT:
            value, at = varint(data, at)
        else:
            size, at = varint(data, at) if key & 7 == LENGTH else ({FIXED64: 8, FIXED32: 4}[key & 7], at)
            value, at = data[at:at + size], at + size
        yield key >> 3, value


def numbers(values):
    """Of a repeated field: one number each, or many packed together."""
    for value in values:
        at = 0
        while not isinstance(value, int) and at < len(value):
            number, at = varint(value, at)
            yield number
        if isinstance(value, int):
            yield value


def grouped(data):
    found = {}
    for number, value in fields(data):
        found.setdefault(number, []).append(value)
    return found


def samples(path):
    """[Sample] of a profile. Refused if the file is none."""
    try:
        whole = grouped(gzip.decompress(Path(path).read_bytes()))
        texts = [text.decode(errors="replace") for text in whole[STRING]]
        first = lambda message, number: message.get(number, [0])[0]
        functions = {first(one, 1): (texts[first(one, 2)], texts[first(one, 4)])
                     for one in map(grouped, whole.get(FUNCTION, []))}
        kinds = [texts[first(grouped(one), 1)] for one in whole[SAMPLE_TYPE]]
        places = {}
        for one in map(grouped, whole.get(LOCATION, [])):
            lines = map(grouped, one.get(4, []))
            places[first(one, 1)] = [(*functions[first(line, 1)], first(line, 2)) for line in lines]
        return [Sample(dict(zip(kinds, numbers(one[2]))), [line for n in numbers(one[1]) for line in places[n]])
                for one in map(grouped, whole.get(SAMPLE, []))]
    except OSError as error:
        raise Refused(path, error.strerror or error) from None
    except (EOFError, zlib.error, KeyError, IndexError, ValueError, TypeError) as error:
        raise Refused(path, f"is no profile that `profile -o` wrote: {type(error).__name__}: {error}") from None

# SPDX-License-Identifier: MIT
"""Reads a profile in pprof's form (profile.proto, compressed by gzip): kinds of values, and samples with their
stacks."""

import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path

from plots.program.errors import Refused

# Numbers of the fields, by message.
TYPE, SAMPLE, LOCATION, FUNCTION, TEXT, COMMENT, DEFAULT = 1, 2, 4, 5, 6, 13, 14
BASE = "pprof::base"


@dataclass(frozen=True)
class Frame:
    function: str  # "" if it has no name
    file: str
    line: int


@dataclass(frozen=True)
class Sample:
    values: tuple  # one for each of the profile's types
    stack: tuple  # of frames, the outermost first
    is_base: bool  # of a difference: what is subtracted


@dataclass(frozen=True)
class Profile:
    types: tuple  # of (name, unit)
    samples: tuple
    default: str  # the name of the type to begin with, or ""
    comment: str


class _Malformed(Exception):
    pass


def _varint(data, at):
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise _Malformed("a number has no end")
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _fields(data):
    """(number, value) of each field of a message; a value is an int or bytes."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        if key & 7 not in (0, 2):
            raise _Malformed(f"a field of wire type {key & 7}")
        value, at = _varint(data, at)
        if key & 7 == 2:
            if at + value > len(data):
                raise _Malformed("a field is longer than the file")
            value, at = data[at:at + value], at + value
        yield key >> 3, value


def _numbers(field):
    """Of a repeated field of numbers, packed or not."""
    if isinstance(field, int):
        return [field]
    numbers, at = [], 0
    while at < len(field):
        number, at = _varint(field, at)
        numbers.append(number)
    return numbers


def _signed(number):
    return number - (1 << 64) if number >> 63 else number


def _sample(message, texts, locations):
    values, places, is_base = [], [], False
    for number, value in _fields(message):
        if number == 1:
            places += _numbers(value)
        elif number == 2:
            values += map(_signed, _numbers(value))
        elif number == 3:
            is_base = is_base or texts[dict(_fields(value)).get(1, 0)] == BASE
    stack = [frame for place in reversed(places) for frame in reversed(locations[place])]
    return Sample(tuple(values), tuple(stack), is_base)


def _location(message, functions):
    """(its number, its frames: those of inlined functions first)"""
    number, address, frames = 0, 0, []
    for field, value in _fields(message):
        if field == 1:
            number = value
        elif field == 3:
            address = value
        elif field == 4:
            line = dict(_fields(value))
            frames.append(Frame(*functions[line.get(1, 0)], line.get(2, 0)))
    return number, frames or [Frame(f"0x{address:x}", "", 0)]


def parse(data):
    """The profile; ValueError says what is wrong with it."""
    try:
        parts = list(_fields(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data))
        texts = [value.decode("utf-8", "replace") for number, value in parts if number == TEXT] or [""]
        messages = {kind: [value for number, value in parts if number == kind]
                    for kind in (TYPE, SAMPLE, LOCATION, FUNCTION)}
        scalars = {number: value for number, value in parts if isinstance(value, int)}
        functions = {each[1]: (texts[each.get(2, 0)], texts[each.get(4, 0)])
                     for each in (dict(_fields(message)) for message in messages[FUNCTION])}
        locations = dict(_location(message, functions) for message in messages[LOCATION])
        types = [dict(_fields(message)) for message in messages[TYPE]]
        if not types:
            raise _Malformed("it names no kind of value")
        return Profile(tuple((texts[each.get(1, 0)], texts[each.get(2, 0)]) for each in types),
                       tuple(_sample(message, texts, locations) for message in messages[SAMPLE]),
                       texts[scalars.get(DEFAULT, 0)], texts[scalars.get(COMMENT, 0)])
    except (_Malformed, KeyError, IndexError, AttributeError, TypeError, EOFError, zlib.error, OSError) as error:
        raise ValueError(f"is no profile: {error}") from None


def read(path):
    """The profile of a file; Refused, naming it."""
    try:
        return parse(Path(path).read_bytes())
    except OSError as error:
        raise Refused(path, error.strerror) from None
    except ValueError as error:
        raise Refused(path, error) from None

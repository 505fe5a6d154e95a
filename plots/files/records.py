# SPDX-License-Identifier: MIT
"""Frozen dataclasses from JSON and back: a field is a key of the same name, and the fields' order is that of the keys.

A field whose name is no word of Python has its key in its metadata. A field with a default may be missing when read;
what is ABSENT is not written. A key that is no field is left out: a schema has said before whether it may be there."""

import dataclasses
import enum
import functools
import types
import typing


class Absent(enum.Enum):
    """What a document does not say: neither null nor anything else."""
    ABSENT = "absent"

    def __bool__(self):
        return False


ABSENT = Absent.ABSENT


def read(kind, value):
    """`value` of a JSON document as the annotation `kind`: a dataclass, X | None, tuple[X, ...], dict[str, X]; anything
    else as it is."""
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        kinds = [one for one in typing.get_args(kind) if one not in (types.NoneType, Absent)]
        return value if value is None or len(kinds) > 1 else read(kinds[0], value)
    if origin is tuple:
        return tuple(read(typing.get_args(kind)[0], one) for one in value)
    if origin is dict:
        return {key: read(typing.get_args(kind)[1], one) for key, one in value.items()}
    if dataclasses.is_dataclass(kind):
        return kind(**{name: read(hint, value[key]) for name, key, hint in _fields(kind) if key in value})
    return value


@functools.lru_cache(maxsize=None)
def _fields(kind):
    hints = typing.get_type_hints(kind)
    return [(field.name, _key(field), hints[field.name]) for field in dataclasses.fields(kind)]


def _key(field):
    return field.metadata.get("key", field.name)


def write(value):
    """The JSON value of a record, a list or tuple of them, or a dictionary."""
    if dataclasses.is_dataclass(value):
        parts = ((_key(field), getattr(value, field.name)) for field in dataclasses.fields(value))
        return {key: write(part) for key, part in parts if part is not ABSENT}
    if isinstance(value, (list, tuple)):
        return [write(one) for one in value]
    if isinstance(value, dict):
        return {key: write(one) for key, one in value.items()}
    return value

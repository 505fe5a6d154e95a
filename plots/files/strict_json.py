# SPDX-License-Identifier: MIT
"""Read one JSON document strictly: what is not exactly what it should be is refused, with file, place and reason.

Python's own reader lets through what no writer of ours writes (NaN, infinities, a key twice); here it does not."""

import functools
import json
import math
import os
import re
import stat
from pathlib import Path

import jsonschema

from plots.program.errors import Refused, one_line

LONG = 16
DIGITS = 300  # a double holds no longer number
UNWRITABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
SCHEMAS = Path(__file__).resolve().parents[2] / "results" / "schema"


def read_bytes(path, name=None):
    try:
        with open(path, "rb", opener=lambda path, flags: os.open(path, flags | os.O_NONBLOCK)) as file:  # a pipe
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise Refused(name or path, "not a file that can be read: a pipe, a socket or a device")
            return file.read()
    except OSError as error:
        raise Refused(name or path, error.strerror or "cannot be read") from None


def _constant(text):
    raise ValueError(f"{text} is not a number that a measurement can give")


def _float(text):
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is beyond what a number can hold")
    return number


def _object(pairs):
    document = dict(pairs)
    if len(document) != len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {next(k for k in keys if keys.count(k) > 1)!r} is there twice")
    return document


def _int(text):
    if len(text) > DIGITS:
        raise ValueError(f"{text[:20]}... is beyond what a number can hold")
    return int(text)


_decoder = json.JSONDecoder(parse_constant=_constant, parse_float=_float, parse_int=_int, object_pairs_hook=_object)


def parse(raw, name, line=None):
    """The JSON value in `raw`; `line` for a file of many documents, one a line."""
    try:
        return _decoder.decode(raw.decode("utf-8"))
    except json.JSONDecodeError as error:
        cut = " (cut off?)" if error.pos >= len(error.doc.rstrip()) else ""
        place = f"line {line}" if line else f"line {error.lineno}, column {error.colno}"
        raise Refused(name, place, f"not JSON: {error.msg}{cut}") from None
    except UnicodeDecodeError as error:
        raise Refused(name, f"byte {error.start}", "not UTF-8") from None
    except RecursionError:
        raise Refused(name, "not JSON: nested too deeply") from None
    except ValueError as error:
        raise Refused(name, f"line {line}" if line else "", str(error)) from None


def check_version(document, kind, name, line=None):
    """Refuse what is not `ampersand/<kind>/<a version that a schema is there for>`."""
    place = f"line {line}" if line else ""
    if not isinstance(document, dict):
        raise Refused(name, place, "not a JSON object")
    written = document.get("schema")
    if not isinstance(written, str):
        raise Refused(name, place or "schema", "missing: this is no file of a run")
    known = known_versions(kind)
    if written in (f"ampersand/{kind}/{version}" for version in known):
        return
    match = re.fullmatch(rf"ampersand/{kind}/([0-9]{{1,9}})", written)
    if match and int(match[1]) > max(known):
        raise Refused(name, "schema", f"{written} is newer than ampersand/{kind}/{max(known)}, the newest known here")
    raise Refused(name, "schema", f"{written!r} is not ampersand/{kind}/{max(known)}")


@functools.lru_cache(maxsize=None)
def known_versions(kind):
    versions = [int(path.stem[len(kind) + 1:]) for path in SCHEMAS.glob(f"{kind}-[0-9]*.json")]
    if not versions:
        raise Refused(SCHEMAS, f"no schema for {kind}")
    return sorted(versions)


# An integer is written as one: for JSON Schema 8.0 and -0.0 are some, too, and Python's is then no int.
_Validator = jsonschema.validators.extend(
    jsonschema.Draft202012Validator, type_checker=jsonschema.Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)))


@functools.lru_cache(maxsize=None)
def validator(kind, version=1):
    with open(SCHEMAS / f"{kind}-{version}.json", encoding="utf-8") as file:
        schema = json.load(file)
    return _Validator(schema)


def faults(document, kind):
    """What of `document` is against its schema, as (key, why), in the order of the document."""
    found = sorted(validator(kind).iter_errors(_shortened(document)), key=lambda one: [str(key) for key in one.path])
    return [(key_of(error), one_line(error.message, 160)) for error in found]


def _shortened(document):
    """The document with every long list of plain non-negative integers, or of objects that hold nothing else under the
    same keys, cut to its first item: item by item, jsonschema would take minutes over a run."""
    if isinstance(document, dict):
        return {key: _shortened(value) for key, value in document.items()}
    if isinstance(document, list):
        if len(document) >= LONG and (_are_plain(document) or _are_alike(document)):
            return document[:1]
        return [_shortened(item) for item in document]
    return document


def _are_plain(values):
    return set(map(type, values)) == {int} and min(values) >= 0 and max(values) < 1 << 63


def _are_alike(values):
    return all(type(one) is dict and one.keys() == values[0].keys() and one and _are_plain(one.values())
               for one in values)


def key_of(error):
    text = ""
    for part in error.absolute_path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def validate(document, kind, name):
    for key, why in faults(document, kind):
        raise Refused(name, key, why)


def load(path, kind):
    """The document of a file, which is of that kind and of a version that is known; else Refused."""
    document = parse(read_bytes(path), path)
    check_version(document, kind, path)
    validate(document, kind, path)
    return document


def printable(document):
    """The document with every character replaced that no page, and no UTF-8, can hold."""
    if isinstance(document, str):
        return UNWRITABLE.sub("\ufffd", document)
    if isinstance(document, dict):
        return {printable(key): printable(part) for key, part in document.items()}
    if isinstance(document, list):
        return [printable(part) for part in document]
    return document


def write_whole(path, text):
    """Make `path` hold `text`, whole or not at all."""
    path = Path(path)
    if path.is_dir():  # "." has no name, either
        raise Refused(path, "cannot be written: a folder")
    temporary = path.with_name(path.name + ".tmp")
    try:
        with open(temporary, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise Refused(path, f"cannot be written: {error.strerror}") from None

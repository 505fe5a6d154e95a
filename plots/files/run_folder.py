# SPDX-License-Identifier: MIT
"""What the folders of runs of every kind have in common: a manifest, files named after their launch, and a journal that
keeps the CRC-32 of each."""

import re
import zlib
from pathlib import Path

from plots.files import strict_json
from plots.files.journal import PAIRS, read_journal
from plots.program.errors import Refused


def parse_manifest(folder):
    """(path, bytes, JSON) of the manifest of a run of any kind."""
    if not folder.is_dir():
        raise Refused(folder, "not a folder" if folder.exists() else "there is no such folder")
    try:
        names = sorted(path.name for path in folder.iterdir())
    except OSError as error:
        raise Refused(folder, error.strerror) from None
    manifests = [name for name in names if "manifest" in name.lower() and name.lower().endswith(".json")]
    if len(manifests) > 1:
        raise Refused(folder, f"{len(manifests)} manifests ({', '.join(manifests)}): which run is it? Keep one")
    if "manifest.json" not in names:
        raise Refused(folder, "no manifest.json: not a run folder" if names else "empty: not a run folder")
    name = folder / "manifest.json"
    raw = strict_json.read_bytes(name)
    return name, raw, strict_json.parse(raw, name)


def manifest_of(folder, kind):
    """(path, JSON, CRC-32) of the manifest of a run of this kind, which follows its schema."""
    name, raw, manifest = parse_manifest(folder)
    strict_json.check_version(manifest, kind, name)
    strict_json.validate(manifest, kind, name)
    return name, manifest, zlib.crc32(raw)


def is_of(kind, folder):
    """Whether the run is of that kind. What cannot be read is none: whoever loads it says why."""
    try:
        _, _, manifest = parse_manifest(Path(folder))
    except Refused:
        return False
    written = manifest.get("schema") if isinstance(manifest, dict) else None
    return isinstance(written, str) and written.startswith(f"ampersand/{kind}/")


def journal_of(folder, manifest_crc32, rows, configurations, form=PAIRS):
    """The journal, as read_journal() gives it; Refused where the manifest is not the one that the run began with."""
    journal = read_journal(folder, rows, configurations, form)
    if journal.manifest_crc32 not in (None, manifest_crc32):
        raise Refused(folder / "manifest.json", "changed since the run: the journal keeps another CRC-32 of it")
    return journal


def entries(path):
    """What is in a folder, without the leftovers of a killed writer; nothing where there is no folder."""
    try:
        return sorted(entry for entry in path.iterdir() if not entry.name.endswith(".tmp"))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise Refused(path, error.strerror) from None


def numbered(folder):
    found = {}
    for path in entries(folder):
        match = re.fullmatch(r"([0-9]{1,9})\.json", path.name, re.ASCII)
        if not match:
            raise Refused(path, "not a file of a run: expected <launch>.json")
        if int(match[1]) in found:
            raise Refused(path, f"the same launch as {found[int(match[1])].name}")
        found[int(match[1])] = path
    return found


def read_unchanged(path, crc32):
    """(bytes, JSON) of a file whose CRC-32 the journal keeps, or None."""
    raw = strict_json.read_bytes(path)
    if crc32 is not None and zlib.crc32(raw) != crc32:
        strict_json.parse(raw, path)  # where it is not even JSON, the place of the damage is the better message
        raise Refused(path, "changed since it was written: the journal keeps another CRC-32 of it")
    return raw, strict_json.parse(raw, path)


def check_identity(document, identity, path):
    """A file says itself what it stands for: its place in the folder must agree."""
    for key, expected in identity.items():
        if document.get(key) != expected or type(document[key]) is not type(expected):  # 8.0, -0.0 and true are others
            raise Refused(path, key, f"{document.get(key)!r} in a file that stands for {expected!r}")


def checked(path, kind, identity, crc32):
    """The JSON of a file: unchanged, as its schema has it, and of what it stands for."""
    _, document = read_unchanged(path, crc32)
    strict_json.check_version(document, kind, path)
    strict_json.validate(document, kind, path)
    check_identity(document, identity, path)
    return document


def must_have(finished, files, folder):
    """Refuse a folder without a file of a launch that finished; both by the launch's number."""
    for number in finished.keys() - files.keys():
        raise Refused(folder / f"{number or 0:03d}.json", "missing, though the journal says that it was finished")

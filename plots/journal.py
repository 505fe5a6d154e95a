# SPDX-License-Identifier: MIT
"""Read journal.jsonl: which children finished, which failed, and the CRC-32 of what they wrote, where it is kept."""

from dataclasses import dataclass

from plots import documents
from plots.documents import Refused

FOLDERS = {"paired": "launches", "counts": "counts", "solo": "solo"}
_CHILD_KEYS = {"kind": str, "configuration": str, "pair": str, "size": int, "launch": int}
_EVENTS = {"plan": {"children": int}, "start": _CHILD_KEYS, "done": _CHILD_KEYS,
           "failed": _CHILD_KEYS | {"reason": str, "detail": str}, "resume": {},
           "extend": {"launches": int, "rows": list}, "end": {"status": str}}


@dataclass(frozen=True)
class Journal:
    events: tuple[dict, ...]
    by_row: dict  # (folder, configuration, row) -> {launch: the last done or failed of that child}
    manifest_crc32: int | None

    def finished(self, folder, configuration, row):
        """{launch: its file's CRC-32, or None where the journal keeps none} of the children that finished."""
        children = self.by_row.get((folder, configuration, row), {})
        return {launch: event.get("crc32") for launch, event in children.items() if event["event"] == "done"}

    def failure(self, configuration, row):
        """The first failure of a row that no later attempt made good; a refusal to count is not one."""
        for kind, folder in FOLDERS.items():
            for event in self.by_row.get((folder, configuration, row), {}).values():
                if event["event"] == "failed" and (kind, event["reason"]) != ("counts", "refused"):
                    return {"kind": kind, "reason": event["reason"], "detail": event["detail"]}
        return None


def read_journal(folder, rows, configurations):
    """The journal of a run whose manifest has these rows and configurations."""
    name = folder / "journal.jsonl"
    events = list(_events(documents.read_bytes(name), name))
    if not events or events[0][1].get("schema") is None:
        raise Refused(name, "line 1", "does not name its schema: no journal of a run")
    by_row, manifest_crc32 = {}, None
    for line, event in events:
        if "schema" in event:
            documents.check_version(event, "journal", name, line)
        _check_event(event, name, line)
        manifest_crc32 = event.get("manifest_crc32", manifest_crc32)
        for row in event.get("rows", ()) if event["event"] == "extend" else ():
            if row not in rows:
                raise Refused(name, f"line {line}", "rows", f"{row} is not in manifest.json")
        if event["event"] not in ("start", "done", "failed"):
            continue
        row = f"{event['pair']}/size={event['size']}"
        if row not in rows or event["configuration"] not in configurations:
            raise Refused(name, f"line {line}", f"{event['configuration']}/{row} is not in manifest.json")
        if event["event"] != "start":
            children = by_row.setdefault((FOLDERS[event["kind"]], event["configuration"], row), {})
            children[event["launch"]] = event
    return Journal(tuple(event for _, event in events), by_row, manifest_crc32)


def _events(raw, name):
    """(line, object) of each line. A last line without its newline was cut by a killed writer, and is left out."""
    lines = raw.split(b"\n")
    for number, line in enumerate(lines[:-1], start=1):
        event = documents.parse(line, name, number)
        if not isinstance(event, dict):
            raise Refused(name, f"line {number}", "not a JSON object")
        yield number, event


def _check_event(event, name, line):
    place = f"line {line}"
    keys = _EVENTS.get(event.get("event")) if isinstance(event.get("event"), str) else None
    if keys is None:
        raise Refused(name, place, f"{event.get('event')!r} is not an event")
    for key, kind in keys.items():
        if type(event.get(key)) is not kind or (kind is int and event[key] < 0):
            raise Refused(name, place, key, f"{event.get(key)!r} is not what {event['event']} has there")
    if event["event"] == "extend" and not all(isinstance(row, str) for row in event["rows"]):
        raise Refused(name, place, "rows", "not a list of rows' names")
    if "kind" in keys and event["kind"] not in FOLDERS:
        raise Refused(name, place, "kind", f"{event['kind']!r} is not one of {', '.join(FOLDERS)}")
    for key in ("crc32", "manifest_crc32"):
        if key in event and (type(event[key]) is not int or not 0 <= event[key] < 1 << 32):
            raise Refused(name, place, key, f"{event[key]!r} is not a CRC-32")

# SPDX-License-Identifier: MIT
"""Read journal.jsonl: which children finished, which failed, and the CRC-32 of what they wrote, where it is kept."""

from dataclasses import dataclass

from plots.files import strict_json
from plots.program.errors import Refused

FOLDERS = {"paired": "launches", "counts": "counts", "solo": "solo"}


@dataclass(frozen=True)
class Form:
    """What children a kind of run has."""

    child_keys: dict  # beside what every event has, and the types that each may be of
    folders: dict  # of what a child of a kind writes
    row: object  # the name of an event's row

    def keys(self, event):
        return {"plan": {"children": int}, "start": self.child_keys, "done": self.child_keys,
                "failed": self.child_keys | {"reason": str, "detail": str}, "resume": {},
                "extend": {"launches": int, "rows": list}, "end": {"status": str}}.get(event)


PAIRS = Form({"kind": str, "configuration": str, "pair": str, "size": int, "launch": int}, FOLDERS,
             lambda event: f"{event['pair']}/size={event['size']}")


@dataclass(frozen=True)
class Journal:
    events: tuple[dict, ...]
    by_row: dict  # (folder, configuration, row) -> {launch: the last done or failed of that child}
    manifest_crc32: int | None
    form: Form = PAIRS

    def finished(self, folder, configuration, row):
        """{launch: its file's CRC-32, or None where the journal keeps none} of the children that finished."""
        children = self.by_row.get((folder, configuration, row), {})
        return {launch: event.get("crc32") for launch, event in children.items() if event["event"] == "done"}

    def lost_launches(self, configuration, row):
        """Those that the row or cell goes on without, of all kinds of children."""
        return sum(bool(event.get("goes_on")) for folder in dict.fromkeys(self.form.folders.values())
                   for event in self.by_row.get((folder, configuration, row), {}).values())

    def failure(self, configuration, row):
        """The first failure of a row that no later attempt made good."""
        found = (self.failure_in(folder, configuration, row) for folder in dict.fromkeys(self.form.folders.values()))
        return next((failure for failure in found if failure), None)

    def failure_in(self, folder, configuration, row):
        for event in self.by_row.get((folder, configuration, row), {}).values():
            if event["event"] == "failed" and not event.get("goes_on"):
                return {"kind": event["kind"], "reason": event["reason"], "detail": event["detail"]}
        return None


def read_journal(folder, rows, configurations, form=PAIRS):
    """The journal of a run whose manifest has these rows and configurations."""
    name = folder / "journal.jsonl"
    events = list(_events(strict_json.read_bytes(name), name))
    if not events or events[0][1].get("schema") is None:
        raise Refused(name, "line 1", "does not name its schema: no journal of a run")
    by_row, manifest_crc32 = {}, None
    for line, event in events:
        if "schema" in event:
            strict_json.check_version(event, "journal", name, line)
        _check_event(event, name, line, form)
        if manifest_crc32 not in (None, event.get("manifest_crc32", manifest_crc32)):
            raise Refused(name, f"line {line}", "manifest.json was changed before the run was gone on with: the parts "
                          "before and after belong to two manifests")
        manifest_crc32 = event.get("manifest_crc32", manifest_crc32)
        for row in event.get("rows", ()) if event["event"] == "extend" else ():
            if row not in rows:
                raise Refused(name, f"line {line}", "rows", f"{row} is not in manifest.json")
        if event["event"] not in ("start", "done", "failed"):
            continue
        row = form.row(event)
        if row not in rows or event["configuration"] not in configurations:
            raise Refused(name, f"line {line}", f"{event['configuration']}/{row} is not in manifest.json")
        if event["event"] != "start":  # what a launch came to takes the place of what an earlier attempt says of it
            children = by_row.setdefault((form.folders[event["kind"]], event["configuration"], row), {})
            children[event.get("launch")] = event
    return Journal(tuple(event for _, event in events), by_row, manifest_crc32, form)


def _events(raw, name):
    """(line, object) of each line. A last line without its newline was cut by a killed writer, and is left out."""
    lines = raw.split(b"\n")
    for number, line in enumerate(lines[:-1], start=1):
        event = strict_json.parse(line, name, number)
        if not isinstance(event, dict):
            raise Refused(name, f"line {number}", "not a JSON object")
        yield number, event


def _check_event(event, name, line, form):
    place = f"line {line}"
    keys = form.keys(event.get("event")) if isinstance(event.get("event"), str) else None
    if keys is None:
        raise Refused(name, place, f"{event.get('event')!r} is not an event")
    for key, kind in keys.items():
        kinds = kind if isinstance(kind, tuple) else (kind,)
        if type(event.get(key)) not in kinds or (type(event.get(key)) is int and event[key] < 0):
            raise Refused(name, place, key, f"{event.get(key)!r} is not what {event['event']} has there")
    if event["event"] == "extend" and not all(isinstance(row, str) for row in event["rows"]):
        raise Refused(name, place, "rows", "not a list of rows' names")
    if "kind" in keys and event["kind"] not in form.folders:
        raise Refused(name, place, "kind", f"{event['kind']!r} is not one of {', '.join(form.folders)}")
    for key in ("crc32", "manifest_crc32"):
        if key in event and (type(event[key]) is not int or not 0 <= event[key] < 1 << 32):
            raise Refused(name, place, key, f"{event[key]!r} is not a CRC-32")

# SPDX-License-Identifier: MIT
"""A strict reader of Perfetto's traces, of the fields that a time line needs: written from the public descriptions of
the messages (google/perfetto, protos/perfetto/trace). What has another number, type or place fails."""
from collections import Counter, defaultdict

from protobuf import fields

TEXT, NUMBER = str, int
NAMED = {1: ("iid", NUMBER), 2: ("name", TEXT)}
EVENT = {4: ("annotations", {3: ("uint", NUMBER), 6: ("text", TEXT), 10: ("name", TEXT)}), 9: ("type", NUMBER),
         10: ("name_iid", NUMBER), 11: ("track", NUMBER), 30: ("count", NUMBER)}
CLOCK = {1: ("id", NUMBER), 2: ("time", NUMBER), 3: ("is_incremental", NUMBER)}
TRACK = {1: ("uuid", NUMBER), 2: ("name", TEXT), 3: ("process", {1: ("pid", NUMBER), 6: ("name", TEXT)}),
         4: ("thread", {1: ("pid", NUMBER), 2: ("tid", NUMBER), 5: ("name", TEXT)}), 5: ("parent", NUMBER),
         8: ("counter", {3: ("unit", NUMBER)})}
PACKET = {6: ("clocks", {1: ("each", CLOCK), 2: ("primary", NUMBER)}), 8: ("time", NUMBER), 10: ("sequence", NUMBER),
          11: ("event", EVENT), 12: ("interned", {2: ("event_name", NAMED)}), 13: ("flags", NUMBER),
          59: ("defaults", {11: ("event", {11: ("track", NUMBER)}), 58: ("clock", NUMBER)}), 60: ("track", TRACK)}
MONOTONIC = BYTES = 3
BEGIN, END, MOMENT, COUNT = 1, 2, 3, 4
REPEATED = "annotations", "each", "event_name"


def parse(data, message):
    out = {}
    for number, value in fields(data):
        name, kind = message[number]
        value = value.decode() if kind is TEXT else value if kind is NUMBER else parse(value, kind)
        assert (kind is NUMBER) == isinstance(value, int)
        assert name not in out or name in REPEATED, name
        if name in REPEATED:
            out.setdefault(name, []).append(value)
        else:
            out[name] = value
    return out


class Sequence:
    """What later packets of a sequence refer to."""

    def __init__(self, packet):
        assert packet["flags"] == 1 and packet["clocks"]["primary"] == MONOTONIC
        own, system = packet["clocks"]["each"]
        assert own["id"] == packet["defaults"]["clock"] >= 64 and own["is_incremental"] == 1
        assert system == {"id": MONOTONIC, "time": own["time"]}
        self.now, self.track, self.names, self.open = own["time"], packet["defaults"]["event"]["track"], {}, []

    def note(self, packet):
        for each in packet.get("interned", {}).get("event_name", []):
            assert each["iid"] > 0 and each["iid"] not in self.names
            self.names[each["iid"]] = each["name"]


class Trace:
    """Times are nanoseconds of the system's clock. A slice is (pid, tid, name, begin, lasts, what is missing)."""

    def __init__(self, data):
        self.tracks, self.sequences, self.begins = {}, {}, []
        self.slices, self.moments, self.counts = Counter(), Counter(), defaultdict(list)
        for number, value in fields(data):
            assert number == 1
            self.take(parse(value, PACKET))
        assert not any(sequence.open for sequence in self.sequences.values())

    def take(self, packet):
        if packet["flags"] == 1:
            assert packet["sequence"] not in self.sequences
            self.sequences[packet["sequence"]] = Sequence(packet)
            return
        assert packet["flags"] == 2
        sequence = self.sequences[packet["sequence"]]
        sequence.note(packet)
        if "track" in packet:
            self.tracks[packet["track"]["uuid"]] = packet["track"]
            assert packet["track"].get("parent") is None or packet["track"]["parent"] in self.tracks
            return
        sequence.now += packet["time"]
        self.event(packet["event"], sequence)

    def event(self, event, sequence):
        track = self.tracks[event.get("track", sequence.track)]
        said = {one["name"]: one.get("uint", one.get("text")) for one in event.get("annotations", [])}
        name = sequence.names[event["name_iid"]] if "name_iid" in event else None
        assert (event["type"] == COUNT) == ("counter" in track) and (name is None) == (event["type"] in (END, COUNT))
        if event["type"] == COUNT:
            assert track["counter"] == ({"unit": BYTES} if "bytes" in track["name"] else {})
            self.counts[self.tracks[track["parent"]]["process"]["pid"],
                        track["name"]].append((sequence.now, event["count"]))
            return
        place = track["thread"]["pid"], track["thread"]["tid"]
        if event["type"] == MOMENT:
            self.moments[(*place, name, sequence.now, said.get("value"), said.get("from"))] += 1
        elif event["type"] == BEGIN:
            sequence.open.append((name, sequence.now, said.get("missing")))
        else:
            assert event["type"] == END
            name, begin, missing = sequence.open.pop()
            self.slices[(*place, name, begin, sequence.now - begin, missing or said.get("missing"))] += 1

# SPDX-License-Identifier: MIT
"""A strict reader of trace event JSON, written from its public description ("Trace Event Format", Catapult)."""
import json
from collections import defaultdict
from decimal import Decimal

KEYS = {  # by type: what each event has, and what it may have
    "X": ({"name", "ph", "ts", "dur", "pid", "tid"}, {"args"}),
    "i": ({"name", "ph", "ts", "pid", "tid", "s"}, {"args"}),
    "C": ({"name", "ph", "ts", "pid", "tid", "args"}, set()), "M": ({"name", "ph", "pid", "tid", "args"}, set()),
}


def no_twice(pairs):
    assert len({key for key, _ in pairs}) == len(pairs), pairs
    return dict(pairs)


class Events:
    """Times are exact, in nanoseconds."""

    def __init__(self, text):
        document = json.loads(text, parse_float=Decimal, object_pairs_hook=no_twice)
        assert set(document) == {"displayTimeUnit", "traceEvents", "otherData"}
        self.other = document["otherData"]
        self.all = document["traceEvents"]
        for event in self.all:
            self.hold(event)
        self.hold_nesting()

    @staticmethod
    def hold(event):
        must, may = KEYS[event["ph"]]
        assert must <= set(event) <= must | may, event
        assert isinstance(event["name"], str) and isinstance(event["pid"], int) and isinstance(event["tid"], int)
        for key in ("ts", "dur"):
            if key in event:
                assert event[key] >= 0 and event[key] * 1000 == int(event[key] * 1000), event
                event[key] = int(event[key] * 1000)
        if event["ph"] == "i":
            assert event["s"] == "t"
        if event["ph"] == "M":
            assert event["name"] in ("process_name", "thread_name") and isinstance(event["args"]["name"], str)
        if event["ph"] == "C":
            assert set(event["args"]) == {"value"} and isinstance(event["args"]["value"], int)

    def hold_nesting(self):
        """Of two slices of a thread, one holds the other, or they are apart."""
        for lane in self.by_lane("X").values():
            open_ = []
            for one in sorted(lane, key=lambda one: (one["ts"], -one["dur"])):
                while open_ and open_[-1] <= one["ts"]:
                    open_.pop()
                end = one["ts"] + one["dur"]
                assert not open_ or end <= open_[-1], one
                open_.append(end)

    def by_lane(self, type_):
        lanes = defaultdict(list)
        for event in self.of(type_):
            lanes[event["pid"], event["tid"]].append(event)
        return lanes

    def of(self, type_, name=None):
        return [event for event in self.all if event["ph"] == type_ and name in (None, event["name"])]

    def names(self, type_):
        return [event["name"] for event in self.of(type_)]

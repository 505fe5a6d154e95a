# SPDX-License-Identifier: MIT
"""Which loads of an operation must wait for a store, read from its compiled code.

A processor hands a load what one store has written and not yet put into the cache. What comes from several stores, or
from a store and the cache, it cannot hand over: the load waits until the store is done.

    mov [rdi], al           1 B of the word
    mov rax, [rdi]          8 B of it: waits

An operation is read twice in a row, since what one stores the next may load. Told are only loads and stores whose
place and width are known, on every path, and no more than NEAR steps apart: a store further back is done by then."""

from copies import Reader
from functions import NotTold
from values import plain

NEAR = 200  # what a processor may have begun and not ended


class Waits(Reader):
    """Collects the loads and stores of one operation, in their order."""

    def __init__(self, lesson):
        super().__init__(lesson)
        self.events, self.steps = [], 0  # ("load" or "store", region, offset, width, step), ("forget", region or None)

    def step(self, function, at, size, effect, state, counted, depth):
        if counted is not None:
            self.steps += 1
            self.note(function, at, size, effect, state, counted)
        super().step(function, at, size, effect, state, counted, depth)

    def note(self, function, at, size, effect, state, counted):
        kind = effect[0]
        if kind == "store" and effect[1] is None and effect[2] == ("rdi", None, 0, 1):  # perhaps a rep stos
            self.reached("store", self.address(function, at, size, effect[2], state), None, counted)
        elif kind in ("load", "store"):
            self.reached(kind, self.address(function, at, size, effect[2], state), effect[3], counted)
        elif kind == "copy":
            self.reached("load", self.address(function, at, size, effect[1], state), effect[3], counted)
            self.reached("store", self.address(function, at, size, effect[2], state), effect[3], counted)
        elif kind == "rep movs":
            self.reached("store", None, None, counted)

    def reached(self, kind, where, width, counted):
        region, offset = where or (None, None)
        if not isinstance(region, str) and region is not None and not is_block(region):
            region, offset = plain(region), None
        if None not in (offset, width) and counted == 1:
            self.events.append((kind, region, offset, width, self.steps))
        elif kind == "store":
            self.forget(None if region == "memory" else region)

    def forget(self, region=None):
        """What the region holds, None: any, was perhaps written by somebody else."""
        self.events.append(("forget", region))

    def call(self, function, at, size, effect, state, counted, depth):
        symbol = function.symbol_of(at, size)
        if counted is not None and (symbol is None or symbol.section is None):
            self.forget()
        super().call(function, at, size, effect, state, counted, depth)

    def follow(self, section, name, state, counted, depth):
        before = len(self.events)
        result = super().follow(section, name, state, counted, depth)
        if counted not in (None, 1):  # called on some paths only
            del self.events[before:]
            self.forget()
        return result


def is_block(region):
    """Whether it is a block that the operation has allocated, and that nothing else can reach."""
    return region[0] == "heap" and len(region) == 2


def unforwarded(events, steps):
    """[(B of the load, B of the store)] of the second of two operations."""
    written, found = {}, []  # {(region, byte): (step, B)} of the last store to it
    for turn in (0, steps):
        for kind, region, *rest in events:
            if kind == "forget":
                written = {} if region is None else {at: by for at, by in written.items() if at[0] != region}
                continue
            offset, width, step = rest
            places = [(region, offset + k) for k in range(width)]
            if kind == "store":
                written.update(dict.fromkeys(places, (step + turn, width)))
            elif turn:
                by = {written.get(place) for place in places}
                last = max(by - {None}, default=None)
                if last and len(by) > 1 and step + turn - last[0] <= NEAR and (width, last[1]) not in found:
                    found.append((width, last[1]))
    return found


def waits(lesson, section):
    """[{load_b, store_b, per}] of the kernel in a section; [] also where its loop cannot be read.
    `lesson`: a lesson_object.Object."""
    try:
        reader = Waits(lesson)
        reader.operation(section)
    except NotTold:
        return []
    return [{"load_b": load_b, "store_b": store_b, "per": "operation"}
            for load_b, store_b in unforwarded(reader.events, reader.steps)]

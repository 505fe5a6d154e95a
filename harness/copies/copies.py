# SPDX-License-Identifier: MIT
"""How a function copies objects, read from its compiled code: which bytes it loads and stores on unchanged.

    mov rax, [rbx]          the value of rax: 8 B of argument 1
    mov [rsp+16], rax       stored on unchanged: a copy of 8 B from argument 1 to the stack

One operation, which is one turn of the kernel's loop, is followed through its branches and loops, and into the
functions of the same object that it calls. Where a branch depends on constants only (a loop of so many turns, a depth
that is counted down), the way is known; elsewhere what stands between it and the block where its ways meet again is
interpreted for all ways at once, and how often that is done is not known.

Regions: "argument 1", "stack", "heap", the name of a global object, "memory" (what a loaded pointer points to). What
cannot be told is said so, never guessed: {"how": "not told", "why": ...}. What functions outside the object do is not
read: the calls name them."""

from functions import END, ENDS_THE_PROCESS, Function, NotTold
from instructions import MACHINES
from values import added, compared, computed, holds, merge, plain, region

ALLOCATE = ("malloc", "calloc", "aligned_alloc", "realloc")
COPY = ("memcpy", "memmove", "__memcpy_chk", "__memmove_chk")
FILL = ("memset", "__memset_chk")  # as with COPY, whether the compiler calls it or writes it out is its own affair
MOST_DEPTH = 40
MOST_BLOCKS = 30000  # of one operation
SHF_MERGE = 0x10  # a section of constants that the compiler has made
GOT = {"EM_X86_64": (9, 41, 42), "EM_AARCH64": (311, 312)}  # relocations of a load that gives an object's address
THROUGH_A_POINTER = "(*)"
IN_A_LOOP, ON_SOME_PATHS = "in a loop of its own", "on some paths only"


class Reader:
    """Follows one operation, and collects its copies and its calls."""

    def __init__(self, lesson):
        if lesson.machine not in MACHINES:
            raise NotTold(f"{lesson.machine} is not read")
        self.lesson = lesson
        self.machine = MACHINES[lesson.machine]()
        self.functions, self.sections = {}, {}  # section -> Function; region -> section
        self.moves, self.calls, self.doubts = {}, {}, []  # (how, width, from, to) -> [moves, bytes]; name -> times
        self.written = {}  # since the last call: (from, to, where, byte) -> the key in moves of what wrote it
        self.root, self.active, self.blocks, self.unknowns = None, [], 0, 0
        self.names = {symbol.section: symbol.name for symbol in lesson.symbols
                      if symbol.section is not None and symbol.kind == 2 and symbol.value == 0}

    def function(self, section):
        if section not in self.functions:
            self.functions[section] = Function(self.lesson, self.machine, section)
        return self.functions[section]

    def doubt(self, why):
        if why not in self.doubts:
            self.doubts.append(why)

    # ---- The ways through an operation

    def operation(self, section):
        """Follow one turn of the loop of the kernel in this section."""
        self.root, self.active = section, [section]
        function = self.function(section)
        state = {name: ("at", f"argument {k + 1}", 0) for k, name in enumerate(self.machine.arguments)}
        state[self.machine.stack] = ("at", "stack", 0)
        head = self.turn(function)
        entry, _ = self.settle(function, function.order, {0: state}, 0)
        state = dict(entry[head])
        for name in self.machine.registers:
            value = state.get(name)
            if value is None or value[0] == "at" and value[2] is None:
                state[name] = self.unknown(plain(value[1]) if value else "memory", 1)
        self.walk(function, head, state, frozenset(function.loops[head]), head, 0)

    def turn(self, function):
        """The first block of the loop whose turns are operations."""
        loops = function.inner_loops(None)
        if len(loops) != 1:
            raise NotTold(f"its kernel has {len(loops)} loops" if loops else "its kernel has no loop")
        if counts_by_one(function, loops[0]):
            return loops[0]
        inner = [head for head in function.inner_loops(function.loops[loops[0]]) if counts_by_one(function, head)]
        by_stretches = any(effect[0] == "less" for block in function.loops[loops[0]]
                           for _, _, effects in function.blocks[block] for effect in effects)
        if len(inner) == 1 and by_stretches:  # the outer loop takes off what the inner one has done
            return inner[0]
        raise NotTold("what a turn of its loop counts cannot be told")

    def walk(self, function, block, state, inside, head, depth):
        """The state at the end of the way that begins with `block`: a return, or the next turn of the loop `head`."""
        while block != END:
            self.blocks += 1
            if self.blocks > MOST_BLOCKS:
                raise NotTold("an operation is too long to be followed")
            state = self.run(function, block, state, 1, depth)
            follow = function.follow(block, inside, head)
            to = follow[0] if len(follow) == 1 else decide(function, block, state, follow)
            block, state = (to, state) if to is not None else self.all_ways(function, block, state, inside, head, depth)
        return state

    def all_ways(self, function, block, state, inside, head, depth):
        """Where the ways behind a branch meet, and the state there."""
        meeting, region = function.meeting(block, inside, head), set()
        queue = function.follow(block, inside, head)
        while queue:
            one = queue.pop()
            if one not in (END, meeting) and one not in region:
                region.add(one)
                queue += function.follow(one, inside, head)
        order = [one for one in function.order if one in region]
        first = {one: state for one in function.follow(block, inside, head) if one in region}
        entry, out = self.settle(function, order, first, depth)
        for one in order:
            why = IN_A_LOOP if circles(function, one, region, inside, head) else ON_SOME_PATHS
            self.run(function, one, dict(entry[one]), why, depth)
        ends = [out[one] for one in order if meeting in function.follow(one, inside, head)]
        ends += [state] if meeting in function.follow(block, inside, head) else []
        return meeting, merge(ends)

    def settle(self, function, order, first, depth):
        """The states before and behind each block of `order`, to a fixed point. `first`: what arrives from outside."""
        entry, out = {}, {}
        for _ in range(4 + len(order)):
            changed = False
            for block in order:
                arrived = [out[one] for one in function.before[block] if one in out]
                merged = merge(arrived + ([first[block]] if block in first else []))
                changed |= entry.get(block) != merged
                entry[block] = merged
                out[block] = self.run(function, block, dict(merged), None, depth)
            if not changed:
                break
        return entry, out

    # ---- What instructions do

    def run(self, function, block, state, counted, depth):
        """The state behind a block. `counted` None: silently; 1: its copies count; a text: why they cannot."""
        for at, size, effects in function.blocks[block]:
            for effect in effects:
                self.step(function, at, size, effect, state, counted, depth)
        return state

    def step(self, function, at, size, effect, state, counted, depth):
        kind = effect[0]
        if kind == "load":
            state[effect[1]] = self.loaded(function, at, size, effect[2], effect[3], state, counted)
        elif kind == "store":
            source = state.get(effect[1])
            if source and source[0] == "data" and effect[3] == source[3]:
                self.copied(function, at, size, source[1:3], effect[2], source[3], effect[1][0] == "v", state, counted)
        elif kind == "copy":
            source = self.address(function, at, size, effect[1], state)
            self.copied(function, at, size, source, effect[2], effect[3], False, state, counted)
        elif kind == "rep movs":
            self.repeated(effect[1], state, counted)
        elif kind == "move":
            state[effect[1]] = state[effect[2]] = state.get(effect[2]) or self.unknown("memory", counted)
        elif kind == "constant":
            state[effect[1]] = ("is", effect[2])
        elif kind == "address":
            where = self.address(function, at, size, effect[2], state)
            value = ("at", *where) if where else computed(effect[2], state)
            if value is None or value[0] == "at" and value[2] is None:
                value = self.unknown(plain(value[1]) if value else "memory", counted) or value
            state[effect[1]] = value
        elif kind == "add":
            state[effect[1]] = added(state.get(effect[2]), effect[3])
        elif kind == "compare":
            state["flags"] = compared(effect, state)
        elif kind == "flags":
            state["flags"] = None
        elif kind == "set":
            state[effect[1]] = self.unknown("memory", counted)
        elif kind == "call":
            self.call(function, at, size, effect, state, counted, depth)
        elif kind == "jump" and function.leaves_for(at, size, effect):
            self.call(function, at, size, ("call", None, None, None), state, counted, depth)
        elif kind == "jump" and effect[1] is None and function.symbol_of(at, size) is None:
            self.doubt_if(counted, "jumps to an address that is computed")

    def unknown(self, region, counted):
        """An address that nobody knows, but which is the same wherever it is used; None where ways are joined."""
        if counted != 1:
            return None
        self.unknowns += 1
        return ("at", (region, self.unknowns), 0)

    def doubt_if(self, counted, why):
        if counted is not None:
            self.doubt(why)

    def global_at(self, function, at, size):
        """(region, offset) of the object that an instruction reaches relative to itself; None: not known."""
        found = function.relocation(at, size)
        if found is None:
            return None
        _, symbol, addend, where = found
        name = symbol.name or f"section {symbol.section}"
        self.sections[name] = symbol.section, symbol.value
        return name, addend + size - where

    def address(self, function, at, size, place, state):
        """(region, offset) of a place; None: not known."""
        base, index, disp = place[:3]
        if base == "ip":
            return self.global_at(function, at, size)
        value = state.get(base)
        if value is None or value[0] == "is":
            return None
        if value[0] == "data":
            value = ("at", "memory", None) if value[4] is None else ("at", ("memory", value[4]), 0)
        offset = value[2] + disp if value[2] is not None else None
        other = state.get(index) if index else None
        if index and other and other[0] == "is":
            offset = offset + other[1] * place[3] if offset is not None else None
        elif index:
            return self.indexed(value, disp, other, place[3])
        return value[1], offset

    def indexed(self, value, disp, index, scale):
        """The place at an index that is not known: the same for the same index."""
        if value[2] is None or index is None or index[-1] is None:
            return plain(value[1]), None
        return (plain(value[1]), value[1], index[1:], scale), value[2] + disp

    def loaded(self, function, at, size, place, width, state, counted):
        where = self.address(function, at, size, place, state)
        unknown = self.unknown("memory", counted)
        if where is None:
            return ("data", "memory", None, width, unknown and unknown[1][1])
        found = function.relocation(at, size)
        if place[0] == "ip" and found and found[0] in GOT[self.lesson.machine]:
            return ("at", where[0], 0)
        section, start = self.sections.get(where[0], (None, 0))
        if section is not None and where[1] is not None:
            if self.lesson.headers[section]["sh_flags"] & SHF_MERGE:
                return None
            pointer = self.constant_pointer(section, start + where[1])
            if pointer:
                return pointer
        return ("data", *where, width, unknown and unknown[1][1])

    def constant_pointer(self, section, offset):
        """A pointer in constant data, as the value of a register; None: there is none."""
        if self.lesson.names[section].startswith((".data.rel.ro", ".rodata")):
            for at, _, symbol, addend in self.lesson.relocations.get(section, ()):
                if at == offset:
                    name = symbol.name or f"section {symbol.section}"
                    self.sections[name] = symbol.section, symbol.value
                    return ("at", name, addend)
        return None

    # ---- Copies

    def copied(self, function, at, size, source, place, width, vector, state, counted):
        if counted is None:
            return
        to = self.address(function, at, size, place, state) or ("memory", None)
        source = source or ("memory", None)
        how = "vector moves" if vector and width > 8 else "moves"
        if counted != 1:
            self.doubt(f"copies {width} B in a move, {counted}")
            return
        way = how, width, plain(source[0]), plain(to[0])
        moved = self.moves.setdefault(way, [0, 0])
        moved[0] += 1
        if to[1] is None:
            moved[1] += width
            return
        for place in ((*way[2:], to[0], k) for k in range(to[1], to[1] + width)):
            if place not in self.written or self.written[place][1] < width:
                self.written[place] = way

    def settle_written(self):
        """Moves of one copy overlap, where its size is no multiple of their width: then a byte counts for the widest
        of them. Behind a call it is another copy."""
        for way in self.written.values():
            self.moves[way][1] += 1
        self.written.clear()

    def repeated(self, width, state, counted):
        """rep movs"""
        length = state.get("rcx")
        n = length[1] * width if length and length[0] == "is" else None
        self.whole("rep movs", region(state.get("rsi")), region(state.get("rdi")), n, width, counted)
        state["rcx"] = ("is", 0)
        for name in ("rsi", "rdi"):
            value = state.get(name)
            state[name] = ("at", value[1], value[2] + n if None not in (value[2], n) else None) if (
                value and value[0] == "at") else None

    def whole(self, how, source, to, length, width, counted):
        if counted is None:
            return
        if length is None or counted != 1:
            self.doubt(f"{how}: of a length that is not known" if length is None else f"{how}, {counted}")
            return
        moved = self.moves.setdefault((how, width, plain(source), plain(to)), [0, 0])
        moved[0] += 1
        moved[1] += length

    # ---- Calls

    def call(self, function, at, size, effect, state, counted, depth):
        if counted is not None:
            self.settle_written()
        symbol = function.symbol_of(at, size)
        if symbol is None or (effect[3] and not self.is_got(function, at, size)):
            result = self.call_through(function, at, size, effect, state, counted, depth)
        elif symbol.section is not None:
            result = self.follow(symbol.section, None, state, counted, depth)
        else:
            result = self.call_outside(symbol.name, state, counted)
        kept = {name: state.get(name) for name in self.machine.saved}
        state.clear()
        state.update(kept)
        state[self.machine.result] = result

    def is_got(self, function, at, size):
        return function.relocation(at, size)[0] in GOT[self.lesson.machine]

    def call_through(self, function, at, size, effect, state, counted, depth):
        """A call of the function itself, or through a pointer."""
        if effect[1] is not None:
            return self.follow(function.section, None, state, counted, depth)
        value = state.get(effect[2]) if effect[2] else self.loaded(function, at, size, effect[3], 8, state, counted)
        targets = self.sections.get(value[1], (None,))[:1] if value and value[0] == "at" else ()
        targets = [one for one in targets if one in self.names] or (self.taken() if counted is not None else [])
        if len(targets) == 1:
            return self.follow(targets[0], THROUGH_A_POINTER, state, counted, depth)
        self.count_call(THROUGH_A_POINTER, counted)
        self.doubt_if(counted, "calls through a pointer")
        return None

    def taken(self):
        """The functions whose address the operation can take: no fixture holds that of another one."""
        seen, queue, taken = {self.root}, [self.root], set()
        for section in queue:
            code = self.function(section).code if self.lesson.is_code(section) and section in self.names else ()
            calls = [range(at, at + size) for at, size, effects in code
                     if effects and effects[-1][0] in ("call", "jump")]
            for at, _, symbol, _ in self.lesson.relocations.get(section, ()):
                if symbol.section in self.names and not any(at in one for one in calls):
                    taken.add(symbol.section)
                if symbol.section is not None and symbol.section not in seen:
                    seen.add(symbol.section)
                    queue.append(symbol.section)
        return sorted(taken)

    def count_call(self, name, counted):
        if counted == 1 and self.calls.get(name, 0) is not None:
            self.calls[name] = self.calls.get(name, 0) + 1
        elif counted is not None:
            self.calls[name] = None

    def call_outside(self, name, state, counted):
        if name in COPY:
            to, source, length = (state.get(one) for one in self.machine.arguments[:3])
            self.whole(f"call of {name.strip('_').removesuffix('_chk')}", region(source), region(to),
                       length[1] if length and length[0] == "is" else None, None, counted)
            return to
        if name not in FILL + ENDS_THE_PROCESS:
            self.count_call(name, counted)
        return (self.unknown("heap", counted) or ("at", "heap", 0)) if name in ALLOCATE else None

    def follow(self, section, name, state, counted, depth):
        """Read a function of the lesson where it is called; returns what its result register holds."""
        if counted is None:  # what it returns is only looked for when copies are counted
            return None
        self.count_call(name or self.names.get(section, "?"), counted)
        if (section in self.active and counted != 1) or depth > MOST_DEPTH:
            self.doubt("calls itself")
            return None
        callee = self.function(section)
        inner = dict(state)
        inner[self.machine.stack] = added(state.get(self.machine.stack), -self.machine.call_pushes_b)
        before, self.moves, self.calls = (self.moves, self.calls), {}, {}
        self.active.append(section)
        final = self.walk(callee, 0, inner, frozenset(callee.order), None, depth + 1)
        self.active.pop()
        self.settle_written()
        called, calls = self.moves, self.calls
        self.moves, self.calls = before
        for one, n in calls.items():
            old = self.calls.get(one, 0)
            self.calls[one] = old + n if counted == 1 and None not in (old, n) else None
        if called and counted != 1:
            self.doubt(f"{self.names.get(section, 'a function')} copies, {counted}")
        elif called:
            for key, (n, size_b) in called.items():
                moved = self.moves.setdefault(key, [0, 0])
                moved[0] += n
                moved[1] += size_b
        return final.get(self.machine.result)


def counts_by_one(function, head):
    loop = function.loops[head]
    inside = frozenset(loop)
    always, block = {head}, head
    while (block := function.meeting(block, inside, head)) != END:
        always.add(block)
    return any(effect[0] == "add" and effect[1] == effect[2] and abs(effect[3]) == 1
               for block in always for _, _, effects in function.blocks[block] for effect in effects)


def circles(function, block, region, inside, head):
    """Whether a way leads from the block to itself within the region."""
    seen, queue = set(), [block]
    while queue:
        for to in function.follow(queue.pop(), inside, head):
            if to == block:
                return True
            if to in region and to not in seen:
                seen.add(to)
                queue.append(to)
    return False


def decide(function, block, state, follow):
    """The block to which a branch leads, if that is known; else None."""
    at, size, effects = function.blocks[block][-1]
    condition, flags = effects[-1][2], state.get("flags")
    if flags is None or condition == "other":
        return None
    taken = holds(condition, *flags)
    if taken is None:
        return None
    to = effects[-1][1] if taken else at + size
    return to if to in follow else END if END in follow else None


def read(lesson, section):
    """What one operation of a kernel copies from memory to memory, [{bytes, how, moves, width_b, from, to, per}], and
    what it calls, {function: how often, or None: not told}. `lesson`: a lesson_object.Object. What is not told of the
    copies is an entry {"how": "not told", "why", "per"}; of the calls, None instead of all."""
    try:
        reader = Reader(lesson)
        reader.operation(section)
    except NotTold as why:
        return [{"how": "not told", "why": str(why), "per": "operation"}], None
    found = []
    reader.settle_written()
    for (how, width, source, to), (n, size_b) in reader.moves.items():
        found.append({"bytes": size_b, "how": how, "moves": n, "width_b": width, "from": source, "to": to,
                      "per": "operation"})
    return found + [{"how": "not told", "why": why, "per": "operation"} for why in reader.doubts], reader.calls

# SPDX-License-Identifier: MIT
"""How a function copies objects, read from its compiled code: which bytes it loads and stores on unchanged.

    mov rax, [rbx]          the value of rax: 8 B of argument 1
    mov [rsp+16], rax       stored on unchanged: a copy of 8 B from argument 1 to the stack

An abstract interpretation of one operation: the blocks of the kernel's loop once in order, and the functions of the
same object that it calls, with the registers that they are called with. A register's value is one of

    ("at", region, offset)            an address; the offset None if it is not the same on all paths
    ("data", region, offset, width)   what was loaded from there, unchanged
    ("is", number)                    a constant
    None                              anything else

Regions: "argument 1", "stack", "heap", the name of a global object, "memory" (what a loaded pointer points to). What
cannot be told is said so, never guessed: {"how": "not told", "why": ...}."""

from instructions import MACHINES, decode

ALLOCATE = ("malloc", "calloc", "aligned_alloc", "realloc")
COPY = ("memcpy", "memmove", "__memcpy_chk", "__memmove_chk")
QUIET = ("free", "memset", "abort", "_exit", "__stack_chk_fail")  # copies nothing that is an object's
MOST_DEPTH = 12


class NotTold(Exception):
    """The text says why."""


class Function:
    """The blocks of a function, which of them follow each other, and its loops."""

    def __init__(self, lesson, machine, section):
        self.code = decode(machine, lesson.data[section])
        self.relocations = {}
        for at, _, symbol, addend in lesson.relocations.get(section, ()):
            self.relocations[at] = (symbol, addend)
        if not self.code or sum(size for _, size, _ in self.code) < len(lesson.data[section]):
            raise NotTold("its code cannot be decoded")
        self._find_blocks()
        self._find_loops()

    def symbol_of(self, at, size):
        return next((self.relocations[k] for k in range(at, at + size) if k in self.relocations), (None, 0))

    def global_at(self, at, size):
        """(name, offset) of the object that an instruction reaches relative to itself; None: not known."""
        for k in range(at, at + size):
            if k in self.relocations:
                symbol, addend = self.relocations[k]
                return symbol.name or f"section {symbol.section}", addend + at + size - k
        return None

    def _find_blocks(self):
        starts, known = {0}, {at for at, _, _ in self.code}
        for at, size, effects in self.code:
            for effect in effects:
                if effect[0] in ("jump", "return"):
                    starts.add(at + size)
                if effect[0] == "jump" and self._target(at, size, effect) is not None:
                    starts.add(effect[1])
        self.blocks, self.next = {}, {}
        for at, size, effects in self.code:
            if at in starts:
                start = at
            self.blocks.setdefault(start, []).append((at, size, effects))
        for start, block in self.blocks.items():
            at, size, effects = block[-1]
            end = effects[-1] if effects else ("none",)
            self.next[start] = []
            if end[0] == "jump" and self._target(at, size, end) in known:
                self.next[start].append(end[1])
            if end[0] != "return" and not (end[0] == "jump" and not end[2]) and at + size in known:
                self.next[start].append(at + size)

    def _target(self, at, size, effect):
        """Where a jump leads within the function; None: out of it."""
        return None if self.symbol_of(at, size)[0] is not None else effect[1]

    def _find_loops(self):
        """Natural loops: {first block: all of its blocks}; `order`: blocks such that what goes on comes later."""
        order, seen, stack = [], {0}, [(0, iter(self.next[0]))]
        while stack:
            block, follow = stack[-1]
            new = next((one for one in follow if one not in seen), None)
            if new is None:
                order.append(block)
                stack.pop()
            else:
                seen.add(new)
                stack.append((new, iter(self.next[new])))
        self.order = order[::-1]
        before = {block: [one for one in self.order if block in self.next[one]] for block in self.order}
        self.before = before
        dominators = {block: set(self.order) for block in self.order} | {0: {0}}
        changed = True
        while changed:
            changed = False
            for block in self.order[1:]:
                new = {block} | set.intersection(*(dominators[one] for one in before[block]))
                changed |= new != dominators[block]
                dominators[block] = new
        self.dominators = dominators
        self.loops = {}
        for block in self.order:
            for head in self.next[block]:
                if head in dominators[block]:
                    loop, queue = {head, block}, [block]
                    while queue:
                        one = queue.pop()
                        if one != head:
                            queue += [new for new in before[one] if new not in loop]
                            loop |= set(before[one])
                    self.loops[head] = self.loops.get(head, set()) | loop

    def outer_loops(self):
        return [head for head, loop in self.loops.items()
                if not any(head in other and other > loop for other in self.loops.values())]

    def always(self, block, inside):
        """Whether each pass through `inside` (a loop's blocks, or all) goes through this block."""
        ends = [one for one in inside if not self.next[one]]
        heads = [head for head in self.loops if self.loops[head] == inside]
        if heads:
            ends = [one for one in inside if heads[0] in self.next[one]]
        return all(block in self.dominators[end] for end in ends if end in self.dominators)


class Reader:
    """Interprets one operation, and collects its copies."""

    def __init__(self, lesson):
        if lesson.machine not in MACHINES:
            raise NotTold(f"{lesson.machine} is not read")
        self.lesson = lesson
        self.machine = MACHINES[lesson.machine]()
        self.functions, self.moves, self.doubts = {}, {}, []

    def function(self, section):
        if section not in self.functions:
            self.functions[section] = Function(self.lesson, self.machine, section)
        return self.functions[section]

    def doubt(self, why):
        if why not in self.doubts:
            self.doubts.append(why)

    def operation(self, section):
        """Read the kernel in this section: one turn of its loop."""
        function = self.function(section)
        state = {name: ("at", f"argument {k + 1}", 0) for k, name in enumerate(self.machine.arguments)}
        state[self.machine.stack] = ("at", "stack", 0)
        loops = function.outer_loops()
        if len(loops) != 1:
            raise NotTold(f"its kernel has {len(loops)} loops" if loops else "its kernel has no loop")
        loop = function.loops[loops[0]]
        if not self._counts_by_one(function, loop):
            raise NotTold("what a turn of its loop counts cannot be told")
        self.interpret(function, state, loop, 0)

    def _counts_by_one(self, function, loop):
        return any(effect[0] == "add" and effect[1] == effect[2] and abs(effect[3]) == 1
                   for block in loop if function.always(block, loop)
                   for _, _, effects in function.blocks[block] for effect in effects)

    def interpret(self, function, state, count_in, depth):
        """To a fixed point first, silently; then once more, counting what stands in the blocks `count_in`."""
        entry = {0: state}
        for _ in range(4 + len(function.order)):
            changed = False
            out = {}
            for block in function.order:
                arrived = [out[one] for one in function.before[block] if one in out]
                arrived += [entry[block]] if block in entry else []
                merged = merge(arrived)
                changed |= entry.get(block) != merged
                entry[block] = merged
                out[block] = self.run(function, block, dict(merged), None, depth)
            if not changed:
                break
        result = []
        for block in function.order:
            counted = None
            if block in count_in:
                counted = how_often(function, block, count_in)
            final = self.run(function, block, dict(entry[block]), counted, depth)
            if not function.next[block]:
                result.append(final)
        return merge(result) if result else {}

    def run(self, function, block, state, counted, depth):
        """The state behind a block. `counted` None: silently; 1: its copies count; a text: why they cannot."""
        for at, size, effects in function.blocks[block]:
            for effect in effects:
                self.step(function, at, size, effect, state, counted, depth)
        return state

    def step(self, function, at, size, effect, state, counted, depth):
        kind = effect[0]
        if kind == "load":
            state[effect[1]] = self.loaded(function, at, size, effect[2], effect[3], state)
        elif kind == "store":
            source = state.get(effect[1])
            if source and source[0] == "data" and effect[3] == source[3]:
                self.copied(function, at, size, source[1:3], effect[2], source[3], effect[1][0] == "v", state, counted)
        elif kind == "copy":
            source = self.address(function, at, size, effect[1], state)
            self.copied(function, at, size, source, effect[2], effect[3], False, state, counted)
        elif kind == "rep movs":
            length = state.get("rcx")
            n = length[1] * effect[1] if length and length[0] == "is" else None
            self.whole("rep movs", region(state.get("rsi")), region(state.get("rdi")), n, effect[1], counted)
            state["rcx"] = ("is", 0)
            for name in ("rsi", "rdi"):
                value = state.get(name)
                state[name] = ("at", value[1], value[2] + n if value[2] is not None and n is not None else None) if (
                    value and value[0] == "at") else None
        elif kind == "move":
            state[effect[1]] = state.get(effect[2])
        elif kind == "constant":
            state[effect[1]] = ("is", effect[2])
        elif kind == "address":
            where = self.address(function, at, size, effect[2], state)
            state[effect[1]] = ("at", *where) if where else None
        elif kind == "add":
            state[effect[1]] = added(state.get(effect[2]), effect[3])
        elif kind == "set":
            state[effect[1]] = None
        elif kind == "call" or (kind == "jump" and function.symbol_of(at, size)[0] is not None):
            self.call(function, at, size, state, counted, depth)
        elif kind == "jump" and effect[1] is None:
            self.doubt_if(counted, "jumps to an address that is computed")

    def doubt_if(self, counted, why):
        if counted is not None:
            self.doubt(why)

    def address(self, function, at, size, place, state):
        """(region, offset) of a place; None: not known."""
        base, index, disp = place
        if base == "ip":
            return function.global_at(at, size)
        value = state.get(base)
        if value is None or value[0] == "is":
            return None
        if value[0] == "data":
            return ("memory", None)
        offset = value[2] + disp if value[2] is not None else None
        other = state.get(index) if index else None
        if index:
            offset = offset + other[1] if offset is not None and other and other[0] == "is" else None
        return value[1], offset

    def loaded(self, function, at, size, place, width, state):
        where = self.address(function, at, size, place, state)
        return ("data", *where, width) if where else ("data", "memory", None, width)

    def copied(self, function, at, size, source, place, width, vector, state, counted):
        if counted is None:
            return
        to = self.address(function, at, size, place, state) or ("memory", None)
        source = source or ("memory", None)
        how = "vector moves" if vector and width > 8 else "moves"
        if counted != 1:
            self.doubt(f"copies {width} B in a move, {counted}")
            return
        moved = self.moves.setdefault((how, width, source[0], to[0]), [0, set(), 0])
        moved[0] += 1
        if to[1] is None:
            moved[2] += width
        else:
            moved[1].update(range(to[1], to[1] + width))

    def whole(self, how, source, to, length, width, counted):
        if counted is None:
            return
        if length is None or counted != 1:
            self.doubt(f"{how}: of a length that is not known" if length is None else f"{how}, {counted}")
            return
        moved = self.moves.setdefault((how, width, source, to), [0, set(), 0])
        moved[0] += 1
        moved[2] += length

    def call(self, function, at, size, state, counted, depth):
        symbol, _ = function.symbol_of(at, size)
        kept = {name: state.get(name) for name in self.machine.saved}
        result = None
        if symbol is None:
            self.doubt_if(counted, "calls through a pointer")
        elif symbol.section is not None:
            result = self.follow(symbol, state, counted, depth)
        elif symbol.name in COPY:
            names = self.machine.arguments
            length = state.get(names[2])
            self.whole(f"call of {symbol.name.strip('_').removesuffix('_chk')}", region(state.get(names[1])),
                       region(state.get(names[0])), length[1] if length and length[0] == "is" else None, None, counted)
            result = state.get(names[0])
        elif symbol.name in ALLOCATE:
            result = ("at", "heap", 0)
        elif symbol.name not in QUIET:
            self.doubt_if(counted, f"calls {symbol.name}, which is not part of the lesson")
        state.clear()
        state.update(kept)
        state[self.machine.result] = result

    def follow(self, symbol, state, counted, depth):
        """Read a function of the lesson where it is called; returns what its result register holds."""
        if counted is None:  # what it returns is only looked for when copies are counted
            return None
        if depth > MOST_DEPTH:
            self.doubt("calls itself")
            return None
        callee = self.function(symbol.section)
        inner = dict(state)
        inner[self.machine.stack] = added(state.get(self.machine.stack), -self.machine.call_pushes_b)
        before, self.moves = self.moves, {}
        final = self.interpret(callee, inner, set(callee.order), depth + 1)
        called, self.moves = self.moves, before
        if called and counted != 1:
            self.doubt(f"{symbol.name} copies, {counted}")
        elif called:
            for key, (n, reached, more) in called.items():
                moved = self.moves.setdefault(key, [0, set(), 0])
                moved[0] += n
                moved[2] += len(reached) + more
        return final.get(self.machine.result)


def how_often(function, block, inside):
    """How often an operation goes through a block: once, or why that cannot be told."""
    if any(block in loop and loop < inside for loop in function.loops.values()):
        return "in a loop of its own"
    return 1 if function.always(block, inside) else "on some paths only"


def region(value):
    return value[1] if value and value[0] == "at" else "memory"


def added(value, number):
    if value and value[0] == "at":
        return ("at", value[1], value[2] + number if value[2] is not None else None)
    return ("is", value[1] + number) if value and value[0] == "is" else None


def merge(states):
    """What holds on all paths."""
    if len(states) == 1:
        return states[0]
    merged = {}
    for name in set.intersection(*(set(state) for state in states)) if states else ():
        values = {state[name] for state in states}
        if len(values) == 1:
            merged[name] = values.pop()
        elif all(value and value[0] == "at" for value in values) and len({value[1] for value in values}) == 1:
            merged[name] = ("at", next(iter(values))[1], None)
    return merged


def copies(lesson, section):
    """[{bytes, how, moves, width_b, from, to, per}] of a kernel: what one operation copies from memory to memory.
    `lesson`: a lesson_object.Object. What is not told is an entry {"how": "not told", "why", "per"}."""
    try:
        reader = Reader(lesson)
        reader.operation(section)
    except NotTold as why:
        return [{"how": "not told", "why": str(why), "per": "operation"}]
    found = []
    for (how, width, source, to), (n, seen, more) in reader.moves.items():
        found.append({"bytes": len(seen) + more, "how": how, "moves": n, "width_b": width, "from": source, "to": to,
                      "per": "operation"})
    return found + [{"how": "not told", "why": why, "per": "operation"} for why in reader.doubts]

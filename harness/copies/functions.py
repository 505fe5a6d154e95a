# SPDX-License-Identifier: MIT
"""The blocks of a compiled function, which follow each other, its loops, and where its paths meet again.

Paths that end the process are left out: an operation that is measured takes none of them. They end in a call of
abort(), _exit() or __stack_chk_fail(), or in code that the compiler has put apart as unlikely and that returns to
nobody."""

from instructions import decode

ENDS_THE_PROCESS = ("_exit", "exit", "abort", "__stack_chk_fail", "__chk_fail", "raise")
END = -1  # stands for all returns, or for the next turn of a loop


class NotTold(Exception):
    """The text says why."""


class Function:
    def __init__(self, lesson, machine, section):
        self.lesson, self.section = lesson, section
        self.code = decode(machine, lesson.data[section])
        self.relocations = {at: (kind, symbol, addend)
                            for at, kind, symbol, addend in lesson.relocations.get(section, ())}
        if not self.code or sum(size for _, size, _ in self.code) < len(lesson.data[section]):
            raise NotTold("its code cannot be decoded")
        self._find_blocks()
        self._leave_out_ends_of_the_process()
        self._find_loops()
        self.meetings = {}  # (blocks, head) -> {block: the blocks on all ways from it to the end}

    def relocation(self, at, size):
        """(type, symbol, addend, where in the instruction) of an instruction; None: it has none."""
        return next(((*self.relocations[k], k - at) for k in range(at, at + size) if k in self.relocations), None)

    def symbol_of(self, at, size):
        found = self.relocation(at, size)
        return found[1] if found else None

    def _is_unlikely(self, symbol):
        return symbol.section is not None and self.lesson.names[symbol.section].startswith(".text.unlikely")

    # ---- Blocks

    def _find_blocks(self):
        starts, known = {0}, {at for at, _, _ in self.code}
        for at, size, effects in self.code:
            if any(effect[0] in ("jump", "return") for effect in effects) or self._ends_the_process(at, size, effects):
                starts.add(at + size)
            for effect in effects:
                if effect[0] == "jump" and self._target(at, size, effect) is not None:
                    starts.add(effect[1])
        self.blocks, self.next = {}, {}
        for at, size, effects in self.code:
            if at in starts:
                start = at
            self.blocks.setdefault(start, []).append((at, size, effects))
        self.dead = {start for start, block in self.blocks.items() if self._ends_the_process(*block[-1])}
        for start, block in self.blocks.items():
            at, size, effects = block[-1]
            end = effects[-1] if effects else ("none",)
            self.next[start] = []
            if start in self.dead:
                continue
            if end[0] == "jump" and self._target(at, size, end) in known:
                self.next[start].append(end[1])
            if end[0] != "return" and not (end[0] == "jump" and not end[2]) and at + size in known:
                self.next[start].append(at + size)

    def _ends_the_process(self, at, size, effects):
        symbol = self.symbol_of(at, size) if effects else None
        if symbol is None:
            return False
        if effects[-1][0] == "jump" and not effects[-1][2] and self._is_unlikely(symbol):
            return True
        return effects[-1][0] in ("call", "jump") and symbol.name in ENDS_THE_PROCESS

    def _target(self, at, size, effect):
        """Where a jump leads within the function; None: out of it."""
        return None if self.symbol_of(at, size) is not None else effect[1]

    def leaves_for(self, at, size, effect):
        """The symbol of another function that a jump leads to; None: it stays, or leads to unlikely code."""
        symbol = self.symbol_of(at, size) if effect[0] == "jump" else None
        return None if symbol is None or self._is_unlikely(symbol) else symbol

    def _leave_out_ends_of_the_process(self):
        """Drop the ways from which no return can be reached; a loop without an end is kept."""
        changed = True
        while changed:
            lost = {one for one in self.blocks if one not in self.dead and self.next[one]
                    and all(follow in self.dead for follow in self.next[one])}
            self.dead |= lost
            changed = bool(lost)
        if 0 not in self.dead:
            self.next = {one: [] if one in self.dead else [to for to in follow if to not in self.dead]
                         for one, follow in self.next.items()}

    # ---- Loops

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
        self.before = {block: [one for one in self.order if block in self.next[one]] for block in self.order}
        dominators = _dominators(self.order, self.before)
        self.loops = {}
        for block in self.order:
            for head in self.next[block]:
                if head in dominators[block]:
                    loop, queue = {head, block}, [block]
                    while queue:
                        one = queue.pop()
                        if one != head:
                            queue += [new for new in self.before[one] if new not in loop]
                            loop |= set(self.before[one])
                    self.loops[head] = self.loops.get(head, set()) | loop

    def inner_loops(self, loop):
        """The loops right within one, or the outermost, if `loop` is None."""
        within = {head: blocks for head, blocks in self.loops.items() if loop is None or blocks < loop}
        return [head for head, blocks in within.items()
                if not any(blocks < other for other in within.values())]

    # ---- Where paths meet again

    def follow(self, block, inside, head):
        """The blocks after `block` within `inside`; END for the way back to the loop's `head`, or out by a return."""
        found = [END if to == head else to for to in self.next[block] if to == head or to in inside]
        return found or [END]

    def meeting(self, block, inside, head):
        """The block to which all ways from `block` lead, the nearest; END: only the end. `inside`: a frozenset."""
        if (inside, head) not in self.meetings:
            order = [END] + [one for one in reversed(self.order) if one in inside]
            before = {one: self.follow(one, inside, head) for one in order[1:]} | {END: []}
            self.meetings[inside, head] = _dominators(order, before)
        behind = self.meetings[inside, head]
        return max(behind[block] - {block}, key=lambda one: len(behind[one]), default=END)


def _dominators(order, before):
    """{block: the blocks on all ways from the first one to it}"""
    found = {block: set(order) for block in order} | {order[0]: {order[0]}}
    changed = True
    while changed:
        changed = False
        for block in order[1:]:
            known = [found[one] for one in before[block] if one in found]
            new = {block} | (set.intersection(*known) if known else set())
            changed |= new != found[block]
            found[block] = new
    return found

# SPDX-License-Identifier: MIT
"""What the function does to which the object is passed: one profile, one pair of benchmarks/ask/ask_call.c.

By default those that decide: it reads one, a quarter, half or all of the members; it changes a copy; it writes
elsewhere between its reads; it hands the object on. With --reads, --writes, --alias or --depth, the one that these
describe."""

from dataclasses import dataclass, replace

from ask.types import leaves
from plots.program.errors import Refused
from plots.words import quantity

FEW = 2    # members that are read where the question is another one
CALLS = 4  # through which the object is handed on
OWN = "ask_yours"
STACK_B = 1 << 20  # that all copies of an object may take


@dataclass(frozen=True)
class Profile:
    pair: str
    reads: int           # members, as wanted
    total: int           # that there are; 0: none that can be named, then the lessons read two bytes
    changes: bool = False  # a copy of its own
    writes: bool = False   # elsewhere, between its reads
    calls: int = 1         # functions that have the object, each from the one before
    read: int = 0          # members that are read; of a long array about as many as wanted

    @property
    def reader(self):
        return f"amp_read_{self.reads}" if self.total else "amp_ends"

    @property
    def amount(self):
        """all 8, 2 of 8, its only member"""
        if not self.total:
            return "two bytes"
        if self.read < self.total:
            return f"{quantity.count(self.read)} of {quantity.count(self.total)}"
        return f"all {quantity.count(self.total)}" if self.total > 1 else "its only member"

    @property
    def question(self):
        """A few words, as they stand in a table."""
        reads = f"reads {self.amount}"
        more = [words for words, does in (("changes a copy", self.changes), ("writes elsewhere", self.writes),
                                          (f"{self.calls} calls", self.calls > 1)) if does]
        if self.pair == OWN:
            return ", ".join(["yours: " + reads, *more])
        return ", ".join(more) or reads

    @property
    def does(self):
        """What the callee does, for a sentence: "reads 2 of 8 members"."""
        members = "" if not self.total or self.total == 1 else " members"
        parts = [f"reads {self.amount}{members}"]
        parts += ["changes its copy"] * self.changes + ["writes elsewhere between"] * self.writes
        parts += [f"has it through {self.calls} calls"] * (self.calls > 1)
        return ", ".join(parts[:-1]) + " and " * (len(parts) > 1) + parts[-1]

    @property
    def besides(self):
        """What it does besides reading."""
        return ("changes its copy" if self.changes else "writes elsewhere between its reads" if self.writes
                else f"has it through {self.calls} calls")

    @property
    def by(self):
        """(where the value side is better, where the pointer side is) as advice."""
        if self.changes and self.pair != OWN:
            return "let the call make the copy", "let the callee copy what it gets by const pointer"
        if self.calls > 1 and self.pair != OWN:
            return "hand it on by value", "hand it on by const pointer"
        return "pass it by value", "pass it by const pointer"


def of(subject, args):
    """The profiles for a type, by what was asked."""
    kind = subject.layout.use.type
    total = leaves.count(kind)
    if args.reads or args.writes or args.alias or args.depth:
        return [counted(_own(subject, total, args), kind)]
    shares = {"half": total // 2, "quarter": total // 4, "one": 1, "all": total}  # of two that are one, the last
    found = {reads: Profile(f"ask_reads_{name}", reads, total) for name, reads in shares.items() if reads or not total}
    few = min(FEW, total)
    more = [Profile("ask_changes", few, total, changes=True), Profile("ask_alias", few, total, writes=True)]
    if subject.size_b * CALLS <= STACK_B:
        more.append(Profile("ask_depth", few, total, calls=CALLS))
    return [counted(one, kind) for one in [*dict(sorted(found.items())).values(), *more]]


def _own(subject, total, args):
    if subject.size_b * (args.depth or 1) > max(STACK_B, subject.size_b):
        raise Refused(f"--depth {args.depth}", f"so many copies of {subject.size_b} B do not fit a stack")
    reads = args.reads or min(FEW, total)
    if args.reads == "all" or not total:
        reads = total
    if reads > total:
        raise Refused(f"--reads {reads}", f"{subject.type} has {quantity.counted(total, 'member')} that can be read: "
                      f"1 to {total}, or all")
    return Profile(OWN, reads, total, args.writes, args.alias, args.depth or 1)


def counted(profile, kind):
    read = leaves.Reading(kind, profile.reads).read if profile.total else 0
    return replace(profile, read=read)


def declarations(profiles, subject):
    """The functions that read and change, and the list ASK_PROFILES, for ask_call.c."""
    kind = subject.layout.use.type
    readers = [leaves.reader(name, kind, reads)[0] for name, reads in
               dict.fromkeys((one.reader, one.reads) for one in profiles if one.total)]
    calls = [f'    CALL{"_ON" if one.writes or one.calls > 1 else ""}({one.pair}, {one.reader}, {int(one.changes)}, '
             + (f"{int(one.writes)}, {one.calls}, " if one.writes or one.calls > 1 else "") + f'"{one.does}")'
             for one in profiles]
    return "".join([*readers, leaves.changer("amp_change", kind),
                    "#define ASK_PROFILES(CALL, CALL_ON) \\\n", " \\\n".join(calls), "\n"])

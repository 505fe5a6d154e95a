# SPDX-License-Identifier: MIT
"""Which commit made a kernel slower: halve the way from a good commit to a bad one.

A commit counts as bad if the kernel has lost more than half of what it lost on the whole way. Where its code and data
are those of the good commit, nothing is timed. Commits that cannot be built are left out."""

from dataclasses import dataclass, field

from plots.program.errors import Refused


@dataclass
class Found:
    first_bad: str  # the commit
    also: list = field(default_factory=list)  # commits that may be it, since they could not be built
    tried: int = 0


def bisect(commits, is_bad):
    """`commits`: those after the good one, in order; the last is the bad one. `is_bad`: of a commit: True, False, or
    None where it cannot be told."""
    low, high, found = -1, len(commits) - 1, Found(commits[-1])
    untold = set()
    while True:
        between = [at for at in range(low + 1, high) if at not in untold]
        if not between:
            break
        middle = min(between, key=lambda at: abs(2 * at - low - high))
        found.tried += 1
        bad = is_bad(commits[middle])
        if bad is None:
            untold.add(middle)
        elif bad:
            high = middle
        else:
            low = middle
    found.first_bad = commits[high]
    found.also = [commits[at] for at in range(low + 1, high)]
    return found


def on_the_way(git, top, good, bad):
    """The commits after the good one up to the bad one, along first parents."""
    commits = git(top, "rev-list", "--first-parent", "--reverse", f"{good}..{bad}").split()
    if not commits:
        raise Refused("--bisect", f"{bad} has no commit that {good} has not: the good one comes first")
    return commits

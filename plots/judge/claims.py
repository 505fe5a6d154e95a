# SPDX-License-Identifier: MIT
"""Do the claims of the lessons hold on this run? A claim says which side is faster in the rows of some sizes.

A row speaks for a claim of `value` or `pointer` if that side is faster or leans that way, and against it if the other
is, or if both are equal. It speaks for a claim of `neither` if the difference is small (stats/worth.py), and against it
if a side is faster by more. A row that is not decided says nothing. A claim holds if a row speaks for it and none
against it. What is true of another ABI only is left out."""

from plots.files import compiled
from plots.judge.pair_summary import Claim
from plots.stats import worth

WINNERS = {"value faster": "value", "leans value": "value", "pointer faster": "pointer", "leans pointer": "pointer"}
NEITHER = "neither"


def winner(row):
    """value, pointer, NEITHER for certain, or None: by the verdict of a row."""
    return WINNERS.get(row.verdict) or (NEITHER if row.verdict in ("equal", "placement decides") else None)


def judge(declared, rows):
    """[Claim] of a run; declared: {pair: the claims of its manifest's rows}, rows: {pair: its rows}."""
    return tuple(_judged(pair, claim, [row for row in rows[pair] if _covers(claim, row.size)])
                 for pair, claims in declared.items() for claim in claims)


def declared(run):
    """{pair: its claims that are about the run's ABI}, each once: a template declares them for every size."""
    found, ours = {}, compiled.abi(run.manifest)
    for row in run.rows:
        mine = found.setdefault(row.pair, [])
        mine += [claim for claim in row.declared.get("claims", ())
                 if claim not in mine and claim.get("abi", ours) == ours]
    return found


def _covers(claim, size):
    return claim["from"] <= size and (claim["to"] == 0 or size <= claim["to"])


def _judged(pair, claim, rows):
    says = {row.row: _speaks(claim["faster"], row) for row in rows}
    against = tuple(row for row, said in says.items() if said is False)
    holds = False if against else True if any(says.values()) else None
    return Claim(pair=pair, text=claim["text"], faster=claim["faster"], from_size=claim["from"], to_size=claim["to"],
                 rows=len(rows), holds=holds, against=against)


def _speaks(faster, row):
    """True: for the claim, False: against it, None: says nothing."""
    if row.ratio is None or not row.ratio.has_interval or row.verdict in ("no verdict", "failed"):
        return None
    winner = WINNERS.get(row.verdict)
    if faster == NEITHER:
        return True if worth.is_small(row.value_ns_per_op.estimate, row.ratio.estimate) else False if winner else None
    if winner:
        return winner == faster
    return False if row.verdict == "equal" else None

# SPDX-License-Identifier: MIT
"""What `ab` prints: one line where all is well, else a table; a comment for a pull request; JSON; SARIF."""

import json
import math
from pathlib import Path

from plots.ab.counts import EXACT
from plots.words import quantity, screen
from plots.words.table import Column, Table, escaped

COLOURS = {"slower": screen.RED, "more": screen.RED, "faster": screen.GREEN, "fewer": screen.GREEN,
           "failed": screen.ALARM, "undecided": screen.YELLOW}
ICONS = {"slower": ":red_circle:", "more": ":red_circle:", "faster": ":green_circle:", "fewer": ":green_circle:",
         "failed": ":warning:", "undecided": ":white_circle:"}
PLACED = 0.05  # between layouts: more is told
CODE = "functions", "changed", "only_base", "only_head", "text_sha256"
KEYS = {"allocs": "allocations", "asked_b": "bytes", "instructions": "instructions"}


def signed(ln):
    return quantity.percent(math.expm1(ln), signed=True)


def between(interval):
    return f"{signed(interval.low).removesuffix(' %')} to {signed(interval.high)}"


def known(x):
    """None for what JSON has no number for."""
    return x if x is not None and math.isfinite(x) else None


def exact(x):
    return quantity.NONE if x is None else quantity.count(float(x))


def of_both(counts, key):
    """2, or 2 -> 3"""
    if not counts:
        return quantity.NONE
    base, head = (exact(counts[side][key]) for side in ("base", "head"))
    return base if base == head else f"{base} -> {head}"


class Report:
    """`rows`: of judge.py, of the kernels that were timed; `same`: those whose code is the same on both sides."""

    def __init__(self, settings, titles, linked, facts, rows, counts, missing, why_not_counted, because):
        self.settings, self.titles, self.linked, self.facts = settings, titles, linked, facts
        self.rows, self.counts, self.missing = list(rows), counts, missing
        self.why_not_counted, self.because = why_not_counted, because
        self.same = [name for name in facts["kernels"] if name in facts["same"]]
        self.exact = any(row.verdict.name in ("more", "fewer") or row.interval is None and row.verdict.name == "same"
                         for row in self.rows)

    # ---- Words

    def verdict(self, row):
        allowed = self.settings.fail_on
        name = row.verdict.name
        if name == "failed":
            return f"failed: {row.failure['detail']}"
        if self.exact:
            return {"more": "takes more" + " than it may" * row.verdict.fails, "fewer": "takes less",
                    "same": "takes the same"}[name]
        if row.verdict.fails:
            return f"slower by more than {quantity.level(allowed)}"
        if name == "same":
            return f"no change beyond {quantity.level(row.verdict.beyond)}"
        if name == "undecided":
            return "undecided" + self._why_undecided(row)
        return name

    def _why_undecided(self, row):
        if row.is_memory_bound and math.isfinite(row.floor):
            return f": bound by memory, cannot tell below {quantity.percent(row.floor)} here"
        if row.is_long:
            return ": an operation takes milliseconds, cut it into smaller ones"
        return ""

    def said(self, row):
        notes = [self.verdict(row)]
        if row.rare:
            notes.append(f"in the mean {signed(row.rare.estimate)}, so some calls are rare and slow")
        if row.verdict.name in ("slower", "faster") and row.is_memory_bound:
            notes.append(f"bound by memory, cannot tell below {quantity.percent(row.floor)} here")
        if row.p90 is not None and row.p90 - row.p10 > PLACED and row.verdict.name != "same":
            notes.append(f"{signed(row.p10)} to {signed(row.p90)} by where the code stands")
        if row.same < 1:
            notes.append(f"{quantity.percent(1 - row.same)} of blocks had other addresses on the two sides")
        because = self.because.get(row.kernel)
        if because and row.verdict.name not in ("same", "failed"):
            notes.append(because)
        return "; ".join(notes)

    def count(self, *names):
        return sum(row.verdict.name in names for row in self.rows)

    @property
    def fails(self):
        return [row for row in self.rows if row.verdict.fails]

    def summary(self):
        """One line."""
        parts = []
        fails, slower = len(self.fails), self.count("slower")
        if self.exact:
            more, s = self.count("more"), "s" * (self.count("more") == 1)
            parts += [f"{more} allocate{s} or execute{s} more"] * bool(more)
            parts += [f"{self.count('fewer')} less"] * bool(self.count("fewer"))
            parts += [f"{self.count('same')} the same"] * bool(self.count("same"))
        elif self.settings.fail_on and fails:
            parts.append(f"{fails} slower by more than {quantity.level(self.settings.fail_on)}")
        if slower > fails or (slower and not self.settings.fail_on):
            parts.append(f"{slower - (fails if self.settings.fail_on else 0)} slower")
        for name, words in (("faster", "faster"), ("undecided", "undecided"), ("failed", "failed")):
            parts += [f"{self.count(name)} {words}"] * bool(self.count(name))
        alike = [row.verdict.beyond for row in self.rows if row.verdict.name == "same" and not self.exact]
        if alike:
            parts.append(f"{len(alike)} without a change beyond {quantity.level(max(alike))}")
        if self.same:
            parts.append(f"{len(self.same)} with the same code and data on both sides")
        if self.missing:
            parts.append(f"{len(self.missing)} missing on one side")
        head = f"nothing {'takes more' if self.exact else 'slower'}: "
        if self.count("slower", "undecided", "failed", "more") or self.missing:
            head = ""
        return f"{head}{', '.join(parts) or 'nothing to compare'}"

    def is_well(self):
        return not self.missing and all(row.verdict.name == "same" for row in self.rows)

    def of_code(self):
        facts = self.facts
        text = (f"{quantity.counted(facts['functions'], 'function')} on both sides, {len(facts['changed'])} changed, "
                f"{len(facts['only_base'])} removed, {len(facts['only_head'])} new")
        if self.linked is None:
            return text
        way = f"as programs, since {self.linked.why}" if self.linked.programs else "as modules"
        return f"{text}; {self.linked.layouts} layouts, run {way}"

    # ---- Forms

    def table(self, rows):
        def time(side):
            return Column(f"{side}_ns", lambda row: getattr(row, f"{side}_ns"), f"{side} ns",
                          lambda row: quantity.time_ns(getattr(row, f"{side}_ns")), short=side, group="ns/operation")

        def counted(key):
            return Column(key, None, KEYS[key], lambda row: of_both(self.counts.get(row.kernel), key))

        times = () if self.exact else (
            time("base"), time("head"),
            Column("difference", lambda row: row.interval and row.interval.estimate, "difference",
                   lambda row: signed(row.interval.estimate) if row.interval else quantity.NONE),
            Column("", None, "interval", lambda row: between(row.interval) if row.interval else quantity.NONE,
                   words=True),
        )
        columns = (
            Column("kernel", lambda row: row.kernel, "kernel", words=True),
            *times,
            *map(counted, EXACT),
            Column("verdict", lambda row: row.verdict.name, "verdict",
                   lambda row: f"{ICONS.get(row.verdict.name, '')} {self.said(row)}".strip(), words=True,
                   brief=self.said, painted=True),
        )
        return Table(columns, rows, colour=lambda row: COLOURS.get(row.verdict.name, ""))

    def lines(self, on, everything):
        yield on.paint(self.summary(), screen.RED if self.fails else "")
        if self.is_well() and not everything:
            return
        for side in ("base", "head"):
            yield f"  {side}  {self.titles[side]}"
        yield f"        {self.of_code()}"
        if self.rows:
            yield ""
            yield from self.table(self.rows).terminal(on)
        yield from self.notes()

    def notes(self):
        for name, (side, why) in self.missing.items():
            yield f"{name}: missing in {side}: {why}"
        if self.same:
            yield f"not timed, since all code and data that they reach are the same: {', '.join(self.same)}"
        unseen = [row.rare_most for row in self.rows if row.rare_most is not None and not row.rare]
        if unseen:
            yield f"rare slow calls: what adds less than {quantity.percent(max(unseen))} to a mean may be missed"
        if self.why_not_counted:
            yield self.why_not_counted

    def markdown(self):
        """For a pull request: one green line, or a table with the rest folded."""
        where = f"`{self.titles['base']}` → `{self.titles['head']}`"
        if self.is_well():
            return f":green_circle: **ampersand ab**: {self.summary()} ({where})\n"
        interesting = [row for row in self.rows if row.verdict.name != "same"]
        rest = [row for row in self.rows if row.verdict.name == "same"]
        parts = [f"### {':red_circle: ' if self.fails else ''}ampersand ab: {self.summary()}", "", where, ""]
        if interesting:
            parts += [self.table(interesting).markdown()]
        if rest:
            parts += [f"<details><summary>{quantity.counted(len(rest), 'kernel')} without a change</summary>", "",
                      self.table(rest).markdown(), "</details>", ""]
        parts += [f"<sub>{'<br>'.join(map(escaped, [self.of_code(), *self.notes()]))}</sub>"]
        return "\n".join(parts) + "\n"

    def document(self):
        rows = []
        for row in self.rows:
            one = {"kernel": row.kernel, "verdict": row.verdict.name, "fails": row.verdict.fails,
                   "base_ns": known(row.base_ns), "head_ns": known(row.head_ns), "visits": row.visits,
                   "seconds": row.seconds, "quiet": row.quiet, "floor": known(row.floor),
                   "memory_bound": row.is_memory_bound}
            if row.verdict.beyond is not None:
                one["no_change_beyond"] = row.verdict.beyond
            for key, interval in (("difference", row.interval), ("mean", row.rare)):
                if interval:
                    one[key] = dict(zip(("estimate", "low", "high"), interval.ratio()))
            if row.rare_most is not None:
                one["rare_most"] = row.rare_most
            if row.p90 is not None:
                one["layouts"] = {"p10": math.expm1(row.p10), "p90": math.expm1(row.p90)}
            if row.failure:
                one["failure"] = {key: row.failure[key] for key in ("reason", "detail")}
            if self.because.get(row.kernel):
                one["because"] = self.because[row.kernel]
            rows.append(one | self._counted(row.kernel))
        return {"schema": "ampersand/ab/1", "base": self.titles["base"], "head": self.titles["head"],
                "fail_on": self.settings.fail_on, "summary": self.summary(),
                "form": None if self.linked is None else "programs" if self.linked.programs else "modules",
                "form_reason": self.linked and self.linked.why, "not_counted": self.why_not_counted,
                "code": {key: self.facts[key] for key in CODE},
                "rows": rows, "same": [{"kernel": name} | self._counted(name) for name in self.same],
                "missing": [{"kernel": name, "side": side, "why": why} for name, (side, why) in self.missing.items()]}

    def _counted(self, kernel):
        counts = self.counts.get(kernel)
        if not counts:
            return {}
        return {side: {key if key == "peak_b" else f"{key}_per_op": float(x) for key, x in counts[side].values.items()}
                for side in ("base", "head")}

    def json(self):
        return json.dumps(self.document(), indent=1) + "\n"

    def sarif(self, places):
        """A result for each kernel that is slower. `places`: kernel -> (file, line)."""
        results = []
        for row in self.rows:
            if row.verdict.name not in ("slower", "more"):
                continue
            file, line = places.get(row.kernel, ("", 1))
            change = f"{signed(row.interval.estimate)} ({between(row.interval)}): " if row.interval else ""
            results.append({"ruleId": "slower", "level": "error" if row.verdict.fails else "warning",
                            "message": {"text": f"{row.kernel}: {change}{self.said(row)}"},
                            "locations": [{"physicalLocation": {"artifactLocation": {"uri": Path(file).as_posix()},
                                                                "region": {"startLine": line}}}]})
        driver = {"name": "ampersand ab",
                  "rules": [{"id": "slower", "shortDescription": {"text": "A kernel is slower than in the base."}}]}
        return json.dumps({"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0",
                           "runs": [{"tool": {"driver": driver}, "results": results}]}, indent=1) + "\n"

# SPDX-License-Identifier: MIT
"""Summaries to draw, and what is asked of every drawing."""
import io
import xml.etree.ElementTree as ElementTree

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.text import Text

import synthetic
from plots.figures import style

MANIFEST = synthetic.manifest([synthetic.Truth("pass", 64)], synthetic.Plan())
MANIFEST["machine"].update(cpu="Synthetic $CPU$ 7763", virtual="kvm")
QUESTION = "What does it cost?"


def three(estimate, width=0.01):
    if estimate is None:
        return None
    if width is None:
        return {"estimate": estimate, "low": None, "high": None}
    return {"estimate": estimate, "low": estimate / (1 + width), "high": estimate * (1 + width)}


def count(allocs, asked, granted):
    return {"allocs_per_op": allocs, "asked_b_per_op": asked, "granted_b_per_op": granted, "peak_b": granted}


def row(name, ratio=1.5, verdict="value faster", value_ns=4.0, width=0.01, spread=0.05, value=(0, 0, 0),
        pointer=(0, 0, 0), status="exact", detail=None, equal_within=None, question=QUESTION, failed=None):
    """A row of summary.json; `name` as pair/size=n, widths relative, None: no interval. Failed rows have no numbers."""
    pair, size = name.split("/size=")
    if failed:
        ratio, value_ns, status, verdict = None, None, "missing", "failed"
    counted = status in ("exact", "differs")
    return {
        "row": name, "pair": pair, "size": int(size), "lesson": pair, "question": question, "launches": 20,
        "left_out": 0,
        "layouts": 64, "value_ns_per_op": three(value_ns, width), "ratio": three(ratio, width),
        "pointer_ns_per_op": three(ratio and value_ns * ratio, width),
        "spread": ratio and {"p10": ratio / (1 + spread), "p90": ratio * (1 + spread)},
        "verdict": verdict, "equal_within": equal_within, "sentence": "a sentence",
        "stopped": {"look": 1, "of": 1, "why": "failed" if failed else "fixed"}, "solo": None,
        "counts": {"status": status, "detail": detail, "value": count(*value) if counted else None,
                   "pointer": count(*pointer) if counted else None},
        "failed": failed and {"reason": failed[0], "detail": failed[1]}}


def summary(rows, quick=False, floors=None, crossovers=()):
    return {"schema": "ampersand/summary/1", "quick": quick, "configuration": "default",
            "rule": {"threshold": 0.002, "confidence": 0.95, "correction": f"Bonferroni over {len(rows)} rows",
                     "interval": "order statistics of the launches"},
            "floors": floors or {"clockwork": None, "placement": None},
            "neighbours": {"blocks": 0, "disturbed": 0, "launches": 0, "left_out": 0}, "rows": list(rows),
            "crossovers": list(crossovers), "geometric_mean": []}


def floor(name, low, high, p10, p90):
    return {"row": name, "ratio": {"estimate": 1.0, "low": low, "high": high}, "spread": {"p10": p10, "p90": p90}}


def crossing(pair, *sizes):
    return {"pair": pair, "sentence": "value wins below, pointer above", "sizes": [
        {"estimate": e, "low": low, "high": high, "faster_below": "value"} for e, low, high in sizes]}


FLOORS = {"clockwork": floor("null/size=16", 0.999, 1.002, 0.998, 1.003),
          "placement": floor("null_placed/size=16", 0.996, 1.001, 0.88, 1.13)}
VERDICTS = [("value faster", 1.5), ("leans value", 1.1), ("pointer faster", 0.6), ("leans pointer", 0.95),
            ("equal", 1.001), ("placement decides", 0.999), ("undecided", 1.004)]


def sweep(pair="pass", verdict=None, **kwargs):
    """Value grows with the size and jumps at 257; pointer does not. They cross between 16 and 24."""
    rows = []
    for n in synthetic.SWEEP:
        value_ns = (1.0 + n / 24) * (1.5 if n > 256 else 1)
        ratio = 1.9 / value_ns
        faster = "value faster" if ratio > 1 else "pointer faster"
        rows.append(row(f"{pair}/size={n}", ratio, verdict or faster, value_ns, value=(0, 0, 0),
                        pointer=(1, n, synthetic.size_class(n)), **kwargs))
    return rows


def wide():
    return [row(f"wide/size={2 ** n}", 30 ** ((n - 5) / 5), "value faster" if n > 5 else "pointer faster")
            for n in range(11)]


CASES = {
    "every verdict": summary([row(f"v/size={n + 1}", ratio, verdict, equal_within=0.005 if verdict == "equal" else None)
                              for n, (verdict, ratio) in enumerate(VERDICTS)], floors=FLOORS),
    "a hundred rows": summary([*sweep("pass"), *sweep("factory"), *sweep("mutate"), *wide(), row("null/size=16", 1.0),
                               row("null_placed/size=16", 1.0), row("known_five/size=1000", 1.05)],
                              floors=FLOORS, crossovers=[crossing("pass", (20, 18, 23))]),
    "one row": summary([row("pass/size=64")]),
    "two sizes": summary([row("pass/size=64"), row("pass/size=65", 0.7, "pointer faster")]),
    "quick": summary([*sweep(width=None, verdict="no verdict"), row("null/size=16", 1, "no verdict", width=None)],
                     quick=True, crossovers=[crossing("pass", (20, None, None))]),
    "failed": summary([row("pass/size=8"), row("pass/size=16", failed=("signal", "SIGSEGV")), row("pass/size=24"),
                       row("mutate/size=8", failed=("timeout", "no end within 60 s, and killed"))]),
    "a failed size": summary([*(row(f"pass/size={n}") for n in (8, 24, 32)),
                              row("pass/size=16", failed=("signal", "SIGSEGV"))]),
    "all failed": summary([row(f"pass/size={n}", failed=("memory", "limit reached")) for n in (8, 16)]),
    "extremes": summary([*wide(), row("beyond/size=1", 900.0),
                         row("beyond/size=33554432", 1 / 2500, "pointer faster"), row("beyond/size=1234567890")]),
    "counts refused": summary([row(f"pass/size={n}", status="refused", detail="malloc is not jemalloc's")
                               for n in (8, 16)]),
    "counts differ": summary([row("factory/size=17", value=(0, 0, 0), pointer=(2, 17, 32), status="differs"),
                              row("factory/size=24", pointer=(1, 24, 32))]),
    "many counts": summary([row("list/size=1", value=(1000, 123456, 131072), pointer=(0.25, 8, 8)),
                            row("list/size=2", value=(3, 4e9, 4.1e9), pointer=(1, 1, 8))]),
    "many crossovers": summary(sweep(), crossovers=[crossing("pass", (8.5, 8, 9), (9, 8, 10), (17, 16.5, 20),
                                                             (60000, 50000, 65000))]),
    "long words": summary([row("a_pair_with_a_rather_long_name_that_someone_chose/size=8",
                               question="Is it " + "very " * 40 + "long?"),
                           row("dollar/size=4096", question="What do $5 and 100 % and a_b^c cost in $?")]),
}


class Once(dict):
    """What `make` gives for a case, made when it is first asked for."""

    def __init__(self, make):
        super().__init__()
        self.make = make

    def __missing__(self, case):
        self[case] = self.make(case)
        return self[case]


def texts(fig):
    """(text, box in pixels) of all letters on a figure that has been drawn."""
    fig.canvas.draw()
    renderer = fig.canvas.get_renderer()
    return [(text.get_text(), text.get_window_extent(renderer)) for text in fig.findobj(Text)
            if text.get_visible() and text.get_text().strip()]


def check_no_text_leaves_the_page(drawn):
    for name, (fig, found) in drawn.items():
        assert found
        for text, box in found:
            assert 0 <= box.x0 and box.x1 <= fig.bbox.x1, f"{name}: {text!r} leaves the page sideways: {box}"
            assert 0 <= box.y0 and box.y1 <= fig.bbox.y1, f"{name}: {text!r} leaves the page: {box}"


def check_no_text_covers_another(drawn):
    for name, (_, found) in drawn.items():
        x0, y0, x1, y1 = (edge[:, None] for edge in np.array([box.extents for _, box in found]).T)
        across = np.minimum(x1, x1.T) - np.maximum(x0, x0.T)
        along = np.minimum(y1, y1.T) - np.maximum(y0, y0.T)
        # Boxes of neighbouring lines touch, their letters do not: that is what 3 pixels are for.
        covering = np.argwhere(np.triu((across > 1.5) & (along > 3), 1))
        assert len(covering) == 0, [f"{name}: {found[a][0]!r} covers {found[b][0]!r}" for a, b in covering]


def letters(fig):
    """What a reader of the SVG reads: the text of its <text> elements."""
    svg = io.BytesIO()
    with style.applied():
        fig.savefig(svg, format="svg")
    return [" ".join("".join(element.itertext()).split())
            for element in ElementTree.fromstring(svg.getvalue()).iter("{http://www.w3.org/2000/svg}text")]


def luminance(colour):
    """Relative luminance, as WCAG 2 defines it."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a, b):
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)

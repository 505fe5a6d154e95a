# SPDX-License-Identifier: MIT
"""Draw the figures of a run: python3 -m plots charts RUN

Reads RUN/summary.json and RUN/manifest.json, writes RUN/figures/*.svg and *.png and prints their paths. All figures
are drawn before the first is written, and each appears whole or not at all. One run gives the same bytes each time."""
import io
import os
import sys
from pathlib import Path

import matplotlib

from . import allocations_figure, crossover_figure, documents, style, verdicts_figure
from .documents import Refused

FIGURES = (verdicts_figure, crossover_figure, allocations_figure)
PNG_MAX_PX = 60000  # Agg draws no picture higher than 2^16 pixels


def add_arguments(parser):
    parser.add_argument("run", metavar="RUN", type=Path, help="a run folder")
    parser.add_argument("--out", metavar="DIR", type=Path, help="where the figures go (default: RUN/figures)")


def main(args):
    try:
        paths = write(args.run, args.out or args.run / "figures")
    except Refused as e:
        print(f"ampersand: {e}", file=sys.stderr)
        return 2
    except OSError as e:
        print(f"ampersand: {e.filename or args.out or args.run}: {e.strerror}", file=sys.stderr)
        return 2
    for path in paths:
        print(path)
    return 0


def write(run, out):
    """Draw all figures of a run into `out`. Returns the paths written."""
    pictures = draw(read_summary(run / "summary.json"), read(run / "manifest.json", "run"))
    out.mkdir(parents=True, exist_ok=True)
    parts = []
    try:
        for name, content in pictures.items():
            parts.append(out / f"{name}.tmp")
            with open(parts[-1], "wb") as f:
                f.write(content)
                f.flush()
                os.fsync(f.fileno())
        for part in parts:
            os.replace(part, part.with_suffix(""))
    finally:
        for part in parts:
            part.unlink(missing_ok=True)
    for old in out.glob("crossover_*"):  # of a pair that has no curve any more
        if old.suffix in (".svg", ".png") and old.name not in pictures:
            old.unlink()
    return [part.with_suffix("") for part in parts]


def draw(summary, manifest):
    """Every figure as the bytes of its files, by file name."""
    pictures = {}
    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # a user's own matplotlibrc has no say
        matplotlib.rcParams.update(style.RC)
        for module in FIGURES:
            for name, fig in module.figures(summary, manifest).items():
                pictures[f"{name}.svg"] = _bytes(fig, format="svg", metadata={"Date": None, "Creator": "ampersand",
                                                                              "Title": name})
                dpi = min(style.PNG_DPI, PNG_MAX_PX / fig.get_size_inches()[1])
                pictures[f"{name}.png"] = _bytes(fig, format="png", dpi=dpi, metadata={"Software": None})
    return pictures


def _bytes(fig, **kwargs):
    content = io.BytesIO()
    fig.savefig(content, **kwargs)
    return content.getvalue()


def read(path, kind):
    """A document of the run that follows its schema, else Refused: file, key, why."""
    document = documents.parse(documents.read_bytes(path), path)
    documents.check_version(document, kind, path)
    documents.validate(document, kind, path)
    return document


def read_summary(path):
    summary = read(path, "summary")
    if not summary["rows"]:
        raise Refused(path, "rows", "empty, there is nothing to draw")
    for row in summary["rows"]:
        for key in ("value_ns_per_op", "pointer_ns_per_op", "ratio", "spread"):
            for part, number in (row[key] or {}).items():
                if number == 0:
                    raise Refused(path, row["row"], f"{key}.{part}", "0 has no place on a log axis")
    return summary

# SPDX-License-Identifier: MIT
"""Draw the figures of a run: python3 -m plots charts RUN

Reads RUN/summary.json and RUN/manifest.json, writes RUN/figures/*.svg and *.png and prints their paths. All figures
are drawn before the first is written, and each appears whole or not at all. One run gives the same bytes each time."""

import io
import os
from pathlib import Path

from plots.figures import allocations_figure, crossover_figure, style, verdicts_figure
from plots.files import strict_json
from plots.files.pair_run import is_of_allocators
from plots.program.errors import Refused
from plots.program.guard import COMMAND

FIGURES = (verdicts_figure, crossover_figure, allocations_figure)
PNG_MAX_PX = 60000  # Agg draws no picture higher than 2^16 pixels


def add_arguments(parser):
    parser.add_argument("run", metavar="RUN", type=Path, help="a run folder")
    parser.add_argument("--out", metavar="DIR", type=Path, help="where the figures go (default: RUN/figures)")


def main(args):
    out = args.out or args.run / "figures"
    if is_of_allocators(args.run):
        from plots.figures import allocator_charts  # which takes its parts from here
        pictures = encode(allocator_charts.of_folder(args.run))
    else:
        manifest = read(args.run / "manifest.json", "run")
        pictures = encode(draw(read_summary(args.run / "summary.json"), manifest))
    for path in write(pictures, out):
        print(path)
    return 0


def write(pictures, out):
    """Write every picture, or none: all lie complete beside their places before the first one moves there."""
    try:
        return _write(pictures, out)
    except OSError as error:
        raise Refused(error.filename or out, f"cannot be written: {error.strerror}") from None


def _write(pictures, out):
    out.mkdir(parents=True, exist_ok=True)
    parts = {out / name: out / f"{name}.tmp" for name in pictures}
    try:
        for path, part in parts.items():
            with open(part, "wb") as file:
                file.write(pictures[path.name])
                file.flush()
                os.fsync(file.fileno())
        for path, part in parts.items():
            os.replace(part, path)
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)
    for old in out.glob("crossover_*"):  # of a pair that has no curve any more
        if old.suffix in (".svg", ".png") and old not in parts:
            old.unlink()
    return list(parts)


def draw(summary, manifest):
    """Every figure, by the name of its files."""
    with style.applied():
        return {name: fig for module in FIGURES for name, fig in module.figures(summary, manifest).items()}


def encode(figures, kinds=("svg", "png")):
    """Every figure as SVG and as PNG: bytes, by file name."""
    pictures = {}
    with style.applied():
        for name, fig in figures.items():
            if "svg" in kinds:
                pictures[f"{name}.svg"] = _bytes(fig, format="svg", metadata={"Date": None, "Creator": "ampersand",
                                                                              "Title": name})
            if "png" in kinds:
                dpi = min(style.PNG_DPI, PNG_MAX_PX / fig.get_size_inches()[1])
                pictures[f"{name}.png"] = _bytes(fig, format="png", dpi=dpi, metadata={"Software": None})
    return pictures


def _bytes(fig, **kwargs):
    content = io.BytesIO()
    fig.savefig(content, **kwargs)
    return content.getvalue()


def read(path, kind):
    """A document of the run that follows its schema, else Refused: file, key, why."""
    if not path.parent.is_dir():
        raise Refused(path.parent, "no such run folder")
    if not path.exists():
        raise Refused(path.parent, f"no summary yet: {COMMAND} bench --resume {path.parent} writes it"
                      if path.name == "summary.json" else f"no {path.name}: not a run folder")
    document = strict_json.parse(strict_json.read_bytes(path), path)
    strict_json.check_version(document, kind, path)
    strict_json.validate(document, kind, path)
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

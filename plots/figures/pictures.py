# SPDX-License-Identifier: MIT
"""The figures of a run of pairs, and how any figures become files: all are drawn before the first is written, and each
appears whole or not at all. One run gives the same bytes each time."""

import io
import os

from plots.figures import (allocations_figure, crossover_figure, go_figure, map_figure, questions_figure, style,
                           verdicts_figure)
from plots.program import at_once
from plots.program.errors import Refused

OF_ROWS = (verdicts_figure, crossover_figure, allocations_figure)
FIGURES = (map_figure, questions_figure, *OF_ROWS)
PNG_MAX_PX = 60000  # Agg draws no picture higher than 2^16 pixels
PNG_EFFORT = 1  # of 9, zlib's: a figure gets no smaller by more, since most of it is white


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
    for old in (old for kind in ("crossover_*", "dots_*", "map_*") for old in out.glob(kind)):  # not drawn now
        if old.suffix in (".svg", ".png") and old not in parts:
            old.unlink()
    return list(parts)


def plans(summary, manifest, modules=FIGURES, in_go=None):
    """{its files' name: what draws it} of every figure of these modules; and of C beside what Go measured."""
    found = {name: plan for module in modules for name, plan in module.figures(summary, manifest).items()}
    return found | (go_figure.figures(summary, manifest, in_go) if in_go else {})


def draw(planned):
    """Every figure of plans(), by the name of its files."""
    with style.applied():
        return {name: plan() for name, plan in planned.items()}


def made(planned, kinds=("svg", "png")):
    """Every figure of plans() as encode() gives them, drawn by several processes at once."""
    parts = at_once.each(planned.items(), lambda one: encode(draw(dict([one])), kinds))
    return {name: content for part in parts for name, content in part.items()}


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
                pictures[f"{name}.png"] = _bytes(fig, format="png", dpi=dpi, metadata={"Software": None},
                                                  pil_kwargs={"compress_level": PNG_EFFORT})
    return pictures


def _bytes(fig, **kwargs):
    content = io.BytesIO()
    fig.savefig(content, **kwargs)
    return content.getvalue()

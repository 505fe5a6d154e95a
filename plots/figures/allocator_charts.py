# SPDX-License-Identifier: MIT
"""The figures of a run over allocator configurations."""

from plots.figures import allocator_crossover_figure, classes_figure, heat_figure, pareto_figure, style, timeline_figure

FIGURES = (heat_figure, pareto_figure, timeline_figure, classes_figure, allocator_crossover_figure)


def draw(run, summary):
    """Every figure, by the name of its files."""
    with style.applied():
        return {name: fig for module in FIGURES for name, fig in module.figures(run, summary).items()}

# SPDX-License-Identifier: MIT
"""The figures of a run over allocator configurations."""

from plots.figures import (allocator_crossover_figure, classes_figure, heat_figure, pareto_figure, program_figure,
                           timeline_figure)

FIGURES = (program_figure, heat_figure, pareto_figure, timeline_figure, classes_figure, allocator_crossover_figure)


def plans(run, summary):
    """{its files' name: what draws it} of every figure."""
    return {name: plan for module in FIGURES for name, plan in module.figures(run, summary).items()}

# SPDX-License-Identifier: MIT
"""Figures that stand in a page: their ids, their colours, and in how few letters they are written."""

import re

import pytest

from plots.pages import inline_figures
from reading import Page


def test_ids_of_two_figures_do_not_meet():
    svg = ('<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="9pt" '
           'height="8pt" viewBox="0 0 9 8"><metadata>x</metadata><g id="figure_1">'
           '<defs><path id="m1" d="M 1.23456 -0.00100 L 2 3"/></defs>'
           '<use xlink:href="#m1" style="fill: #1b4a94" clip-path="url(#c1)"/><clipPath id="c1"/>'
           '<text>id="m1" url(#c1) #1b4a94 1.23456</text></g></svg>')
    first, second = (inline_figures.clean(svg, prefix) for prefix in ("a", "b"))
    assert set(re.findall(r' id="([^"]+)"', first.split("<text")[0])) == {"a-m1", "a-c1"}
    assert not set(Page(first).ids()) & set(Page(second).ids())
    assert 'href="#a-m1"' in first and 'clip-path="url(#a-c1)"' in first and "xmlns" not in first
    assert "fill: var(--c1b4a94,#1b4a94)" in first and "metadata" not in first and "figure_1" not in first
    assert 'd="M1.23 0L2 3"' in first.replace("-0L", "0L")
    assert '<text>id="m1" url(#c1) #1b4a94 1.23456</text>' in first, "text stays as it is"
    assert 'viewBox="0 0 9 8"' in first and "9pt" not in first


@pytest.mark.parametrize("path, want", [
    ("M 1 2  L 1 9  ", "M1 2V9"), ("M 1 2 L 1 9 M 3 4 L 8 4", "M1 2V9M3 4H8"), ("M 1 2 L 1 9 L 5 9 z", "M1 2L1 9L5 9z"),
    ("M 1 2 Q 3 4 5 6", "M1 2Q3 4 5 6"), ("M 1.5 -2 L 1.5 -9 z", "M1.5 -2V-9z"), ("M 1 2 L 11 9", "M1 2L11 9")])
def test_paths_in_fewer_letters(path, want):
    svg = f'<svg xmlns="http://www.w3.org/2000/svg"><path d="{path}"/></svg>'
    assert f'd="{want}"' in inline_figures.clean(svg, "a")


def test_styles_that_figures_share_become_classes():
    font = "font: 7px &quot;D&quot;"
    one = f'<svg><path style="a: 1"/><text style="{font}"/></svg>'
    two = '<svg><path style="a: 1"/><g style="b: 2"/></svg>'
    figures, sheet = inline_figures.shared({"one": one, "two": two, "three": two.replace("b: 2", font)})
    assert figures["one"] == '<svg><path class="f0"/><text class="f1"/></svg>'
    assert figures["two"] == '<svg><path class="f0"/><g style="b: 2"/></svg>'
    assert sheet == '.f0 { a: 1 }\n.f1 { font: 7px "D" }'
    words = '<svg><text> style="a: 1"&lt;/style&gt; style="a: 1"</text></svg>'
    assert inline_figures.shared({"words": words}) == ({"words": words}, "")

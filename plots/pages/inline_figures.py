# SPDX-License-Identifier: MIT
"""Turn a matplotlib figure into SVG that can stand in an HTML page beside others.

Of several figures in one page the ids would meet, so each gets a prefix, and those that nothing refers to go. Every
colour becomes a CSS variable with the colour itself to fall back on (`var(--c1a1a1a,#1a1a1a)`), so that the page can
give it another value in the dark. Coordinates keep two decimals, a 150th of a millimetre. Styles that figures have in
common become classes of one sheet (shared()): half of a figure's text is its styles."""

import html
import re
import xml.etree.ElementTree as ElementTree
from collections import Counter

from markupsafe import Markup

DROPPED = {"metadata", "style", "title"}
REFERENCE = re.compile(r"url\(#([^)]+)\)")
COLOUR = re.compile(r"#([0-9a-fA-F]{6})\b")
NUMBER = re.compile(r"-?\d+\.\d{3,}")
STYLE = re.compile(r'(<\w[^<>]*?) style="([^"]*)"')  # of a tag: letters of others may read like one
GAPS = re.compile(r"\s*([MLCQz])\s*")
UPRIGHT = re.compile(r"M([-\d.]+) ([-\d.]+)L\1 ([-\d.]+)(?=[Mz]|$)")
LEVEL = re.compile(r"M([-\d.]+) ([-\d.]+)L([-\d.]+) \2(?=[Mz]|$)")


def clean(svg, prefix):
    """What encode() gives of a figure, as the text of an <svg> element."""
    root = ElementTree.fromstring(svg)
    for element in root.iter():
        element.tag, element.tail = _local(element.tag), None
        if not (element.text or "").strip():
            element.text = None
        for child in [child for child in element if _local(child.tag) in DROPPED]:
            element.remove(child)
        for name in list(element.attrib):
            if name != _local(name):  # xlink:href
                element.set(_local(name), element.attrib.pop(name))
    used = _used(root)
    for element in root.iter():
        _rewrite(element.attrib, prefix, used)
    for name in ("width", "height", "version"):  # the page gives it its width, its viewBox the rest
        root.attrib.pop(name, None)
    return ElementTree.tostring(root, encoding="unicode")


def _local(name):
    return name.rpartition("}")[2]


def _used(root):
    used = set()
    for element in root.iter():
        for name, text in element.attrib.items():
            used.update(REFERENCE.findall(text))
            if name == "href" and text.startswith("#"):
                used.add(text[1:])
    return used


def _rewrite(attributes, prefix, used):
    for name in ("fill", "stroke"):  # of a hatch; all else has its colours under style
        if COLOUR.fullmatch(attributes.get(name, "")):
            attributes["style"] = f"{name}: {attributes.pop(name)}; {attributes.get('style', '')}"
    for name, text in list(attributes.items()):
        if name == "id":
            if text in used:
                attributes[name] = f"{prefix}-{text}"
            else:
                del attributes[name]
        elif name == "href" and text.startswith("#"):
            attributes[name] = f"#{prefix}-{text[1:]}"
        else:
            if name == "style":
                text = COLOUR.sub(lambda m: f"var(--c{m[1].lower()},#{m[1].lower()})", text)
            text = REFERENCE.sub(rf"url(#{prefix}-\1)", text)
            text = NUMBER.sub(lambda m: f"{float(m[0]):.2f}".rstrip("0").rstrip("."), text)
            attributes[name] = _path(text) if name == "d" else text


def _path(text):
    """The same path in fewer letters."""
    return LEVEL.sub(r"M\1 \2H\3", UPRIGHT.sub(r"M\1 \2V\3", GAPS.sub(r"\1", text).strip()))


def shared(figures):
    """({name: the figure with classes in place of styles}, the sheet of these classes). `figures`: as of clean()."""
    count = Counter(style for figure in figures.values() for _, style in STYLE.findall(figure))
    classes = {style: f"f{n}" for n, style in enumerate(style for style, times in count.items() if times > 1)}

    def named(match):
        return f'{match[1]} class="{classes[match[2]]}"' if match[2] in classes else match[0]
    sheet = "\n".join(f".{name} {{ {html.unescape(style)} }}" for style, name in classes.items())
    return {name: Markup(STYLE.sub(named, figure)) for name, figure in figures.items()}, Markup(sheet)

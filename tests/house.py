# SPDX-License-Identifier: MIT
"""The drawing of the rooms in docs/contributing.md, and what may be said against a graph of files that is held to it.

An edge is a pair of paths: the first file includes or imports the second."""
import ast
import re
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent
PUBLIC = "harness"  # headers that lie in this folder itself are for every room


def read_rooms(text):
    """{room: the rooms that it names} from the fenced block `rooms` of a page."""
    block = re.search(r"^```rooms\n(.*?)^```$", text, re.M | re.S)[1]
    return {room: below.split() for room, below in (line.split(":") for line in block.splitlines())}


def reachable(graph):
    """{node: all that its arrows lead to, directly or not}."""
    found = {}
    for start in graph:
        seen, left = set(), list(graph[start])
        while left:
            node = left.pop()
            if node not in seen:
                seen.add(node)
                left += graph.get(node, ())
        found[start] = seen
    return found


def unit(path):
    """A source and its header are one: a.c and a.h."""
    return str(PurePosixPath(path).with_suffix(""))


def room(path):
    return str(PurePosixPath(path).parent)


def circles(graph, what):
    """A line for each circle, through its first node."""
    found = reachable(graph)
    named = set()
    for node in sorted(graph):
        if node in found[node] and node not in named:
            circle = sorted(other for other in found[node] if node in found.get(other, ()))
            named |= set(circle)
            yield f"a circle of {what}: {' '.join(circle)}"


def complaints(edges, rooms):
    """What is wrong with these edges in this drawing, a line each; empty if nothing is."""
    found = [f"{name}, which {drawn} may use, is not drawn" for drawn, below in rooms.items() for name in below
             if name not in rooms]
    found += circles(rooms, "rooms")
    below, files = reachable(rooms), {}
    for source, target in sorted(edges):
        here, there = room(source), room(target)
        files.setdefault(unit(source), set())
        if unit(source) != unit(target):
            files[unit(source)].add(unit(target))
        if here not in rooms and here != PUBLIC:
            found.append(f"{source} lies in no room")
        elif here != there and there != PUBLIC and there not in below.get(here, ()):
            found.append(f"{source} uses {target}: {there} is not below {here}")
    return found + list(circles(files, "files"))


def includes(folder):
    """Edges between C files below a folder. Headers that the build makes are none."""
    for path in sorted(file for ending in ("c", "cc", "h", "hh") for file in (ROOT / folder).rglob(f"*.{ending}")):
        for target in re.findall(rf'^\s*#\s*include "({folder}/[^"]+)"', path.read_text(), re.M):
            if (ROOT / target).exists():
                yield path.relative_to(ROOT).as_posix(), target


def imports(*folders):
    """Edges between Python files of these packages, imports within functions included."""
    def file_of(module):
        path = ROOT / module.replace(".", "/")
        return next((file.relative_to(ROOT).as_posix() for file in (path.with_suffix(".py"), path / "__init__.py")
                     if file.exists()), None)
    for path in sorted(file for folder in folders for file in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [f"{node.module}.{alias.name}" if file_of(f"{node.module}.{alias.name}") else node.module
                         for alias in node.names]
            for name in names:
                if name.split(".")[0] in folders and file_of(name):
                    yield path.relative_to(ROOT).as_posix(), file_of(name)


def scripts(folder):
    """Edges between the Python files below a folder of programs, which import each other by their names alone."""
    files = {path.stem: path for path in sorted((ROOT / folder).rglob("*.py"))}
    for path in files.values():
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else (
                [node.module] if isinstance(node, ast.ImportFrom) else [])
            for name in names:
                if name in files:
                    yield path.relative_to(ROOT).as_posix(), files[name].relative_to(ROOT).as_posix()


def long_functions(text, most):
    """Name and length of each C function that is longer; a function's braces stand in the first column."""
    lines = text.splitlines()
    for first, line in enumerate(lines):
        if line == "{":
            start = first
            while start > 0 and lines[start - 1] and not lines[start - 1].endswith(("*/", "}", ";", "#endif")):
                start -= 1
            last = next(i for i in range(first, len(lines)) if lines[i].startswith("}"))
            if last - start + 1 > most:
                yield re.search(r"(\w+)\(", " ".join(lines[start:first]))[1], last - start + 1

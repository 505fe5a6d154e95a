# SPDX-License-Identifier: MIT
"""The names that a Python file takes from other files of the project, and those that are not there.

A renamed function breaks the files that use it when they run, which is late: the test of another room may be long."""
import ast
from functools import lru_cache
from pathlib import Path

from places import ROOT

SCRIPTS = ("harness/lesson", "harness/copies", "harness/stack")  # programs that import each other by their names alone


@lru_cache(maxsize=None)
def tree_of(path):
    return ast.parse(path.read_text(), str(path))


@lru_cache(maxsize=None)
def by_name():
    """{the name of a file that is imported by that alone: its path}; pytest does so with tests."""
    folders = [ROOT / "tests", *(ROOT / folder for folder in SCRIPTS)]
    return {path.stem: path for folder in folders for path in folder.rglob("*.py") if path.name != "conftest.py"}


def file_of(module):
    """The file of a module of the project; None for any other."""
    for path in (ROOT / module.replace(".", "/"), ROOT / "tests" / module.replace(".", "/")):
        for file in (path.with_suffix(".py"), path / "__init__.py"):
            if file.is_file():
                return file
    return by_name().get(module)


@lru_cache(maxsize=None)
def names_in(path):
    """What a module has; None where it cannot be told."""
    names, left = {"__file__", "__name__", "__doc__"}, list(tree_of(path).body)
    for node in left:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)):
            names.add(node.name)
            continue
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            names.add(node.name)
        left += ast.iter_child_nodes(node)
    return None if "*" in names or "__getattr__" in names else names


def has(path, name):
    """Whether a module has it: as a name, or as a file of its folder."""
    there = names_in(path)
    return there is None or name in there or path.name == "__init__.py" and (
        (path.parent / f"{name}.py").is_file() or (path.parent / name / "__init__.py").is_file())


def modules_of(tree):
    """{a name in this file: the file of the module that it stands for}."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            of = {alias.asname or alias.name: alias.name for alias in node.names
                  if alias.asname or "." not in alias.name}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            of = {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
        else:
            continue
        found |= {name: file for name, module in of.items() if (file := file_of(module))}
    return found


def bound_in(tree):
    """Names that stand for something else somewhere in the file, so that they cannot be told."""
    return {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)} | {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}


def missing(path):
    """A line for each name that the file takes and that is not there."""
    tree = tree_of(path)
    bound = bound_in(tree)
    modules = {name: file for name, file in modules_of(tree).items() if name not in bound}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and not node.level and (file := file_of(node.module)):
            for alias in node.names:
                if alias.name != "*" and not has(file, alias.name):
                    yield f"{path.name}:{node.lineno}: {node.module} has no {alias.name}"
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and isinstance(node.ctx, ast.Load):
            file = modules.get(node.value.id)
            if file and not has(file, node.attr):
                yield f"{path.name}:{node.lineno}: {node.value.id} has no {node.attr}"

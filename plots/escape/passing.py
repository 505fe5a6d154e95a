# SPDX-License-Identifier: MIT
"""Changes of the source that pass a parameter in another way: a large struct that is only read by const pointer, a
small object behind a pointer by value.

    static long sum(struct big b) { return b.first; }       static long sum(const struct big *b) { return b->first; }
    ... sum(x) ...                                          ... sum(&x) ...

Where each name and argument stands is what clang's own tree says, at offsets in bytes."""

import json
import re
import subprocess
from pathlib import Path

from plots.escape import fix
from plots.escape.fix import Edit, NoWay

REGISTERS_B = 16
TYPE = r"(?:(?:struct|union|enum)\s+)?[A-Za-z_]\w*"
BY_VALUE = re.compile(rf"(?:const\s+)?({TYPE})(?:\s+const)?(?:\s+(\w+))?")
BY_POINTER = re.compile(rf"(?:const\s+)?({TYPE})(?:\s+const)?\s*\*\s*(?:(?:const|restrict)\s+)*(\w+)?")
OBJECTS = {"DeclRefExpr", "MemberExpr", "ArraySubscriptExpr", "UnaryOperator", "CompoundLiteralExpr", "ParenExpr"}
EFFECTS = {"CallExpr", "CompoundAssignOperator", "StmtExpr", "AtomicExpr", "VAArgExpr"}


def read_tree(names, unit, clang):
    """{name: [its declarations]}."""
    flags, found = [flag for flag in unit.source.flags if flag not in unit.dropped], {}
    for name in dict.fromkeys(names):
        done = subprocess.run([clang, *flags, "-w", "-fsyntax-only", "-Xclang", "-ast-dump=json", "-Xclang",
                               f"-ast-dump-filter={name}", "-x", "c", unit.source.file], cwd=unit.source.folder,
                              capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL)
        found[name], at = [], done.stdout.find("{")
        while at >= 0:
            node, end = json.JSONDecoder().raw_decode(done.stdout, at)
            if node.get("kind") == "FunctionDecl" and node.get("name") == name:
                found[name].append(node)
            at = done.stdout.find("{", end)
    return found


def span(node):
    """(start, end) in the file; NoWay where a macro writes it."""
    begin, end = node["range"]["begin"], node["range"]["end"]
    if "offset" not in begin or "offset" not in end:
        raise NoWay("a macro writes part of it")
    return begin["offset"], end["offset"] + end["tokLen"]


def walk(node, parents=()):
    """Every node, with those around it, the nearest first. What a loop leaves out is an empty one."""
    if "kind" not in node:
        return
    yield node, parents
    for inner in node.get("inner", ()):
        yield from walk(inner, (node, *parents))


def bare(node):
    """An expression without the conversions that the compiler adds, and without brackets."""
    while node["kind"] in ("ImplicitCastExpr", "ParenExpr"):
        node = node["inner"][0]
    return node


def around(parents):
    return next((one for one in parents if one["kind"] not in ("ImplicitCastExpr", "ParenExpr")), {"kind": ""})


def words(node):
    """Its type, also behind a typedef."""
    return " ".join((node["type"]["qualType"], node["type"].get("desugaredQualType", "")))


def parameters(declaration):
    return [one for one in declaration.get("inner", ()) if one["kind"] == "ParmVarDecl"]


def is_definition(declaration):
    return any(one["kind"] == "CompoundStmt" for one in declaration.get("inner", ()))


def is_old(text, declaration, index):
    """Whether the parameters are declared behind the brackets, or there may be any number of them."""
    if "offset" not in declaration["loc"]:
        raise NoWay("a macro writes part of it")
    behind = fix.closing(text, text.index("(", declaration["loc"]["offset"]))
    return declaration["type"]["qualType"].endswith(("()", "...)")) or span(parameters(declaration)[index])[0] > behind


def new_parameter(text, one, to):
    """The edit of one declaration, and the type's name."""
    start, end = span(one)
    if "volatile" in words(one) or "_Atomic" in words(one):
        raise NoWay("it is volatile or atomic")
    found = (BY_VALUE if to == "pointer" else BY_POINTER).fullmatch(text[start:end])
    if not found or (found[2] or "") != one.get("name", ""):
        raise NoWay("its declaration is of a form that is not changed")
    name = found[2] or ""
    new = f"const {found[1]} *{name}" if to == "pointer" else f"{found[1]} {name}"
    return Edit(start, end, new.rstrip()), found[1]


def use(text, node, parents, to):
    """The edit of one place in the body that names the parameter."""
    start, end = span(node)
    name, outer = node["referencedDecl"]["name"], around(parents)
    if text[start:end] != name:
        raise NoWay("part of it stands in another file")
    if outer["kind"] == "UnaryOperator" and outer.get("opcode") == "&":
        raise NoWay("its address is taken")
    member = re.compile(r"\s*\." if to == "pointer" else r"\s*->").match(text, end)
    if member and outer["kind"] == "MemberExpr":
        return Edit(start, member.end(), name + ("->" if to == "pointer" else "."))
    if to == "value" and outer["kind"] == "UnaryOperator" and outer.get("opcode") == "*":
        first = span(outer)[0]
        if text[first] == "*" and not text[first + 1:start].strip():
            return Edit(first, end, name)
    return Edit(start, end, f"(*{name})" if to == "pointer" else f"(&{name})")


def has_effects(node):
    return any(one["kind"] in EFFECTS or (one["kind"] == "UnaryOperator" and one.get("opcode") in ("++", "--"))
               or (one["kind"] == "BinaryOperator" and one.get("opcode") == "=") for one, _ in walk(node))


def argument(text, call, index, to):
    """The edit of what one call passes."""
    passed = call["inner"][1:]
    if any(has_effects(other) for other in passed):
        raise NoWay("what a call passes may change it, or does something, too")
    start, end = span(passed[index])
    one = bare(passed[index])
    if to == "pointer":
        if one["kind"] not in OBJECTS or (one["kind"] == "UnaryOperator" and one.get("opcode") != "*"):
            raise NoWay("a call passes a value that is no object")
        if "volatile" in words(one) or "_Atomic" in words(one):
            raise NoWay("a call passes an object that is volatile or atomic")
        return Edit(start, start, "&")
    if one["kind"] != "UnaryOperator" or one.get("opcode") != "&" or text[start] != "&":
        raise NoWay("a call passes a pointer that may point at no object")
    if "volatile" in words(one) or "_Atomic" in words(one):
        raise NoWay("a call passes an object that is volatile or atomic")
    return Edit(start, start + 1, "")


def calls(text, tree, name):
    """Each call of the function in what clang read, once."""
    seen = set()
    for declarations in tree.values():
        for declaration in declarations:
            for node, _ in walk(declaration):
                callee = bare(node["inner"][0]) if node["kind"] == "CallExpr" else {"kind": ""}
                referenced = callee.get("referencedDecl", {})
                if referenced.get("kind") == "FunctionDecl" and referenced.get("name") == name:
                    if text[slice(*span(callee))] != name:
                        raise NoWay("part of it stands in another file")
                    if span(node) not in seen:
                        seen.add(span(node))
                        yield node


def edits(finding, text, tree):
    """(all edits, one that must compile beside them)."""
    name, to = finding["function"].split(".")[0], finding["to"]
    declarations = tree[name]
    definitions = [one for one in declarations if is_definition(one)]
    if len(definitions) != 1:
        raise NoWay("its definition is not in the file's own text")
    body = next(one for one in definitions[0]["inner"] if one["kind"] == "CompoundStmt")
    index, parameter = next(((i, one) for i, one in enumerate(parameters(definitions[0]))
                             if one.get("name") == finding["name"]), (None, None))
    if parameter is None:
        raise NoWay("its declaration is of a form that is not changed")
    made = []
    for declaration in declarations:
        if len(parameters(declaration)) <= index or is_old(text, declaration, index):
            raise NoWay("it is declared in the old style, or takes any number of arguments")
        edit, kind = new_parameter(text, parameters(declaration)[index], to)
        made.append(edit)
    made += [use(text, node, parents, to) for node, parents in walk(body)
             if node["kind"] == "DeclRefExpr" and node["referencedDecl"]["id"] == parameter["id"]]
    found = list(calls(text, tree, name))
    if len(found) < finding["calls"]:
        raise NoWay("not all of its calls are in the file's own text")
    made += [argument(text, call, index, to) for call in found]
    inside = span(body)[0] + 1
    low, high = (finding["bytes"], finding["bytes"] if to == "pointer" else REGISTERS_B)
    return made, Edit(inside, inside, f" _Static_assert(sizeof({kind}) >= {low} && sizeof({kind}) <= {high}, \"\");")


def of(finding, text, unit, clang):
    """A Fix with one way, or the reason why there is none."""
    one = fix.Fix(finding, Path(finding["file"]))
    try:
        names = [name.split(".")[0] for name in (finding["function"], *finding["callers"])]
        one.ways = [edits(finding, text, read_tree(names, unit, clang))]
    except NoWay as reason:
        one.why_not = str(reason)
    return one

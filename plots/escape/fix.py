# SPDX-License-Identifier: MIT
"""Changes of the source that put an object into the frame: a declaration on top of the function, the call replaced by
its address, each free() removed. What cannot be changed by its text alone (a macro, a header) is left, with the reason.

    char *p = malloc(24);        unsigned char p_in_frame[24] __attribute__((aligned));  on top of the function
    ...                          char *p = (void *) p_in_frame;
    free(p);

Text is read as bytes, one character each, since clang counts columns so."""

import os
import re
import shutil
import stat
from dataclasses import dataclass, field
from pathlib import Path

from plots.program.errors import Refused

RECURSIVE_MOST_B = 1024  # each call of a function that calls itself has its own
CALLEE = re.compile(r"(?:\(\s*\*[\w\s>.\-]+\)|\w+)(?:\s*(?:->|\.)\s*\w+|\s*\[[^][]*\])*\s*\(")
ENDS = re.compile(r"\r\n?|\n")  # of lines, as clang counts them
DOES_MORE = re.compile(r"\+\+|--|(?<![=!<>])=(?!=)|\b(?!(?:sizeof|offsetof|_Alignof)\b)\w+\s*\(")
TYPE = r"(?:(?:struct|union|enum|unsigned|signed|long|short)\s+)*[A-Za-z_]\w*"


@dataclass
class Edit:
    start: int
    end: int
    text: str


@dataclass
class Fix:
    """A finding and ways to change the source for it, the best first."""
    finding: dict
    file: Path
    ways: list = field(default_factory=list)  # of lists of Edit, each with one that must compile beside them
    why_not: str = ""

    @property
    def edits(self):
        return self.ways[0][0]


def bytes_of(finding):
    """Its size, or the most that it can be."""
    return finding["bytes"] or finding.get("at_most")


class NoWay(Exception):
    """Why the text cannot be changed."""


def read(path):
    return Path(path).read_bytes().decode("latin-1")


def offset(text, line, column):
    starts = [0, *(end.end() for end in ENDS.finditer(text))]
    if not 1 <= line <= len(starts):
        raise NoWay("its place is not in the file any more")
    return starts[line - 1] + max(column, 1) - 1


def skip(text, at):
    """Behind a comment, a string or a character constant that begins at `at`; else `at`."""
    for begin, end in (("/*", "*/"), ("//", "\n")):
        if text.startswith(begin, at):
            found = text.find(end, at + 2)
            return len(text) if found < 0 else found + len(end)
    if text[at] in "\"'":
        end = at + 1
        while end < len(text) and text[end] != text[at]:
            end += 2 if text[end] == "\\" else 1
        return end + 1
    return at


def closing(text, at, pairs="()"):
    """Where the bracket that opens at `at` is closed."""
    depth = 0
    while at < len(text):
        behind = skip(text, at)
        if behind > at:
            at = behind
            continue
        depth += (text[at] == pairs[0]) - (text[at] == pairs[1])
        if depth == 0:
            return at
        at += 1
    raise NoWay("a bracket is not closed")


def call_at(text, at, name):
    """(start, end, its arguments) of the call that stands there; `name`: "" through a pointer."""
    found = CALLEE.match(text, at)
    callee = found and found[0][:-1].strip()
    if not found or (name and callee != name):
        raise NoWay("it is called by a macro")
    if not name and re.fullmatch(r"[A-Z][A-Z0-9_]*", callee):
        raise NoWay("it is called by a macro")
    end = closing(text, found.end() - 1)
    return at, end + 1, text[found.end():end].strip()


def removable(text, at, name):
    """call_at() of a call that may be removed: nothing happens in its arguments."""
    found = call_at(text, at, name)
    if DOES_MORE.search(found[2]):
        raise NoWay("its arguments may do something, too")
    return found


def body_of(text, head, call):
    """Behind the brace that opens the function."""
    at = offset(text, head, 1)
    while at < call:
        behind = skip(text, at)
        if behind > at:
            at = behind
        elif text[at] == "(":
            at = closing(text, at) + 1
        elif text[at] == "{":
            if closing(text, at, "{}") < call:
                raise NoWay("its function cannot be read")
            return at + 1
        else:
            at += 1
    raise NoWay("its function cannot be read")


def type_of(argument, text, start, body):
    """The type that the argument is the size of; None if it does not say."""
    named = re.fullmatch(rf"sizeof\s*\(\s*({TYPE})\s*\)", argument)
    if named:
        return named[1]
    of_pointer = re.fullmatch(r"sizeof\s*(?:\(\s*\*\s*(\w+)\s*\)|\*\s*(\w+))", argument)
    if not of_pointer:
        return None
    name = of_pointer[1] or of_pointer[2]
    declared = re.findall(rf"(?:^|[;{{}},(]|\bconst)\s*({TYPE})\s*\*\s*(?:const\s+)?{name}\b", text[body:start], re.M)
    return declared[-1] if declared and declared[-1] not in ("return", "sizeof") else None


def name_for(text, start, taken):
    assigned = re.search(r"(\w+)\s*=\s*(?:\([^()]*\)\s*)?$", text[:start])
    name = f"{assigned[1] if assigned else 'object'}_in_frame"
    number, unique = 2, name
    while unique in taken or re.search(rf"\b{unique}\b", text):
        unique, number = f"{name}{number}", number + 1
    taken.add(unique)
    return unique


def without_free(text, start, end):
    """The whole line where nothing else stands there and no `if` needs it; else a statement that does nothing."""
    line = text.rfind("\n", 0, start) + 1
    behind = re.compile(r"[ \t]*;[ \t]*\n").match(text, end)
    before = text[:line].rstrip()[-1:]
    if behind and not text[line:start].strip() and before in (";", "{", "}"):
        return Edit(line, behind.end(), "")
    return Edit(start, end, "(void) 0")


def declared(text, body, declaration):
    """The declaration as the function's first line, or before what stands on the line of its brace."""
    rest = text[body:text.find("\n", body)]
    following = re.compile(r"(?:[ \t]*\n)*([ \t]*)\S").match(text, body + len(rest))
    if rest.strip() or not following:
        return Edit(body, body, f" {declaration}")
    return Edit(body, body, f"\n{following[1]}{declaration}")


def of(finding, text, taken):
    fix = Fix(finding, Path(finding["file"]))
    try:
        if finding["contents"] == "set":
            raise NoWay("what the called function writes into it would be lost")
        if finding["changes"]:
            raise NoWay(f"{finding['changes'][0]['function']}() would have to change, too")
        if finding["recursive"] and bytes_of(finding) > RECURSIVE_MOST_B:
            raise NoWay("its function may call itself, and each call would have its own")
        if finding["by"] == "aligned_alloc":
            raise NoWay("its alignment would be lost")
        for one in (finding, *finding["frees"]):
            if "more" in one:
                raise NoWay(one["more"])
        name = "" if finding["through_pointer"] else finding["by"]
        start, end, argument = removable(text, offset(text, finding["line"], finding["column"]), name)
        body = body_of(text, finding["head"], start)
        frees = []
        for one in finding["frees"]:
            if one["file"] != finding["file"]:
                raise NoWay("it is freed in another file")
            at = removable(text, offset(text, one["line"], one["column"]), one["by"])
            frees.append(without_free(text, *at[:2]))
        fix.ways = list(ways(finding, text, (start, end, argument), body, frees, taken))
    except NoWay as reason:
        fix.why_not = str(reason)
    return fix


def ways(finding, text, call, body, frees, taken):
    start, end, argument = call
    name = name_for(text, start, taken)
    kind = type_of(argument, text, start, body)
    plain = f"unsigned char {name}[{bytes_of(finding)}] __attribute__((aligned));"
    for declaration, address in ([(f"{kind} {name};", f"&{name}")] if kind else []) + [(plain, name)]:
        zero = f"__builtin_memset({address}, 0, sizeof {name})"
        made = zero if finding["contents"] == "zero" else f"(void *) {address}"
        size = f" _Static_assert(sizeof {name} == {bytes_of(finding)}, \"\");"  # another type may have its name
        yield [declared(text, body, declaration), Edit(start, end, made), *frees], Edit(body, body, size)


def apply(text, edits):
    """The text with all edits; None if two of them meet. Equal ones are one; insertions at one place stand in order."""
    ordered = []
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        if edit in ordered:
            if edit.start < edit.end:
                continue
        elif ordered and edit.start < ordered[-1].end:
            return None
        ordered.append(edit)
    parts, at = [], 0
    for edit in ordered:
        parts += [text[at:edit.start], edit.text]
        at = edit.end
    return "".join([*parts, text[at:]])


def check_writable(file, text):
    try:
        if read(file) != text:
            raise Refused("--write", file, "was changed meanwhile: nothing is written")
        if not os.stat(file).st_mode & stat.S_IWUSR or not os.access(file, os.W_OK):
            raise Refused("--write", file, "is read-only: nothing is written")
    except OSError as error:
        raise Refused("--write", file, f"{error.strerror}: nothing is written") from None


def write(made, texts):
    """All are looked at before the first is written. A link stays one: what it names is changed."""
    for file in made:
        check_writable(file, texts[file])
    for file in made:
        target = Path(os.path.realpath(file))
        partial = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        try:
            with open(partial, "xb") as out:
                out.write(made[file].encode("latin-1"))
                out.flush()
                os.fsync(out.fileno())
            shutil.copymode(target, partial)
            partial.replace(target)
        except OSError as error:
            raise Refused("--write", file, error.strerror) from None
        finally:
            partial.unlink(missing_ok=True)

# SPDX-License-Identifier: MIT
"""What `ab` is asked: ampersand.toml's table [ab], and flags, which go before it."""

import os
import re
import shlex
import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path

from plots.program.command_line import no_such_flag
from plots.program.errors import Refused

FILE = "ampersand.toml"
LISTS = "kernels", "link", "include", "sources"
WORDS = "build", "cflags", "cc", "base", "fail-on"
PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%$")


@dataclass(frozen=True)
class Side:
    """`place`: a commit or a folder; None: the checkout as it is."""

    name: str  # base, head
    place: str | None
    cc: str
    cflags: str


@dataclass(frozen=True)
class Settings:
    base: Side
    head: Side
    folder: Path  # of the configuration, or the present one: kernels' paths are relative to it
    kernels: tuple = ()  # files
    build: str | None = None  # a command for the shell, run in each side's checkout
    link: tuple = ()  # objects and libraries that it makes, and words for the linker
    include: tuple = ()
    sources: tuple = ()  # patterns of files to compile, where there is no build
    fail_on: float | None = None  # 0.02: head may be so much slower
    more: dict = field(default_factory=dict)

    @property
    def sides(self):
        return self.base, self.head


def percent(text, what, least=None):
    found = PERCENT.match(str(text).strip())
    if not found or not (float(found[1]) > 0 or least == 0) or float(found[1]) > 100:
        raise Refused(what, f"{text}: is no percentage such as 2%, {'' if least == 0 else 'above 0 and '}at most 100%")
    return float(found[1]) / 100


def of_file(path):
    try:
        table = tomllib.loads(path.read_text()).get("ab", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Refused(path, str(error)) from None
    for key, value in table.items():
        if key not in (*LISTS, *WORDS):
            raise Refused(path, "[ab]", no_such_flag(f"--{key}", [f"--{one}" for one in (*LISTS, *WORDS)]).replace(
                "--", "").replace("flag", "key"))
        if not (isinstance(value, str) if key in WORDS else isinstance(value, list)
                and all(isinstance(one, str) for one in value)):
            raise Refused(path, "[ab]", key, "is no " + ("text" if key in WORDS else "list of texts"))
    return table


def gather(args):
    path = Path(args.config or FILE)
    if args.config and not path.is_file():
        raise Refused(path, "No such file or directory")
    table = of_file(path) if path.is_file() else {}
    folder = path.absolute().parent if path.is_file() else Path.cwd()

    def words(key, given):
        return tuple(given or table.get(key, ()))

    cc = args.cc or table.get("cc") or os.environ.get("CC") or "cc"
    cflags = next(one for one in (args.cflags, table.get("cflags"), os.environ.get("CFLAGS"), "-O2") if one is not None)
    flags_differ = any((args.base_cc, args.head_cc, args.base_cflags, args.head_cflags))
    base_place = args.base or (None if flags_differ else table.get("base"))
    if base_place is None and not flags_differ and not args.bisect:
        raise Refused("--base", "name the version to compare with: a commit or a folder; or other flags or another "
                                "compiler: --head-cflags, --head-cc")
    settings = Settings(
        Side("base", base_place if base_place is not None else args.head, args.base_cc or cc,
             cflags if args.base_cflags is None else args.base_cflags),
        Side("head", args.head, args.head_cc or cc, cflags if args.head_cflags is None else args.head_cflags), folder,
        tuple(str(Path(one).absolute()) for one in args.kernels) if args.kernels else
        tuple(str(folder / one) for one in table.get("kernels", ())),
        args.build or table.get("build"), words("link", args.link), words("include", args.include),
        words("sources", args.source))
    fail_on = args.fail_on or table.get("fail-on")
    if fail_on:
        settings = replace(settings, fail_on=percent(fail_on, "--fail-on", 0 if args.exact else None))
    if not settings.kernels:
        raise Refused("--kernels", f"name a file of kernels, or list it in {FILE}: [ab] kernels = "
                                   "[\"bench/kernels.c\"]")
    for file in settings.kernels:
        if not os.path.isfile(file):
            raise Refused(file, "No such file or directory")
    for side in settings.sides:
        try:
            shlex.split(side.cflags), shlex.split(side.cc)
        except ValueError as error:
            raise Refused(f"{side.name}'s flags", f"{side.cflags}: {error}") from None
    return settings

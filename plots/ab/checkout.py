# SPDX-License-Identifier: MIT
"""Where a side's sources are: a commit in a worktree of its own, in a temporary place; a copy of the checkout as it is;
a copy of a folder. Nothing is built in the user's own folders."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from plots.program.errors import Refused, one_line

ANYBODY = {"GIT_AUTHOR_NAME": "ampersand", "GIT_AUTHOR_EMAIL": "ampersand", "GIT_COMMITTER_NAME": "ampersand",
           "GIT_COMMITTER_EMAIL": "ampersand", "GIT_TERMINAL_PROMPT": "0"}
# What git tells a hook of the checkout that it runs in; the worktrees of the sides are others.
OF_A_HOOK = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY")

SOURCES = (".c", ".h", ".cc", ".cpp", ".cxx", ".hh", ".hpp", ".S", ".inc")
NAMED = 3


@dataclass(frozen=True)
class Checkout:
    folder: Path  # of the side's sources
    title: str  # "1a2b3c4d5e Subject", a folder's name
    commit: str | None = None
    dirty: int = 0  # changed files that are part of it


def git(where, *words, may_fail=False):
    env = {key: value for key, value in os.environ.items() if key not in OF_A_HOOK} | ANYBODY
    try:
        done = subprocess.run(["git", "-C", str(where), *words], capture_output=True, text=True, errors="replace",
                              env=env, stdin=subprocess.DEVNULL)
    except FileNotFoundError:
        raise Refused("git", "is not here, and a side is a commit: apt-get install git") from None
    if done.returncode and not may_fail:
        said = [line for line in done.stderr.splitlines() if line.strip()] or [f"git {words[0]} failed"]
        raise Refused("git", said[-1].removeprefix("fatal: "))
    return None if done.returncode else done.stdout.strip()


def top_of(folder):
    """The folder of the checkout that holds this one, or None."""
    found = git(folder, "rev-parse", "--show-toplevel", may_fail=True) if shutil.which("git") else None
    return Path(found) if found else None


class Checkouts:
    """Both sides' sources, below `scratch`; to be closed."""

    def __init__(self, folder, scratch, say):
        self.folder, self.scratch, self.say = folder, Path(scratch), say
        self.top = top_of(folder)
        self.worktrees = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for path in self.worktrees:
            git(self.top, "worktree", "remove", "--force", str(path), may_fail=True)

    def of(self, side):
        target = self.scratch / side.name / "source"
        target.parent.mkdir(parents=True, exist_ok=True)
        if side.place is None:
            return self._present(target)
        commit = self._commit(side.place)
        if commit:
            self._mind_changes(side)
            return self._worktree(commit, target, 0)
        if Path(side.place).is_dir():
            return self._copied(Path(side.place), target)
        raise Refused(f"--{side.name} {side.place}", self._why_not(side.place))

    def _commit(self, place):
        if not self.top or place.startswith((".", "/")):
            return None
        return git(self.folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{place}^{{commit}}",
                   may_fail=True)

    def _why_not(self, place):
        if not self.top:
            return "is no folder, and this is no git checkout, so it is no commit either"
        if git(self.folder, "rev-parse", "--is-shallow-repository", may_fail=True) == "true":
            return (f"is no commit of this clone, which is a shallow one: fetch it first (git fetch origin {place}; on "
                    "GitHub actions/checkout with fetch-depth: 0, in GitLab GIT_DEPTH: 0)")
        if git(self.folder, "rev-parse", "--verify", "--quiet", "HEAD", may_fail=True) is None:
            return "is no folder, and this repository has no commit yet"
        branches = git(self.folder, "for-each-ref", f"--count={NAMED}", "--format=%(refname:short)", "refs/heads").split()
        return "is neither a commit nor a folder" + f"; branches: {', '.join(branches)}" * bool(branches)

    def _mind_changes(self, side):
        if side.name == "head" and git(self.folder, "status", "--porcelain", "--untracked-files=no"):
            self.say("the checkout has changes that are not committed: they are in neither side; without --head they "
                     "would be the head")

    def _present(self, target):
        """The checkout as it is, with the changes of tracked files."""
        if not self.top:
            return self._copied(self.folder, target)
        self._mind_untracked()
        dirty = len(git(self.folder, "status", "--porcelain", "--untracked-files=no").splitlines())
        commit = git(self.folder, "stash", "create") if dirty else None
        return self._worktree(commit or git(self.folder, "rev-parse", "--verify", "HEAD^{commit}"), target, dirty)

    def _mind_untracked(self):
        """A source that git does not know is no part of the head, and its build would fail for lack of it."""
        found = git(self.folder, "ls-files", "--others", "--exclude-standard").splitlines()
        found = [name for name in found if Path(name).suffix in SOURCES and not Path(name).is_absolute()]
        if found:
            more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
            self.say(f"not in git, so no part of the head: {', '.join(found[:NAMED])}{more} (git add takes them in)")

    def _worktree(self, commit, target, dirty):
        git(self.top, "worktree", "add", "--force", "--detach", str(target), commit)
        self.worktrees.append(target)
        if (target / ".gitmodules").exists():
            git(target, "submodule", "update", "--init", "--recursive", may_fail=True)
        subject = git(self.top, "log", "-1", "--format=%s", f"{commit}^1" if dirty else commit)
        named = git(self.top, "rev-parse", "--short=10", f"{commit}^1" if dirty else commit)
        changed = f" with {dirty} changed file{'s' * (dirty != 1)}, not committed" if dirty else ""
        inside = self.folder.resolve().relative_to(self.top.resolve())
        if not (target / inside).is_dir():
            raise Refused(named, f"has no folder {inside}")
        return Checkout(target / inside, one_line(f"{named} {subject}", 72) + changed, commit, dirty)

    def _copied(self, folder, target):
        shutil.copytree(folder, target, symlinks=True, ignore=shutil.ignore_patterns(".git"), dirs_exist_ok=False)
        return Checkout(target, str(folder))

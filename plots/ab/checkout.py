# SPDX-License-Identifier: MIT
"""A side's sources: a commit in a worktree of its own, in a temporary place; a copy of the checkout as it is; a copy of
a folder. Nothing is built in the user's own folders."""

import contextlib
import hashlib
import os
import shutil
import subprocess
import tempfile
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
class Source:
    """One side's, before anything is copied."""

    title: str  # "1a2b3c4d5e Subject", a folder's name
    commit: str | None  # of the worktree; None: a folder is copied
    folder: Path | None  # that one
    inside: Path  # of what is checked out or copied, the folder of the side's sources
    identity: str | None  # the same for the same content; None: it cannot be told


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
    """Both sides' sources, one after the other in one place: paths in what is compiled are the same on both sides."""

    def __init__(self, folder, scratch, say, kernels=()):
        self.folder, self.place, self.say = folder, Path(scratch) / "source", say
        self.kernels = {os.path.realpath(file) for file in kernels}  # they come from the user's folder, not from git
        self.top = top_of(folder)

    def find(self, side):
        if side.place is None:
            return self._present()
        commit = self._commit(side.place)
        if commit:
            self._mind_changes(side)
            return self._of_commit(commit, 0)
        if Path(side.place).is_dir():
            return self._of_folder(Path(side.place))
        raise Refused(f"--{side.name} {side.place}", self._why_not(side.place))

    @contextlib.contextmanager
    def made(self, source):
        """(the folder of the side's sources, whether they are what `identity` says); gone afterwards."""
        self.place.parent.mkdir(parents=True, exist_ok=True)
        whole = source.identity is not None
        if source.commit is None:
            shutil.copytree(source.folder, self.place, symlinks=True, ignore=shutil.ignore_patterns(".git"))
            whole = whole and content_of(self.place) == source.identity
        else:
            git(self.top, "worktree", "add", "--force", "--detach", str(self.place), source.commit)
        try:
            if source.commit is not None and (self.place / ".gitmodules").exists():
                self._fetch_submodules()
                there = git(self.place, "submodule", "status", "--recursive", may_fail=True)
                whole = whole and there is not None and not any(line.startswith("-") for line in there.splitlines())
            yield self.place / source.inside, whole
        finally:
            if source.commit is None:  # what a build made read-only cannot be removed by everybody, but moved
                self.place.rename(tempfile.mkdtemp(prefix="was-", dir=self.place.parent))
            else:
                git(self.top, "worktree", "remove", "--force", str(self.place), may_fail=True)

    def _fetch_submodules(self):
        """From where the user's own checkout keeps them, without a network; what is not there, from where they come."""
        common = Path(os.path.normpath(self.top / git(self.top, "rev-parse", "--git-common-dir")))
        listed = git(self.place, "config", "-z", "--file", ".gitmodules", "--get-regexp", r"^submodule\..*\.path$",
                     may_fail=True)
        for entry in filter(None, (listed or "").split("\0")):
            key, _, path = entry.partition("\n")
            kept = common / "modules" / key.removeprefix("submodule.").removesuffix(".path")
            if kept.is_dir():
                git(self.place, "-c", "protocol.file.allow=always", "-c", f"{key.removesuffix('path')}url={kept}",
                    "submodule", "update", "--init", "--", path, may_fail=True)
        git(self.place, "submodule", "update", "--init", "--recursive", may_fail=True)

    def _commit(self, place):
        if not self.top or place.startswith((".", "/")):
            return None
        return git(self.folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{place}^{{commit}}",
                   may_fail=True)

    def _why_not(self, place):
        if not self.top:
            return "is no folder, and this is no git checkout, so it is no commit either"
        if git(self.folder, "rev-parse", "--is-shallow-repository", may_fail=True) == "true":
            fetch = "--unshallow" if set(place) & set("~^@:") else f"origin {place}"  # HEAD~1 is no name to fetch
            return (f"is no commit of this clone, which is a shallow one: fetch it first (git fetch {fetch}; on "
                    "GitHub actions/checkout with fetch-depth: 0, in GitLab GIT_DEPTH: 0)")
        if git(self.folder, "rev-parse", "--verify", "--quiet", "HEAD", may_fail=True) is None:
            return "is no folder, and this repository has no commit yet"
        form = "--format=%(refname:short)"
        branches = git(self.folder, "for-each-ref", f"--count={NAMED}", form, "refs/heads").split()
        return "is neither a commit nor a folder" + f"; branches: {', '.join(branches)}" * bool(branches)

    def _mind_changes(self, side):
        if side.name == "head" and git(self.folder, "status", "--porcelain", "--untracked-files=no"):
            self.say("the checkout has changes that are not committed: they are in neither side; a comparison without "
                     "--head takes them in")

    def _present(self):
        """The checkout as it is, with the changes of tracked files."""
        if not self.top:
            return self._of_folder(self.folder)
        self._mind_untracked()
        dirty = len(git(self.folder, "status", "--porcelain", "--untracked-files=no").splitlines())
        commit = git(self.folder, "stash", "create") if dirty else None
        return self._of_commit(commit or git(self.folder, "rev-parse", "--verify", "HEAD^{commit}"), dirty)

    def _mind_untracked(self):
        """A source that git does not know is no part of the head, and its build would fail for lack of it."""
        found = git(self.folder, "ls-files", "--others", "--exclude-standard").splitlines()
        found = [name for name in found if Path(name).suffix in SOURCES and not Path(name).is_absolute()
                 and os.path.realpath(self.folder / name) not in self.kernels]
        if found:
            more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
            self.say(f"not in git, so no part of the head: {', '.join(found[:NAMED])}{more} (git add takes them in)")

    def _of_commit(self, commit, dirty):
        """`dirty`: so many changed files are part of it, and the commit was made from them just now."""
        known = f"{commit}^1" if dirty else commit
        subject = git(self.top, "log", "-1", "--format=%s", known)
        named = git(self.top, "rev-parse", "--short=10", known)
        changed = f" with {dirty} changed file{'s' * (dirty != 1)}, not committed" if dirty else ""
        inside = self.folder.resolve().relative_to(self.top.resolve())
        if git(self.top, "cat-file", "-t", f"{commit}:{inside if inside.parts else ''}", may_fail=True) != "tree":
            raise Refused(named, f"has no folder {inside}")
        identity = git(self.top, "rev-parse", f"{known}^{{commit}}", f"{commit}^{{tree}}")
        return Source(one_line(f"{named} {subject}", 72) + changed, commit, None, inside, f"{identity}\n{inside}")

    def _of_folder(self, folder):
        return Source(str(folder), None, folder, Path(), content_of(folder))


def content_of(folder):
    """A hash of all that is copied of a folder; None if a link leads out of it, to what is not part of it."""
    found, top = hashlib.sha256(), os.path.realpath(folder)
    for where, folders, files in os.walk(folder):
        folders[:] = sorted(one for one in folders if one != ".git")
        for name in sorted({*folders, *files} - {".git"}):
            path = os.path.join(where, name)
            if os.path.islink(path):
                if os.path.commonpath((top, os.path.realpath(path))) != top:
                    return None
                what = os.readlink(path)
            elif os.path.isfile(path):
                with open(path, "rb") as file:
                    what = f"{os.stat(path).st_mode:o} {hashlib.file_digest(file, 'sha256').hexdigest()}"
            else:
                what = ""
            found.update(f"{os.path.relpath(path, folder)}\0{what}\0".encode("utf-8", "surrogateescape"))
    return found.hexdigest()

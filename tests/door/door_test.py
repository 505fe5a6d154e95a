# SPDX-License-Identifier: MIT
"""The door, with every tool that it calls replaced by a stub that records how it was called.

Each test has a checkout of its own, whose door looks for the distribution's Python in that checkout instead of in
/usr/bin, and a PATH of one folder with the stubs and the few plain tools that the door may use. What the stubs were
told is compared word by word. Both shells that a small system has are tried."""
import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from places import ROOT
from waiting import HANGS_S, is_gone, wait_for

SHELLS = {"dash": ["dash"], "busybox": ["busybox", "sh"]}
PLAIN = "awk cat date dirname env find flock grep head ls mkdir mktemp mv readlink rm rmdir sed sh sleep touch tr".split()
MODULES = "matplotlib numpy scipy jinja2 jsonschema pytest elftools".split()

# command or file of pkg-config that a package brings
PACKAGES = {
    "gcc": "bin/cc", "clang": "bin/clang", "libc6-dev": "stdio.h", "g++": "bin/c++", "ninja-build": "bin/ninja",
    "meson": "bin/meson", "pkg-config": "bin/pkg-config", "libbenchmark-dev": "pc/benchmark",
    "libjemalloc-dev": "pc/jemalloc", "libjansson-dev": "pc/jansson", "libcmocka-dev": "pc/cmocka",
    "uthash-dev": "uthash.h", "zlib1g-dev": "zlib.h",
    "python3": "usr/python3",
    **{f"python3-{m}": f"usr/modules/{m}" for m in MODULES if m != "elftools"},
    "python3-pyelftools": "usr/modules/elftools",
}

# A compiler that is only asked to preprocess a line, and whether a header is there.
INCLUDE = """
        read -r include header; header=${header#<}
        if [ "$include" = "#include" ]; then test -e "$STUBS/${header%>}"; else echo "$include"; fi
        """

STUBS = {
    "cc": INCLUDE,
    "clang": INCLUDE,
    "c++": INCLUDE,
    "pkg-config": 'test -e "$STUBS/pc/$2"',
    "id": 'echo "${STUB_ID:-1000}"',
    "meson": """
        [ "$1" != --version ] || { echo 1.0.1; exit; }
        case " $* " in
            *" --bogus "*) printf 'usage: meson\\nmeson: error: unrecognized arguments: --bogus -x\\n' >&2; exit 2 ;;
            *" --repeat many "*) printf 'usage: meson\\nmeson test: error: argument --repeat: invalid int\\n' >&2; exit 2 ;;
            *" --suite nosuch "*) echo 'No suitable tests defined.'; exit ;;
            *" --help "*) printf 'usage: meson test [-h] [--bonus N]\\n  -v, --verbose\\n'; exit ;;
            *" --list "*) printf 'ampersand:source / door.py\\nampersand:program / heap\\n'; exit ;;
        esac
        say "CC=${CC-} meson $*"
        [ "$1" = setup ] || exit "${STUB_STATUS:-0}"
        for word; do build=$source source=$word; done
        mkdir -p "$build/meson-private" "$build/meson-info" "$build/harness"
        echo rules >"$build/build.ninja"
        for part in coredata build meson_test_setup; do touch "$build/meson-private/$part.dat"; done
facts='{"meson_version": {"full": "1.0.1"}, "directories": {"source": "%s", "build": "%s"}}'
        printf "$facts" "$source" "$build" >"$build/meson-info/meson-info.json"
        cp "$STUBS/ampersand-bench" "$build/harness/"
        """,
    "ninja": """
        [ "$3" = -n ] || { say "ninja $*"; touch "$STUBS/built"; }
        [ ! -e "$STUBS/built" ] || STUB_WORK=
        [ ! -e "$STUBS/broken" ] || { printf '[1/2] cc -c a.c\\nFAILED: a.o\\na.c:1: error: no\\n'; exit 1; }
        echo "ninja: ${STUB_WORK:-no work to do}."
        """,
    "python3": """
        case $2 in
            *'import json'* | *'import fcntl'*) exec @PYTHON@ "$@" ;;
            *find_spec*) shift 2; for m; do [ -e "${0%/*}/modules/$m" ] || printf '%s ' "$m"; done ;;
            *)
                if [ -e "$STUBS/real" ]; then exec @PYTHON@ "$@"; fi
                shift
                say "$*"
                file=$STUBS/$2
                if [ "$2" = undecided ] && [ -e "$file" ]; then cat "$file"; rm "$file"; fi
                exit "${STUB_PLOTS_STATUS:-0}"
                ;;
        esac
        """,
    "go": """
        say "go $* AMPERSAND_FILTER=${AMPERSAND_FILTER-}"
        [ -z "${STUB_GO_FAILS-}" ] || { echo "build failed" >&2; exit 1; }
        while [ $# -gt 1 ]; do if [ "$1" = -o ]; then cp "$STUBS/go.test" "$2"; fi; shift; done
        """,
    "go.test": 'say "go.test $* AMPERSAND_FILTER=${AMPERSAND_FILTER-}"',
    "apt-get": """
        say "apt-get $*"
        [ "$2" = install ] || exit 100
        for word; do
            case $word in -* | install) continue ;; esac
            [ -e "$STUBS/depot/$word" ] || { echo "E: Unable to locate package $word"; exit 100; }
        done
        for word; do case $word in -* | install) ;; *) . "$STUBS/depot/$word" ;; esac; done
        """,
    "sudo": """
        say "sudo $*"
        [ ! -e "$STUBS/no-password" ] || { echo "sudo: a password is required"; exit 1; }
        while [ "${1#-}" != "$1" ]; do shift; done
        "$@"
        """,
    "ampersand-bench": """
        say "ampersand-bench $*"
        words=" $* "
        [ "$2" != --resume ] || STUB_STATUS=${STUB_MORE_STATUS-${STUB_STATUS-}}
        while [ $# -gt 0 ]; do case $1 in --out | --resume) run=$2 ;; esac; shift; done
        if [ -n "${run-}" ] && [ -z "${STUB_EMPTY-}" ]; then
            mkdir -p "$run/launches/default"; touch "$run/launches/default/0.json"
            quick=false
            case $words in *' --quick '*) quick=true ;; esac
            printf '{"looks": [%s], "command": ["%s"], "quick": %s}' "${STUB_LOOKS-}" \\
                "$(echo "$words" | sed 's/ /", "/g')" $quick >"$run/manifest.json"
        fi
        if [ -n "${STUB_SLEEP-}" ]; then
            trap 'kill -KILL $!; say "told to end"; exit 130' TERM
            sleep 600 & say "asleep $!"; wait
        fi
        exit "${STUB_STATUS:-0}"
        """,
}
HEAD = """#!/bin/sh
STUBS='@STUBS@'
say() { echo "$*" >>"$STUBS/log"; }
source=
"""


class Door:
    def __init__(self, folder, shell):
        self.root, self.stubs, self.shell = folder / "checkout", folder / "stubs", shell
        self.bin, self.build = self.stubs / "bin", self.root / "build"
        for made in ("checkout/plots", "stubs/bin", "stubs/pc", "stubs/usr/modules", "stubs/depot"):
            (folder / made).mkdir(parents=True)
        shutil.copytree(ROOT / "door", self.root / "door")
        shutil.copytree(ROOT / "plots/words/rules", self.root / "plots/words/rules")
        text = (ROOT / "door/packages.sh").read_text()
        assert "/usr/bin" in text
        (self.root / "door/packages.sh").write_text(text.replace("/usr/bin", str(self.stubs / "usr")))
        shutil.copy(ROOT / "ampersand", self.root)
        shutil.copy(ROOT / "meson.build", self.root)
        (self.stubs / "log").touch()
        for tool in PLAIN + ["cp"]:
            (self.bin / tool).symlink_to(shutil.which(tool))
        self.stub("ampersand-bench", self.stubs)
        self.stub("go.test", self.stubs)
        self.stub("id", self.bin)
        for package, brings in PACKAGES.items():
            path = self.stubs / brings
            if package != "clang":
                self.install(path)
            kept = self.stubs / "depot" / f"{package}.file"
            self.write(kept, STUBS.get(path.name, ""))
            (self.stubs / "depot" / package).write_text(f'cp "{kept}" "{path}"\n')

    def stub(self, name, folder):
        self.write(folder / name, STUBS[name])

    def write(self, path, text):
        path.unlink(missing_ok=True)  # it may be a link to a tool of this machine's
        path.write_text(HEAD.replace("@STUBS@", str(self.stubs)) + text.replace("@PYTHON@", sys.executable))
        path.chmod(0o755)

    def install(self, path):
        if path.name in STUBS:
            self.stub(path.name, path.parent)
        else:
            path.touch()

    def remove(self, *packages):
        for package in packages:
            (self.stubs / PACKAGES[package]).unlink()

    def have(self, *names):
        for name in names:
            self.stub(name, self.bin)

    def python(self, name, modules):
        """Another Python, in a folder of its own."""
        folder = self.stubs / name
        (folder / "modules").mkdir(parents=True)
        self.stub("python3", folder)
        for module in modules:
            (folder / "modules" / module).touch()
        return folder

    def start(self, *args, path=(), cwd=None, terminal=None, under=(), **environment):
        def in_session():
            os.setsid()
            if terminal is not None:
                fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)

        return subprocess.Popen(
            [*under, shutil.which(self.shell[0]), *self.shell[1:], self.root / "ampersand", *map(str, args)],
            env={"PATH": ":".join(map(str, [*path, self.bin])), **environment}, text=True, cwd=cwd,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=in_session,
            pass_fds=() if terminal is None else (terminal,))

    def __call__(self, *args, **how):
        """The exit status and stderr. The log then holds this call's lines only."""
        (self.stubs / "log").write_text("")
        started = self.start(*args, **how)
        try:
            self.out, self.err = started.communicate(timeout=HANGS_S)
        finally:
            if started.returncode is None:
                os.killpg(started.pid, signal.SIGKILL)
        return started.returncode

    @property
    def log(self):
        return (self.stubs / "log").read_text().splitlines()

    def logged(self, word):
        return [line for line in self.log if word in line.split()]


@pytest.fixture(params=SHELLS)
def door(request, tmp_path):
    if not shutil.which(SHELLS[request.param][0]):
        pytest.skip(f"{request.param} is not here: apt-get install {request.param}")
    return Door(tmp_path, SHELLS[request.param])


def test_shellcheck():
    if not shutil.which("shellcheck"):
        pytest.skip("shellcheck is not here: apt-get install shellcheck")
    done = subprocess.run(["shellcheck", "-x", ROOT / "ampersand"], text=True, capture_output=True)
    assert done.returncode == 0, done.stdout


# ---- Use

@pytest.mark.parametrize("verb, nearest", [
    ("bnech", "bench"), ("tests", "test"), ("chart", "charts"), ("doktor", "doctor"), ("set", "setup"),
    ("checks", "check"), ("lis", "list"), ("hlp", "help"), ("", None), ("-x", None), ("bench test", None),
])
def test_unknown_verb_is_one_line_with_the_nearest(door, verb, nearest):
    assert door(verb) == 2
    assert door.err.startswith(f"ampersand: {verb}: no such verb: the nearest is '") and door.err.count("\n") == 1
    assert nearest is None or f"'{nearest}'" in door.err
    assert door.log == []


@pytest.mark.parametrize("args, status, says", [
    ([], 2, None), (["help"], 0, "Usage: ./ampersand VERB"), (["--help"], 0, "Usage: ./ampersand VERB"),
    (["help", "bench"], 0, "--filter"), (["bench", "--help"], 0, "--filter"), (["test", "-h"], 0, "--suite"),
    (["--version"], 0, "ampersand 0."),
])
def test_help_needs_nothing(door, args, status, says):
    door.remove(*[p for p in PACKAGES if p != "clang"])
    assert door(*args) == status
    assert "Usage" in door.err if says is None else says in door.out
    assert door.log == [] and not door.build.exists()


def test_verbs_of_modules_that_are_not_there_are_unknown(door):
    assert door("report") == 2
    (door.root / "plots" / "report.py").touch()
    assert door("report", "RUN") == 0
    assert door.log == ["plots report RUN"]


@pytest.mark.parametrize("args, verb", [
    (["bench", "--quick", "--help"], "bench"), (["bench", "--filter", "pass", "-h"], "bench"), (["list", "--questions", "-h"], "list"),
    (["ask", "a.h", "struct a", "--json", "--help"], "ask"), (["allocators", "--quick", "--help"], "allocators"),
])
def test_help_is_found_behind_other_flags(door, args, verb):
    assert door(*args) == 0 and door.out.startswith(f"Usage: ./ampersand {verb}") and door.log == []
    assert ("\n  placement decides  the layouts disagree" in door.out) == (verb == "ask"), "the rule is that of the tables"


def test_help_that_is_a_value_is_none(door):
    assert door("ask", "a.h", "struct a", "--cflags", "--help") == 0
    assert door.log[-1] == "ask a.h struct a --cflags --help"


@pytest.mark.parametrize("args", [["help"], ["help", "ask"], ["--version"], ["bench", "--help"]])
@pytest.mark.parametrize("stdout", ["/dev/full", None], ids=["full", "closed"])
def test_what_cannot_be_printed_is_told(door, args, stdout):
    redirect = ">&-" if stdout is None else f">{stdout}"
    done = subprocess.run(["sh", "-c", f'exec "$@" {redirect}', "sh", shutil.which(door.shell[0]), *door.shell[1:],
                           door.root / "ampersand", *args], text=True, stderr=subprocess.PIPE, env={"PATH": str(door.bin)})
    assert done.returncode == 2 and done.stderr == "ampersand: stdout: cannot be written\n"


# ---- 1. What is missing

def test_nothing_missing_installs_nothing(door):
    door.have("apt-get", "sudo")
    for verb in ("bench", "list", "test", "doctor"):
        assert door(verb, STUB_ID="0") == 0, door.err
        assert not door.logged("apt-get") and "installing" not in door.err


@pytest.mark.parametrize("package", [p for p in PACKAGES if p not in ("clang", "gcc", "python3", "pkg-config")])
def test_one_thing_missing_without_root_or_sudo(door, package):
    door.have("apt-get")
    door.remove(package)
    assert door("test") == 2
    last = door.err.splitlines()[-1]
    assert last.startswith("ampersand: missing: ")
    assert last.endswith(f": as root, run: apt-get update && apt-get install -y --no-install-recommends {package}")
    assert door.log == [] and not door.build.exists()


@pytest.mark.parametrize("gone, wanted", [
    ("gcc", "gcc libc6-dev uthash-dev zlib1g-dev"),
    ("python3", "python3 python3-matplotlib python3-numpy python3-scipy python3-jinja2 python3-jsonschema "
                "python3-pytest python3-pyelftools"),
    ("pkg-config", "pkg-config libbenchmark-dev libjemalloc-dev libjansson-dev libcmocka-dev"),
])
def test_what_hides_other_things_brings_them(door, gone, wanted):
    door.have("apt-get")
    door.remove(gone)
    if gone == "gcc":
        door.remove("libc6-dev")
    assert door("test") == 2
    assert door.err.splitlines()[-1].endswith(f" {wanted}")


def test_charts_need_no_compiler(door):
    door.remove("gcc", "ninja-build", "libjansson-dev")
    assert door("charts", "RUN") == 0
    assert door.log == ["plots charts RUN"]


def test_root_installs_just_that(door):
    door.have("apt-get", "sudo")
    door.remove("ninja-build", "python3-scipy")
    assert door("list", STUB_ID="0") == 0, door.err
    assert door.log[:2] == ["apt-get -q update",
                            "apt-get -q install -oDPkg::Lock::Timeout=600 -y --no-install-recommends python3-scipy ninja-build"]
    assert not door.logged("sudo")


def test_sudo_is_used_after_saying_what(door):
    door.have("apt-get", "sudo")
    door.remove("libbenchmark-dev")
    assert door("list") == 0, door.err
    line = "sudo apt-get update && sudo apt-get install -y --no-install-recommends libbenchmark-dev"
    assert door.err.splitlines()[:2] == ["ampersand: missing: libbenchmark", f"ampersand: installing: {line}"]
    assert [line.split()[0] for line in door.log[:4]] == ["sudo", "apt-get", "sudo", "apt-get"]
    assert door.log[2].endswith(" -y --no-install-recommends libbenchmark-dev")


@pytest.mark.parametrize("terminal", [True, False], ids=["terminal", "none"])
def test_sudo_asks_where_somebody_can_answer(door, terminal):
    door.have("apt-get", "sudo")
    door.remove("libbenchmark-dev")
    main = side = None
    if terminal:
        try:
            main, side = os.openpty()
        except OSError as e:
            pytest.skip(f"no pseudo-terminal here: {e}")
    started = door.start("list", terminal=side)
    started.communicate(timeout=HANGS_S)
    for opened in (main, side):
        if opened is not None:
            os.close(opened)
    asks = "sudo apt-get" if terminal else "sudo -n apt-get"
    assert [line for line in door.log if line.startswith("sudo")] == [
        f"{asks} -q update", f"{asks} -q install -oDPkg::Lock::Timeout=600 -y --no-install-recommends libbenchmark-dev"]


def test_sudo_that_wants_a_password_nobody_can_give(door):
    door.have("apt-get", "sudo")
    door.remove("libbenchmark-dev")
    (door.stubs / "no-password").touch()
    assert door("list") == 2
    assert "a password is required" in door.err and not door.build.exists()
    assert "apt-get install -y --no-install-recommends libbenchmark-dev" in door.err.splitlines()[-1]


def test_another_distribution(door):
    door.remove("meson")
    assert door("list", STUB_ID="0") == 2
    assert door.err.endswith("install them as this distribution calls them; Debian's packages are: meson\n")


MANAGERS = {"dnf": ("dnf install", "google-benchmark-devel"), "apk": ("apk add", "benchmark-dev"),
            "pacman": ("pacman -S --needed", "benchmark"), "zypper": ("zypper install", "benchmark-devel")}


@pytest.mark.parametrize("manager", MANAGERS)
def test_other_package_managers_names(door, manager):
    door.write(door.bin / manager, 'say "called"')
    door.remove("libbenchmark-dev", "python3-jinja2", "meson")
    assert door("list", STUB_ID="0") == 2 and door.err.count("\n") == 1 and door.log == []
    add, benchmark = MANAGERS[manager]
    jinja = {"dnf": "python3-jinja2", "apk": "py3-jinja2", "pacman": "python-jinja", "zypper": "python3-Jinja2"}[manager]
    assert door.err.endswith(f": as root, run: {add} {jinja} meson {benchmark}\n")


@pytest.mark.parametrize("manager", MANAGERS)
def test_every_package_has_a_name_there(door, manager):
    door.write(door.bin / manager, "")
    names = [line.split() for line in (ROOT / "door/names.txt").read_text().splitlines() if not line.startswith("#")]
    assert {line[0] for line in names[1:]} >= set(PACKAGES)
    assert all(len(line) == 5 for line in names), "a line a package, a column a manager"
    door.remove(*[package for package in PACKAGES if package != "clang"])
    assert door("list", CC="clang", CXX="clang++") == 2
    column = names[0].index(manager)
    listed = door.err.split("run: ")[1].split()
    assert "libbenchmark-dev" not in door.err and {line[column] for line in names[1:]} - {"-"} >= {
        word for word in listed if not word.startswith("-")} - set(MANAGERS[manager][0].split())


@pytest.mark.parametrize("variable, value, says", [
    ("CC", "nocc", "no such command"), ("CC", "g cc", "no such command"), ("CXX", "g+++", "no such command"),
    ("CXX", "clang-++", "no such command"), ("CC", "false", "is no compiler"), ("CXX", "false", "is no compiler"),
    ("CC", "{folder}", "is no compiler"), ("CXX", "{folder}", "is no compiler"), ("CC", "ls", "is no compiler"),
    ("CC", "./nothing", "no such command"),
])
@pytest.mark.parametrize("verb", ["list", "ask"])
def test_a_mistyped_compiler_is_refused_before_anything_is_installed(door, tmp_path, variable, value, says, verb):
    door.have("apt-get")
    door.write(door.bin / "false", "exit 1")
    door.remove("meson", "libc6-dev")
    value = value.format(folder=tmp_path)
    status = door(verb, "a.h", "struct a", STUB_ID="0", **{variable: value})
    if verb == "ask" and variable == "CXX":  # it asks in C
        assert status == 0
        return
    assert status == 2 and door.log == [] and not door.build.exists()
    assert door.err.startswith(f"ampersand: {variable}={value}: {says}") and door.err.count("\n") == 1


@pytest.mark.parametrize("environment, package", [
    ({"CC": "clang"}, "clang"), ({"CC": "gcc-99"}, "gcc-99"), ({"CXX": "clang++"}, "clang"), ({"CXX": "clang++-19"}, "clang-19"),
    ({"CXX": "g++-99"}, "g++-99"),
])
def test_a_compiler_that_is_not_here_is_installed_by_its_name(door, environment, package):
    assert door("list", **environment) == 2
    assert package in door.err.split("Debian's packages are: ")[1].split()


@pytest.mark.parametrize("cc", ["cc -m64", "  cc   -m64 ", "env cc"])
def test_a_compiler_of_several_words(door, cc):
    assert door("list", CC=cc) == 0, door.err


def test_a_package_that_is_not_to_be_had(door):
    door.have("apt-get")
    door.remove("meson")
    (door.stubs / "depot" / "meson").unlink()
    assert door("list", STUB_ID="0") == 2
    assert "Unable to locate package meson" in door.err


def test_setup_leaves_out_what_the_distribution_has_not(door):
    door.have("apt-get")
    assert door("setup", STUB_ID="0") == 0
    assert "ampersand: left out: valgrind" in door.err
    assert (door.bin / "clang").exists(), "the one extra package that there is"


@pytest.mark.parametrize("first, second, chosen", [
    (MODULES, None, "first"),
    (MODULES[1:], None, "usr"),
    ([], MODULES, "second"),
    (MODULES[:-1], MODULES, "second"),
    (MODULES, MODULES, "first"),
    ([], [], "usr"),
])
def test_the_python_that_has_the_modules(door, first, second, chosen):
    path = [door.python("first", first)]
    if second is not None:
        path.append(door.python("second", second))
    assert door("list", path=path) == 0, door.err
    assert f"-Dpython={door.stubs / chosen / 'python3'}" in door.log[0].split()


# ---- 2. The build folder

def test_configured_once(door):
    assert door("list") == 0
    assert door.log == [f"CC= meson setup -Dpython={door.stubs}/usr/python3 {door.build} {door.root}",
                        "ampersand-bench list --questions"]
    assert door("list") == 0
    assert door.log == ["ampersand-bench list --questions"] and door.err == ""


def test_compiler_honoured(door):
    assert door("list") == 0
    assert door("list", CC="cc -m64") == 0
    assert door.log[0].startswith("CC=cc -m64 meson setup --wipe ")
    assert door("list", CC="cc -m64") == 0 and not door.logged("setup")
    assert door("list", CC="nocc") == 2 and door.err == "ampersand: CC=nocc: no such command\n"
    assert door("list", CC="clang") == 2 and "clang" in door.err.split()


def test_another_python_reconfigures(door):
    assert door("list") == 0
    first = door.python("first", MODULES)
    assert door("list", path=[first]) == 0
    assert door.log[0].startswith(f"CC= meson setup --reconfigure -Dpython={first}/python3 ")


def test_another_build_folder(door, tmp_path):
    assert door("list", AMPERSAND_BUILD="there", cwd=tmp_path) == 0, door.err
    assert (tmp_path / "there" / "build.ninja").exists() and not door.build.exists()


CONFIGURED = {"AMPERSAND_CONFIGURED": "1"}  # as the targets of meson.build say


def test_a_target_takes_the_folder_as_it_was_configured(door):
    """`ninja bench` in a folder for another compiler, and without what configuring takes."""
    assert door("list", CC="cc -m64") == 0
    door.remove("meson", "gcc")
    run = door.root / "run"
    assert door("bench", "--out", run, **CONFIGURED, AMPERSAND_BUILD=str(door.build)) == 0, door.err
    assert door.log[0] == f"ampersand-bench paired --out {run}"


def test_a_target_builds_what_is_not_up_to_date(door):
    assert door("list") == 0
    assert door("bench", STUB_WORK="[1/1] cc", **CONFIGURED) == 0, door.err
    assert [line.split()[0] for line in door.log[:2]] == ["ninja", "ampersand-bench"]


@pytest.mark.parametrize("name", ["letter.txt", "tests/letter.txt", "harness/letter.txt"])
def test_foreign_folder_is_left_alone(door, tmp_path, name):
    letter = tmp_path / "mine" / name
    letter.parent.mkdir(parents=True)
    letter.write_text("dear")
    assert door("list", AMPERSAND_BUILD=str(tmp_path / "mine")) == 2
    assert door.err.startswith(f"ampersand: {tmp_path / 'mine'}: holds files and is no build folder")
    assert letter.read_text() == "dear" and door.log == []


def test_moved_checkout_and_other_checkouts_folder(door):
    assert door("list") == 0
    facts = door.build / "meson-info" / "meson-info.json"
    facts.write_text(facts.read_text().replace(str(door.root), "/elsewhere"))
    assert door("list", AMPERSAND_BUILD=str(door.build)) == 2
    assert "is the build folder of /elsewhere" in door.err and door.log == []
    assert door("list") == 0 and "--wipe" in door.log[0].split()


@pytest.mark.parametrize("path", ["file/build", "/proc/build"])
def test_build_folder_that_cannot_be_made(door, tmp_path, path):
    (tmp_path / "file").touch()
    assert door("list", AMPERSAND_BUILD=str(tmp_path / path)) == 2
    assert "cannot be made" in door.err and door.err.count("\n") == 1 and door.log == []


BUILDS_DEFAULTS = "CC= CXX= CFLAGS= CXXFLAGS= LDFLAGS="
ENVIRONMENTS = [{"CC": "clang"}, {"CFLAGS": "-m32"}, {"CXX": "g++-99"}, {"CFLAGS": "-O1", "LDFLAGS": "-s", "CC": "cc -m32"}]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("made_by", ["list", "ask", "hand"])
def test_ask_builds_nothing_for_the_compiler_of_the_type(door, made_by, environment):
    door.have("clang")
    if made_by == "hand":
        door("list")
        (door.build / "ampersand.configured").unlink()
    else:
        assert door(made_by, "a.h", "struct a", **(environment if made_by == "ask" else {})) == 0, door.err
    assert "CC= meson setup" in " ".join(door.log) and "wipe" not in " ".join(door.log)
    assert door("ask", "a.h", "struct a", **environment) == 0, door.err
    assert not any("--wipe" in line for line in door.log) and door.logged("ask") == ["ask a.h struct a"]
    assert (door.build / "ampersand.configured").read_text().splitlines()[0] == BUILDS_DEFAULTS


UNHEEDED = {  # what a folder was given by -D, the environment, what is said
    "other flags": ("c_args = -O1", {"CFLAGS": "-mavx2"}, ["CFLAGS=-mavx2 has no effect", "-Dc_args=-O1"]),
    "other flags of the linker": ("c_link_args = -s", {"LDFLAGS": "-g"}, ["LDFLAGS=-g has no effect", "-Dc_link_args=-s"]),
    "the same flags": ("c_args = -O1", {"CFLAGS": "-O1"}, []),
    "flags of another language": ("c_args = -O1", {"CXXFLAGS": "-O2"}, []),
    "none in the environment": ("c_args = -O1", {}, []),
    "none by -D": ("layouts = 16", {"CFLAGS": "-mavx2"}, []),
}


@pytest.mark.parametrize("name", UNHEEDED)
def test_flags_that_a_folder_configured_by_hand_does_not_heed_are_told(door, name):
    given, environment, words = UNHEEDED[name]
    door("list")
    (door.build / "meson-private/cmd_line.txt").write_text(f"[options]\n{given}\n")
    (door.build / "ampersand.configured").unlink()
    assert door("list", **environment) == 0
    told = [line for line in door.err.splitlines() if "no effect" in line]
    assert len(told) == bool(words) and all(word in told[0] for word in words)


def test_ask_keeps_the_compiler_that_was_chosen(door):
    door.have("clang")
    assert door("list", CC="clang") == 0
    assert door("ask", "a.h", "struct a") == 0 and door.log == ["ask a.h struct a"]
    assert door("list", CC="clang") == 0 and not door.logged("setup")


# How a folder was damaged, and what Meson is asked for.
DAMAGES = {
    "no build.ninja": (lambda build: (build / "build.ninja").unlink(), ""),
    "empty build.ninja": (lambda build: (build / "build.ninja").write_text(""), ""),
    "no coredata": (lambda build: (build / "meson-private/coredata.dat").unlink(), ""),
    "no meson-private": (lambda build: shutil.rmtree(build / "meson-private"), ""),
    "no meson-info": (lambda build: shutil.rmtree(build / "meson-info"), ""),
    "one folder left": (lambda build: [shutil.rmtree(build / "meson-private"), shutil.rmtree(build / "meson-info"),
                                       (build / "build.ninja").unlink(), (build / "ampersand.configured").unlink()], ""),
    "nothing but the lock": (lambda build: [shutil.rmtree(build), build.mkdir(), (build / "ampersand.lock").touch()], ""),
    "empty": (lambda build: [shutil.rmtree(build), build.mkdir()], ""),
    "another place": (lambda build: (build / "meson-info/meson-info.json").write_text(
        '{"directories": {"source": "/elsewhere"}}'), "--wipe "),
    "unreadable facts": (lambda build: (build / "meson-info/meson-info.json").write_text("{"), "--wipe "),
    "no note": (lambda build: (build / "ampersand.configured").unlink(), "--reconfigure "),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_folder_heals(door, damage):
    assert door("list") == 0
    act, option = DAMAGES[damage]
    act(door.build)
    assert door("list") == 0, door.err
    assert door.log[0] == f"CC= meson setup {option}-Dpython={door.stubs}/usr/python3 {door.build} {door.root}"
    assert door("list") == 0 and door.log == ["ampersand-bench list --questions"]


def test_a_damaged_folder_with_something_of_the_users_is_left_alone(door):
    assert door("list") == 0
    (door.build / "build.ninja").unlink()
    (door.build / "letter.txt").write_text("dear")
    assert door("list") == 2 and "holds files and is no build folder" in door.err and door.log == []
    assert (door.build / "letter.txt").exists() and (door.build / "meson-private").exists()


def test_another_meson_reconfigures_before_it_tests(door):
    assert door("list") == 0
    facts = door.build / "meson-info/meson-info.json"
    facts.write_text(facts.read_text().replace('"1.0.1"', '"0.63.0"'))
    assert door("test") == 0
    assert "meson setup --reconfigure " in door.log[0] and "meson test" in door.log[1]


def test_a_path_beyond_ascii(door, tmp_path):
    """Meson's own JSON has it in escapes: it is the same folder all the same."""
    moved = tmp_path / "größe ü"
    door.root.rename(moved)
    door.root, door.build = moved, moved / "build"
    assert door("list") == 0, door.err
    facts = door.build / "meson-info/meson-info.json"
    facts.write_text(json.dumps(json.loads(facts.read_text())))
    assert "\\u00f6" in facts.read_text()
    assert door("list", AMPERSAND_BUILD=str(door.build)) == 0, door.err
    assert door.log == ["ampersand-bench list --questions"]


def test_a_build_that_cannot_be_written_is_used_while_it_is_up_to_date(door, tmp_path):
    under = [shutil.which("setpriv") or "true", "--bounding-set=-dac_override"] if os.geteuid() == 0 else []
    if under and subprocess.run([*under, "true"], capture_output=True).returncode:
        pytest.skip("root can write everywhere, and setpriv cannot keep it from that")
    assert door("list") == 0
    folders = [door.root, door.build, *door.build.glob("**/")]
    for folder in folders:
        folder.chmod(0o555)
    for path in (door.build / "ampersand.lock", door.build / "ampersand.configured"):
        path.chmod(0o444)
    try:
        assert door("list", under=under) == 0, door.err
        assert door("bench", "--out", tmp_path / "run", under=under) == 0, door.err
        assert door("bench", under=under) == 2 and "name another folder by --out" in door.err and door.err.count("\n") == 1
        assert door("list", under=under, CC="cc -m64") == 2
        assert door.err == (f"ampersand: {door.build} cannot be written, and is to be configured: set AMPERSAND_BUILD to a "
                            "folder of yours\n")
    finally:
        for folder in folders:
            folder.chmod(0o755)


# ---- Two at once: the test is the other one

class Held:
    """The lock of a build folder, held from here."""

    def __init__(self, door, how):
        (door.build).mkdir(exist_ok=True)
        self.file = open(door.build / "ampersand.lock", "a")
        fcntl.flock(self.file, how)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()


@pytest.fixture(params=["flock", "python"])
def locker(request, door):
    if request.param == "python":
        (door.bin / "flock").unlink()
    return door


@pytest.mark.parametrize("how, environment, does", [
    (fcntl.LOCK_EX, {}, "is building"), (fcntl.LOCK_EX, {"CC": "cc -m64"}, "is building"),
    (fcntl.LOCK_SH, {"CC": "cc -m64"}, "uses what is built"), (fcntl.LOCK_EX, CONFIGURED, "is building"),
], ids=["list while another builds", "build while another builds", "build while another measures",
        "a target of ninja's while another builds"])
def test_the_second_waits_and_says_so(locker, how, environment, does):
    assert locker("list") == 0
    (locker.stubs / "log").write_text("")
    with Held(locker, how):
        started = locker.start("list", **environment)
        line = started.stderr.readline()
        assert line == f"ampersand: another ampersand {does} in {locker.build}: waiting until it has ended\n"
        assert started.poll() is None and locker.log == []
    assert started.communicate(timeout=HANGS_S) is not None and started.returncode == 0
    assert [word for word in locker.log[0].split() if word == "--wipe"] == ["--wipe"] * ("CC" in environment)


def test_what_is_up_to_date_is_used_by_several(locker):
    assert locker("list") == 0
    with Held(locker, fcntl.LOCK_SH):
        assert locker("list") == 0 and locker.err == ""


@pytest.mark.parametrize("environment", [{}, CONFIGURED], ids=["door", "target"])
def test_a_run_holds_its_build(locker, tmp_path, environment):
    assert locker("list") == 0
    started = locker.start("bench", "--out", tmp_path / "run", STUB_SLEEP="1", **environment)
    wait_for_line(locker, started, "asleep")
    with open(locker.build / "ampersand.lock", "a") as file:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        fcntl.flock(file, fcntl.LOCK_UN)
        with pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    started.send_signal(signal.SIGINT)
    started.communicate(timeout=HANGS_S)
    with Held(locker, fcntl.LOCK_EX | fcntl.LOCK_NB):
        pass


def test_a_door_that_waits_can_be_interrupted(locker):
    assert locker("list") == 0
    with Held(locker, fcntl.LOCK_EX):
        started = locker.start("list")
        assert "waiting" in started.stderr.readline()
        started.send_signal(signal.SIGINT)
        started.communicate(timeout=HANGS_S)
        assert started.returncode == 130


def test_two_that_find_no_build_configure_once(door):
    (door.stubs / "log").write_text("")
    both = [door.start("list") for _ in range(2)]
    for started in both:
        _, err = started.communicate(timeout=HANGS_S)
        assert started.returncode == 0, err
    assert len(door.logged("setup")) == 1


def test_a_folder_that_is_configured_otherwise_again_and_again_is_given_up(door):
    """Another door is faster each time: what it notes differs from what is wanted."""
    door.stub("ninja", door.bin)
    (door.bin / "ninja").write_text((door.bin / "ninja").read_text() + f'echo other >"{door.build}/ampersand.configured"\n')
    assert door("list") == 2
    assert door.err.splitlines()[-1] == (f"ampersand: {door.build}: others configure it for another compiler each time: set "
                                         "AMPERSAND_BUILD to a folder of your own")
    assert len(door.logged("setup")) == 3 and not door.logged("ampersand-bench")


def test_samurai_says_otherwise_that_there_is_nothing_to_do(door):
    assert door("list") == 0
    assert door("list", STUB_WORK="nothing to do") == 0 and door.log == ["ampersand-bench list --questions"]


def test_a_door_under_a_door_does_not_wait_for_it(door):
    """As a test does that calls the door in the build folder that its own door holds."""
    assert door("list") == 0
    with Held(door, fcntl.LOCK_SH):
        assert door("list", CC="cc -m64", AMPERSAND_HELD=str(door.build)) == 0
        assert door.log == ["ampersand-bench list --questions"]


# ---- 3. The build

def test_build_failure_shows_the_compilers_words_only(door):
    assert door("list") == 0
    (door.stubs / "broken").touch()
    assert door("list") == 2
    lines = door.err.splitlines()
    assert lines[1:3] == ["FAILED: a.o", "a.c:1: error: no"] and "building failed" in lines[-1]
    assert not door.logged("ampersand-bench")


def test_build_says_so_and_is_quiet(door):
    assert door("list", STUB_WORK="[1/1] cc") == 0
    assert door.err.splitlines()[1:] == [f"ampersand: building in {door.build}"]


# ---- 4. The verbs

@pytest.mark.parametrize("path, why", [
    ("file/run", "Not a directory"), ("file", "Not a directory"), ("/proc/run", None),
])
@pytest.mark.parametrize("form", ["--out {}", "--out={}"])
def test_out_that_cannot_be_written_is_said_before_the_build(door, tmp_path, path, why, form):
    (tmp_path / "file").touch()
    assert door("bench", *form.format(tmp_path / path).split()) == 2
    assert door.err.startswith(f"ampersand: --out {tmp_path / path}: cannot be ") and door.err.count("\n") == 1
    assert why is None or "file" == path or why in door.err
    assert door.log == [] and not door.build.exists()


def test_out_is_tried_without_a_trace(door, tmp_path):
    assert door("bench", "--out", tmp_path / "a/b/run", STUB_EMPTY="1") == 0
    assert not (tmp_path / "a").exists()
    (tmp_path / "a").mkdir()
    for out in ("a", "a/b/run"):
        assert door("bench", "--out", tmp_path / out, STUB_EMPTY="1") == 0
        assert (tmp_path / "a").is_dir() and not list((tmp_path / "a").iterdir()), "what was there stays, no more"


@pytest.mark.parametrize("status, judged, says", [
    (0, True, "everything is in"), (1, True, "everything is in"), (130, True, "--resume"),
    (2, False, None), (134, False, None),
])
def test_status_of_bench_is_passed_on(door, tmp_path, status, judged, says):
    run = tmp_path / "run"
    assert door("bench", "--quick", "--out", run, STUB_STATUS=str(status)) == status
    plots = [line for line in door.log if line.startswith("plots")]
    assert plots == ([f"plots summary {run} --format table", f"plots charts {run}",
                      f"plots report {run}"] if judged else [])
    assert says is None or says in door.err.splitlines()[-1] and str(run) in door.err.splitlines()[-1]


@pytest.mark.parametrize("status, judged", [(0, True), (1, True), (130, True), (2, False)])
def test_allocators_are_measured_and_judged(door, tmp_path, status, judged):
    run = tmp_path / "run"
    words = ["--config", "jemalloc:narenas:1,tcache:false", "--config=glibc"]
    assert door("allocators", "--out", run, *words, "--format", "csv", STUB_STATUS=str(status)) == status
    assert door.logged("ampersand-bench") == [f"ampersand-bench allocators --out {run} {' '.join(words)}"]
    assert door.logged("plots") == ([f"plots allocators {run} --format csv"] if judged else [])
    if status == 130:
        assert f"./ampersand allocators --resume {run}" in door.err


@pytest.mark.parametrize("form", ["--out {}", "--out={}"])
@pytest.mark.parametrize("out", ["-x", "--quick", "-"])
def test_out_that_is_a_flag(door, tmp_path, out, form):
    assert door("bench", *form.format(out).split(), cwd=tmp_path) == 2
    assert door.err == f"ampersand: --out {out}: is a flag and no folder; for a folder of that name: --out ./{out}\n"
    assert door("bench", "--out", f"./{out}", cwd=tmp_path) == 0 and (tmp_path / out / "manifest.json").exists()
    assert door("bench", f"--resume={out}", cwd=tmp_path) == 2 and "is a flag and no run" in door.err


@pytest.mark.parametrize("out", ["a" * 300, "/".join("folder" for _ in range(700)), "b/" * 30 + "a" * 300],
                         ids=["name", "path", "name far down"])
def test_out_that_is_too_long_leaves_nothing(door, tmp_path, out):
    assert door("bench", "--out", out, cwd=tmp_path) == 2
    assert door.err.count("\n") == 1 and door.err.endswith(": cannot be made: File name too long\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkout", "stubs"] and door.log == []


def test_trying_a_folder_follows_no_link_of_somebody_elses(door, tmp_path):
    """A file named after the door's process, which anybody who may write there can foresee, and every name like it."""
    letter, out = tmp_path / "letter", tmp_path / "run"
    letter.write_text("dear")
    out.mkdir()
    door.write(door.bin / "mkdir", f"""
        case "$*" in *"{out}") ln -sf "{letter}" "{out}/.ampersand.$PPID" ;; esac
        exec {shutil.which("mkdir")} "$@" """)
    (door.bin / "ln").symlink_to(shutil.which("ln"))
    assert door("bench", "--out", out, STUB_EMPTY="1") == 0, door.err
    left, = out.iterdir()
    assert left.is_symlink() and letter.read_text() == "dear", "the link that was there, and what it leads to"


def test_a_run_of_allocators_without_a_name_gets_the_date(door):
    assert door("allocators") == 0
    run, = (door.root / "results" / "runs").iterdir()
    time.strptime(run.name, "%Y-%m-%dT%H-%M-%SZ-allocators")


def test_interrupted_before_anything_was_finished(door, tmp_path):
    assert door("bench", "--out", tmp_path / "run", STUB_STATUS="130", STUB_EMPTY="1") == 130
    assert not door.logged("plots")


def test_failure_of_the_summary_shows_in_the_status(door, tmp_path):
    assert door("bench", "--out", tmp_path / "run", STUB_PLOTS_STATUS="2") == 2
    assert door("bench", "--out", tmp_path / "run2", STUB_PLOTS_STATUS="2", STUB_STATUS="1") == 1


@pytest.mark.parametrize("given, passed, format", [
    ("--filter a|b --seed 3", "--filter a|b --seed 3", "table"),
    ("--format json --quick", "--quick", "json"),
    ("--quick --format=csv", "--quick", "csv"),
    ("--wrong --format markdown", "--wrong", "markdown"),
    ("--filter --format", "--filter", None),
])
def test_flags_go_through(door, tmp_path, given, passed, format):
    status = door("bench", "--out", tmp_path, *given.split())
    if format is None:
        assert status == 2 and door.err == "ampersand: --format: needs a value\n"
        return
    assert door.logged("ampersand-bench") == [f"ampersand-bench paired --out {tmp_path} {passed}"]
    assert door.logged("plots")[0] == f"plots summary {tmp_path} --format {format}"


def test_format_that_is_none(door):
    assert door("bench", "--format", "yaml") == 2
    assert door.err == "ampersand: --format yaml: no such format: table, json, csv or markdown\n"


@pytest.mark.parametrize("given, passed", [("", "--questions"), ("--filter pass", "--filter pass")])
def test_list(door, given, passed):
    assert door("list", *given.split()) == 0
    assert door.log[-1] == f"ampersand-bench list {passed}"


def test_ask_gets_its_words_as_they_are(door):
    assert door("ask", "a header.h", "struct order", "--cflags", "-O3 -march=native", STUB_PLOTS_STATUS="2") == 2
    assert door.log[-1] == "ask a header.h struct order --cflags -O3 -march=native"
    assert door("ask", "a.h", "struct order") == 0


def test_a_run_without_a_name_gets_the_date(door):
    assert door("bench") == 0
    run, = (door.root / "results" / "runs").iterdir()
    time.strptime(run.name, "%Y-%m-%dT%H-%M-%SZ")
    assert door.log[1] == f"ampersand-bench paired --out {run}"


def test_resume_names_the_run(door, tmp_path):
    run = tmp_path / "run"
    assert door("bench", "--resume", run) == 0
    assert door.log[1:3] == [f"ampersand-bench paired --resume {run}", f"plots summary {run} --format table"]


def test_newest_run(door):
    assert door("charts") == 2 and "no run in" in door.err
    for name, age_s in (("a", 20), ("b", 10), ("c", 30)):
        manifest = door.root / "results" / "runs" / name / "manifest.json"
        manifest.parent.mkdir(parents=True)
        manifest.touch()
        os.utime(manifest, (time.time() - age_s,) * 2)
    for verb in ("charts", "check"):
        assert door(verb) == 0
        assert door.log == [f"plots {verb} {door.root}/results/runs/b"]


def test_two_runs_in_one_second_have_folders_of_their_own(door):
    door.write(door.bin / "date", "echo 2026-01-02T03-04-05Z")
    for _ in range(3):
        assert door("bench") == 0, door.err
    assert sorted(path.name for path in (door.root / "results/runs").iterdir()) == [
        "2026-01-02T03-04-05Z", "2026-01-02T03-04-05Z-2", "2026-01-02T03-04-05Z-3"]


@pytest.mark.parametrize("how", [{"STUB_STATUS": "2", "STUB_EMPTY": "1"}, {"CC": "nocc"}])
def test_a_run_that_never_began_leaves_no_folder(door, how):
    assert door("bench", **how) == 2
    assert not list((door.root / "results" / "runs").iterdir())


def test_a_folder_for_stacks_is_named_once(door, tmp_path):
    """By the door, and left only where something is put into it."""
    runs = tmp_path / "runs"
    date = {"date": "echo 2026-01-31T12-00-00Z"}
    for name, text in date.items():
        door.write(door.bin / name, text + "\n")
    (runs / "stack-2026-01-31T12-00-00Z").mkdir(parents=True)
    assert door("stack", "--bench", "--launches", "1", AMPERSAND_RUNS=str(runs)) == 0, door.err
    assert door.log[-1].endswith(f"stack --out {runs}/stack-2026-01-31T12-00-00Z-2 --launches 1")
    assert [path.name for path in runs.iterdir()] == ["stack-2026-01-31T12-00-00Z"]
    assert door("stack", "--bench", "--from", "there", AMPERSAND_RUNS=str(runs)) == 0
    assert door.log[-1].endswith("stack --from there")


def test_runs_go_where_they_are_told(door, tmp_path):
    assert door("bench", AMPERSAND_RUNS=str(tmp_path / "mine")) == 0
    run, = (tmp_path / "mine").iterdir()
    assert door("charts", AMPERSAND_RUNS=str(tmp_path / "mine")) == 0 and door.log == [f"plots charts {run}"]


@pytest.mark.parametrize("verb, program", [("bench", "paired"), ("allocators", "allocators")])
def test_flags_of_the_environment(door, tmp_path, verb, program):
    """As `ninja -C build bench` needs them; a star is a star."""
    (tmp_path / "file").touch()
    assert door(verb, "--out", "run", AMPERSAND_FLAGS="--quick --filter  ^pass/size=6*$ --format csv", cwd=tmp_path) == 0
    assert door.logged("ampersand-bench") == [f"ampersand-bench {program} --out run --quick --filter ^pass/size=6*$"]
    assert "ampersand: AMPERSAND_FLAGS: --quick" in door.err and any("--format csv" in line for line in door.log)


@pytest.mark.parametrize("status, says", [("2", "but judging it failed"), ("1", "open its report.html")])
def test_a_run_that_cannot_be_judged(door, tmp_path, status, says):
    """What the summary refuses is refused once; that a row failed is no refusal."""
    run = tmp_path / "run"
    assert door("bench", "--out", run, STUB_PLOTS_STATUS=status) == int(status)
    last = door.err.splitlines()[-1]
    assert says in last and ("everything is in" in last) == (status == "1")
    assert len([line for line in door.log if line.startswith("plots ")]) == (1 if status == "2" else 3)
    if status == "2":
        assert f"./ampersand bench --resume {run}" in last and "delete" in last


@pytest.mark.parametrize("first, more, status", [
    ("0", "0", 0), ("1", "0", 1), ("0", "1", 1), ("0", "130", 130), ("130", None, 130),
])
def test_rows_that_want_more_launches_get_them(door, tmp_path, first, more, status):
    run = tmp_path / "run"
    (door.stubs / "undecided").write_text("pass/size=16\n")
    assert door("bench", "--out", run, "--precision", "1%", STUB_LOOKS="20, 30", STUB_STATUS=first,
                STUB_MORE_STATUS=more or "") == status
    further = [line for line in door.log if f"paired --resume {run} --rows " in line]
    assert len(further) == (0 if more is None else 1), "until no row wants any, and none after an interruption"
    assert len(door.logged("summary")) == 1


def test_failed_tests_are_status_1(door):
    assert door("test", "door", STUB_STATUS="3") == 1
    assert door.log[-1] == f"CC= meson test -C {door.build} --print-errorlogs door.py"


@pytest.mark.parametrize("given, passed", [
    ("door", "door.py"), ("door.py heap", "door.py heap"), ("--suite program", "--suite program"), ("-t 3 heap", "-t 3 heap"),
    ("--suite=source --verbose", "--suite=source --verbose"), ("ampersand:heap", "ampersand:heap"), ("", ""),
])
def test_names_of_tests(door, given, passed):
    assert door("test", *given.split()) == 0, door.err
    assert door.log[-1] == f"CC= meson test -C {door.build} --print-errorlogs {passed}".rstrip()


@pytest.mark.parametrize("given, wrong, nearest", [("nosuchtest", "nosuchtest", None), ("heap haep", "haep", "heap"),
                                                   ("--suite program dor.py", "dor.py", "door.py"), ("hea*", "hea*", "heap")])
def test_a_test_that_there_is_not(door, given, wrong, nearest):
    assert door("test", *given.split()) == 2
    assert door.err.splitlines()[-1].startswith(f"ampersand: test: {wrong}: no such test: the nearest is '{nearest or ''}")
    assert not any("meson test -C" in line for line in door.log)


@pytest.mark.parametrize("given, says", [
    ("--bogus -x", "test: --bogus: no such flag; the nearest is '--bonus', and meson test --help lists all"),
    ("heap --repeat many", "test: argument --repeat: invalid int"),
    ("--suite nosuch", "test: no test has all of this: --suite nosuch; ./ampersand test --list lists all"),
])
def test_flags_that_meson_does_not_know(door, given, says):
    assert door("list") == 0
    assert door("test", *given.split()) == 2
    assert door.err.splitlines() == [f"ampersand: {says}"] and door.log == []


def wait_for_line(door, started, word):
    return wait_for(lambda: door.logged(word), started)[0]


@pytest.mark.parametrize("to_group", [True, False], ids=["group", "door"])
@pytest.mark.parametrize("sent, status, judged", [(signal.SIGINT, 130, True), (signal.SIGTERM, 143, False)])
def test_a_signal_ends_the_children_too(door, tmp_path, to_group, sent, status, judged):
    started = door.start("bench", "--out", tmp_path / "run", STUB_SLEEP="1")
    sleeper = wait_for_line(door, started, "asleep").split()[1]
    (os.killpg if to_group else os.kill)(started.pid, sent)
    started.communicate(timeout=HANGS_S)
    assert started.returncode == status
    assert bool(door.logged("summary")) == judged
    wait_for(lambda: is_gone(sleeper))


@pytest.mark.parametrize("second", [False, True], ids=["once", "twice"])
def test_an_interrupted_run_says_what_goes_on(door, tmp_path, second):
    """Once: what was finished is judged. Twice, here while Python judges: the door ends at once, and says where the run is."""
    real_python(door, 'import signal, sys, time\nprint("judging", flush=True)\n' + "signal.pause()\n" * second)
    run = tmp_path / "run"
    started = door.start("bench", "--out", run, STUB_SLEEP="1", STUB_STATUS="130")
    wait_for_line(door, started, "asleep")
    started.send_signal(signal.SIGINT)
    if second:
        assert started.stdout.readline() == "judging\n"
        started.send_signal(signal.SIGINT)
    _, err = started.communicate(timeout=HANGS_S)
    assert started.returncode == 130
    lines = [line for line in err.splitlines() if line.startswith("ampersand: ")]
    assert lines[1:3] == ["ampersand: ending it; what was finished is kept (a second time: at once)",
                         "ampersand: interrupted; judging what was finished (interrupt again to leave that out)"]
    assert lines[-1].endswith(f"what was finished is in {run}; for the rest: ./ampersand bench --resume {run}")
    assert "Traceback" not in err


def test_a_second_signal_does_not_wait_for_the_child(door, tmp_path):
    stubborn = door.build / "harness/ampersand-bench"
    assert door("list") == 0
    door.write(stubborn, """
        trap 'say deaf' TERM
        mkdir -p "$3/launches"; touch "$3/launches/0.json"
        say "asleep $$"
        while :; do sleep 60 & wait; done""")
    started = door.start("bench", "--out", tmp_path / "run")
    pid = wait_for_line(door, started, "asleep").split()[1]
    started.send_signal(signal.SIGINT)
    wait_for_line(door, started, "deaf")
    started.send_signal(signal.SIGINT)
    started.wait(timeout=HANGS_S)
    assert started.returncode == 130
    wait_for(lambda: is_gone(pid))
    os.killpg(started.pid, signal.SIGKILL)  # its sleep, which has the other end of the pipe
    assert started.stderr.readlines()[-1].endswith(f"for the rest: ./ampersand bench --resume {tmp_path}/run\n")


MEASURES = """
import os, signal, sys, tempfile
with tempfile.TemporaryDirectory(prefix="ampersand-test-") as folder:
    print(folder, flush=True)
    signal.pause()
"""


def real_python(door, text):
    """The checkout's `plots` and `ask` become this text, run by a Python that is no stub, and guarded as they are."""
    (door.stubs / "real").touch()
    for package in ("plots", "ask"):
        (door.root / package).mkdir(exist_ok=True)
        (door.root / package / "__main__.py").write_text(
            "from plots.program.guard import guarded\nimport sys\n"
            f"def run(_):\n    exec({text!r})\n    return 0\nsys.exit(guarded([], run, 'it'))\n")
    for name in ("guard.py", "errors.py"):
        shutil.copy(ROOT / "plots" / name, door.root / "plots")


@pytest.mark.parametrize("verb", ["ask", "doctor", "check"])
@pytest.mark.parametrize("sent, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129),
                                          (signal.SIGQUIT, 131), (signal.SIGKILL, -9)])
def test_python_ends_with_the_door_and_leaves_no_folder(door, verb, sent, status):
    real_python(door, MEASURES)
    started = door.start(verb, "RUN", "struct a")
    folder = Path(started.stdout.readline().strip())
    assert folder.is_dir(), started.communicate()
    started.send_signal(sent)
    _, err = started.communicate(timeout=60)  # until Python has ended, too: it has the other ends of the pipes
    assert started.returncode == status and not folder.exists()
    assert "Traceback" not in err
    if sent == signal.SIGINT:
        assert err.endswith("ampersand: interrupted\n")


# ---- Go

def test_a_run_of_everything_has_go_beside_it_where_go_is(door, tmp_path):
    door.have("go")
    (door.root / "benchmarks" / "go").mkdir(parents=True)
    run = tmp_path / "run"
    assert door("bench", "--out", run) == 0
    calls = [line for line in door.log if line.startswith(("go ", "go.test ", "plots "))]
    assert calls == ["go version AMPERSAND_FILTER=", f"go test -c -gcflags=-m -o {run}/go/go.test . AMPERSAND_FILTER=",
                     "go.test -test.run ^$ -test.bench . -test.benchmem -test.benchtime=20ms -test.count=6 AMPERSAND_FILTER=",
                     f"plots go {run} --quiet", f"plots summary {run} --format table", f"plots charts {run}",
                     f"plots report {run}"]
    assert sorted(path.name for path in (run / "go").iterdir()) == ["bench.txt", "escapes.txt", "version.txt"]
    assert door("bench", "--resume", run) == 0 and not door.logged("go"), "what is there is not measured again"


@pytest.mark.parametrize("manifest, measured", [
    ('{"command": ["bench", "--out", "x"], "quick": false}', True),
    ('{"command": ["bench", "--filter", "pass"], "quick": false}', False), ('{"command": ["bench"], "quick": true}', False)])
def test_a_run_that_is_gone_on_with_was_of_everything_or_not(door, tmp_path, manifest, measured):
    door.have("go")
    (door.root / "benchmarks" / "go").mkdir(parents=True)
    run = tmp_path / "run"
    (run / "launches" / "default").mkdir(parents=True)
    (run / "launches" / "default" / "0.json").touch()
    (run / "manifest.json").write_text(manifest)
    assert door("bench", "--resume", run, STUB_EMPTY="1") == 0
    assert bool(door.logged("go")) == measured


def test_a_folder_beside_one_gets_its_go_too(door, tmp_path):
    door.have("go")
    (door.root / "benchmarks" / "go").mkdir(parents=True)
    assert door("bench", "--out", "beside", cwd=tmp_path) == 0
    assert sorted(path.name for path in (tmp_path / "beside" / "go").iterdir()) == ["bench.txt", "escapes.txt",
                                                                                    "version.txt"]


@pytest.mark.parametrize("flags, effort, filter", [
    ("--quick", None, None), ("--filter pass", None, None), ("--filter=pass", None, None),
    ("--quick --go", "-test.benchtime=5ms -test.count=1", ""), ("--go --filter pass/size=64", "-test.benchtime=20ms -test.count=6", "pass/size=64"),
    ("--filter=^pass --go", "-test.benchtime=20ms -test.count=6", "^pass"),
])
def test_go_is_asked_for_or_belongs_to_everything(door, tmp_path, flags, effort, filter):
    door.have("go")
    (door.root / "benchmarks" / "go").mkdir(parents=True)
    assert door("bench", "--out", tmp_path / "run", *flags.split()) == 0
    assert "--go" not in door.logged("ampersand-bench")[0].split()
    benches = door.logged("go.test")
    assert benches == ([] if effort is None else [
        f"go.test -test.run ^$ -test.bench . -test.benchmem {effort} AMPERSAND_FILTER={filter}"])
    assert door("allocators", "--go", "--out", tmp_path / "other") == 0
    assert "--go" in door.logged("ampersand-bench")[0].split(), "for the program to refuse"


def test_lessons_of_ones_own_have_no_go_beside_them(door, tmp_path):
    door.have("go")
    assert door("bench", "--out", tmp_path / "run", AMPERSAND_LESSONS=str(tmp_path)) == 0 and not door.logged("go")


def test_go_that_is_asked_for_and_is_not_here(door, tmp_path):
    assert door("bench", "--out", tmp_path / "run", "--go") == 2
    assert door.err == "ampersand: --go: go is not here; the package is called golang\n" and door.log == []


@pytest.mark.parametrize("command, quick, filter", [
    ('["x", "--filter", "^pass/size=\\\\d+$", "--out", "r"]', "true", "^pass/size=\\d+$"), ('["x", "--filter=a b"]', "false", "a b"),
    ('["x"]', "false", ""), ('["x", "--filter", "first", "--filter", "\\u00fc"]', "true", "ü")])
def test_go_beside_a_run_that_is_gone_on_with_has_its_filter(door, tmp_path, command, quick, filter):
    door.have("go")
    (door.root / "benchmarks" / "go").mkdir(parents=True)
    run = tmp_path / "run"
    (run / "launches").mkdir(parents=True)
    (run / "launches" / "0.json").touch()
    (run / "manifest.json").write_text(f'{{"command": {command}, "quick": {quick}}}')
    assert door("bench", "--resume", run, "--go", STUB_EMPTY="1") == 0, door.err
    effort = "5ms -test.count=1" if quick == "true" else "20ms -test.count=6"
    assert door.logged("go.test")[0].endswith(f"-test.benchtime={effort} AMPERSAND_FILTER={filter}")


def test_without_go_a_notice_names_the_package(door, tmp_path):
    assert door("bench", "--out", tmp_path / "run") == 0
    assert "ampersand: go: not here, so the same lessons in Go are left out; the package is called golang" in door.err
    assert not (tmp_path / "run" / "go").exists()


def test_a_go_that_fails_leaves_the_run_as_it_is(door, tmp_path):
    door.have("go")
    (door.root / "benchmarks" / "go").mkdir(parents=True)
    assert door("bench", "--out", tmp_path / "run", STUB_GO_FAILS="1") == 0
    assert "go test failed" in door.err and "plots summary" in " ".join(door.log)
    assert door("bench", "--out", tmp_path / "asked", "--go", STUB_GO_FAILS="1") == 1, "it was asked for"
    assert not (tmp_path / "run" / "go" / "bench.txt").exists()


# ---- Installed: nothing is built, and nothing installed but by setup

@pytest.fixture
def installed(door, tmp_path):
    (door.root / "installed").write_text("version=1.2.3\n")
    (door.root / "meson.build").unlink()
    (door.root / "harness").mkdir()
    shutil.copy(door.stubs / "ampersand-bench", door.root / "harness")
    (tmp_path / "work").mkdir()
    return door


def test_installed_needs_no_build_tools(installed, tmp_path):
    installed.remove("gcc", "g++", "ninja-build", "meson", "pkg-config", "libbenchmark-dev", "libcmocka-dev", "python3-pytest")
    assert installed("bench", "--quick", cwd=tmp_path / "work") == 0, installed.err
    run, = (tmp_path / "work" / "ampersand-runs").iterdir()
    assert installed.log[0] == f"ampersand-bench paired --out {run} --quick"
    assert installed("charts", cwd=tmp_path / "work") == 0 and installed.log == [f"plots charts {run}"]
    assert installed("list") == 0 and installed.log == ["ampersand-bench list --questions"]
    assert not installed.build.exists()


@pytest.mark.parametrize("verb, gone, package", [("bench", "python3-scipy", "python3-scipy"), ("ask", "gcc", "gcc libc6-dev"),
                                                 ("list", "python3-numpy", "python3-numpy")])
def test_installed_names_what_is_missing_and_leaves_it(installed, verb, gone, package):
    installed.have("apt-get", "sudo")
    installed.remove(gone)
    if gone == "gcc":
        installed.remove("libc6-dev")
    assert installed(verb, "a.h", "struct order", STUB_ID="0") == 2
    assert installed.log == [] and installed.err.count("\n") == 1
    assert installed.err.endswith(f": ampersand setup installs it, or as root: apt-get install {package}\n")
    assert installed("setup", STUB_ID="0") == 0, installed.err
    assert installed.log == ["apt-get -q update", f"apt-get -q install -oDPkg::Lock::Timeout=600 -y --no-install-recommends {package}"]


def test_installed_help_speaks_of_what_is_installed(installed):
    for args in (["help"], ["help", "bench"], ["ask", "--help"]):
        assert installed(*args) == 0 and "./ampersand" not in installed.out and "results/runs" not in installed.out
    assert installed("test") == 2 and "test: no such verb" in installed.err
    assert installed("--version") == 0 and installed.out == "ampersand 1.2.3\n"


# ---- What stands behind it

@pytest.mark.parametrize("verb, name", [("bench", "_PAIRED"), ("allocators", "_ALLOCATORS")])
def test_help_knows_the_flags_of_the_program(verb, name):
    source = (ROOT / "harness" / "cli" / "options.c").read_text()
    flags = set(re.findall(rf'= \{{ "(--[a-z-]+)", .*(?:{name}|BOTH)', source))
    assert "--quick" in flags
    flags.discard("--rows")  # the door's own, with which it starts further launches
    said = subprocess.run([ROOT / "ampersand", "help", verb], text=True, capture_output=True).stdout
    flags |= {"--format", "--go"} if verb == "bench" else {"--format"}
    assert flags == {line.split()[0] for line in said.splitlines() if line.startswith("  --")}


def test_plots_of_the_checkout_is_run(tmp_path):
    """A folder called plots in the user's own folder is not taken for ours."""
    python = next((p for p in ("/usr/bin/python3", shutil.which("python3")) if p and Path(p).exists()), None)
    (tmp_path / "checkout" / "plots").mkdir(parents=True)
    (tmp_path / "checkout" / "plots" / "__main__.py").write_text("import sys; print('ours', sys.argv[1:])")
    (tmp_path / "plots").mkdir()
    (tmp_path / "plots" / "__main__.py").write_text("print('theirs')")
    (tmp_path / "checkout" / "door").mkdir()
    module = shutil.copy(ROOT / "door/module.py", tmp_path / "checkout" / "door")
    done = subprocess.run([python, module, "plots", "check", "RUN"], cwd=tmp_path, text=True,
                          capture_output=True)
    assert done.stdout == "ours ['check', 'RUN']\n", done.stderr

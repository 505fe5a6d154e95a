# SPDX-License-Identifier: MIT
"""The door, with every tool that it calls replaced by a stub that records how it was called.

Each test has a checkout of its own, whose door looks for the distribution's Python in that checkout instead of in
/usr/bin, and a PATH of one folder with the stubs and the few plain tools that the door may use. What the stubs were
told is compared word by word. The shells that small systems have are tried."""
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import termios

from places import ROOT
from waiting import HANGS_S, wait_for

SHELLS = {"dash": ["dash"], "busybox": ["busybox", "sh"]}
PLAIN = ("awk cat date dirname env find flock grep head ls mkdir mktemp mv readlink rm rmdir sed sh sleep touch "
         "tr").split()
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

# Where that is asked for: always, or by the first word.
SLEEP = """
        case ${STUB_SLEEP-} in
            1 | "$verb")
                trap 'kill -KILL $!; say "told to end"; exit 130' TERM
                sleep 600 & say "asleep $!"; wait
                ;;
        esac
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
            *" --repeat many "*)
                printf 'usage: meson\\nmeson test: error: argument --repeat: invalid int\\n' >&2; exit 2 ;;
            *" --suite nosuch "*) echo 'No suitable tests defined.'; exit ;;
            *" --help "*) printf 'usage: meson test [-h] [--bonus N]\\n  -v, --verbose\\n'; exit ;;
            *" --list "*)
                case " $* " in *" --no-rebuild "*) ;; *) echo "ninja: Entering directory" ;; esac
                printf 'ampersand:source / door.py\\nampersand:program / heap\\n'
                exit
                ;;
        esac
        say "CC=${CC-} meson $*"
        [ "$1" = setup ] || exit "${STUB_STATUS:-0}"
        for word; do build=$source source=$word; done
        mkdir -p "$build/meson-private" "$build/meson-info" "$build/harness/profile"
        echo rules >"$build/build.ninja"
        for part in coredata build meson_test_setup; do touch "$build/meson-private/$part.dat"; done
facts='{"meson_version": {"full": "1.0.1"}, "directories": {"source": "%s", "build": "%s"}}'
        printf "$facts" "$source" "$build" >"$build/meson-info/meson-info.json"
        cp "$STUBS/ampersand-bench" "$build/harness/"
        touch "$build/harness/ampersand-ab"
        cp "$STUBS/ampersand-profile" "$build/harness/profile/"
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
                if [ "$4" = --alone ]; then file=$file-alone; fi
                case $2 in undecided | refine) [ ! -e "$file" ] || { cat "$file"; rm "$file"; } ;; esac
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
        words=" $* " verb=$1
        [ "$2" != --resume ] || STUB_STATUS=${STUB_MORE_STATUS-${STUB_STATUS-}}
        while [ $# -gt 0 ]; do case $1 in --out | --resume) run=$2 ;; esac; shift; done
        if [ -n "${run-}" ] && [ -z "${STUB_EMPTY-}" ]; then
            mkdir -p "$run/launches/default"; touch "$run/launches/default/0.json"
            quick=false
            case $words in *' --quick '*) quick=true ;; esac
            printf '{"looks": [%s], "solo_looks": [%s], "command": ["%s"], "quick": %s}' "${STUB_LOOKS-}" \\
                "${STUB_SOLO_LOOKS-}" "$(echo "$words" | sed 's/ /", "/g')" $quick >"$run/manifest.json"
        fi
        """ + SLEEP + """
        exit "${STUB_STATUS:-0}"
        """,
    "ampersand-profile": 'say "ampersand-profile $*"; verb=$1' + SLEEP,
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
        self.stub("ampersand-profile", self.stubs)
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


CONFIGURED = {"AMPERSAND_CONFIGURED": "1"}  # as the targets of meson.build say


def wait_for_line(door, started, word):
    return wait_for(lambda: door.logged(word), started)[0]

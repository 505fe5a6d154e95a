# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# The build folder: configure it once, build it, and lock it while something uses it. Sourced by ../ampersand.
#
# Two commands may use one folder. A command that uses what is built there, above all a run, holds a shared lock on
# $build/ampersand.lock; one that configures or builds holds an exclusive lock. So nothing changes during a run, and the
# second command waits for the first. The commands that the door starts inherit the lock: it ends with the last of them.

# What a build folder was configured for. A folder that was configured by hand has no such note.
note=$build/ampersand.configured
locks=no

# For `ask` and `ab`, CC and CFLAGS are those of the user's code: they use the existing build, or make one with the
# defaults.
for_users_code() { case $verb in ask | ab) ;; *) return 1 ;; esac }
for_the_type='CC CXX CPPFLAGS CFLAGS CXXFLAGS LDFLAGS'

defaults='CC= CXX= CFLAGS= CXXFLAGS= LDFLAGS='
wanted() {
    if for_users_code; then
        sed 1q "$note" 2>/dev/null || echo "$defaults"
    else
        echo "CC=${CC-} CXX=${CXX-} CFLAGS=${CFLAGS-} CXXFLAGS=${CXXFLAGS-} LDFLAGS=${LDFLAGS-}" \
            ${CPPFLAGS:+"CPPFLAGS=$CPPFLAGS"}
    fi
    echo "python=$python"
}

# Run a command of the build; under `ask` and `ab` without CC and its like, which belong to the user's code.
of_the_build() { # in a subshell: its last command
    # shellcheck disable=SC2086 # one argument each
    if for_users_code; then unset $for_the_type; fi
    exec "$@"
}

# Is this a build folder that may be emptied? It must hold only names that a build leaves; if the user named the folder,
# also at least one name that nothing else leaves.
holds_a_build() {
    sure=no
    others=no
    if [ "$build" = "$root/build" ]; then sure=yes; fi
    for path in "$build"/* "$build"/.[!.]*; do
        case ${path##*/} in
            '*' | '.[!.]*') ;;
            ampersand.lock) ;;
            meson-* | build.ninja* | ampersand.* | .ninja_*) sure=yes ;;
            benchmarks | harness | install | tests | compile_commands.json | .gitignore | .hgignore) others=yes ;;
            *) return 1 ;;
        esac
    done
    [ $sure = yes ] || [ $others = no ]
}

is_whole() {
    [ -s "$build/build.ninja" ] || return 1
    for part in meson-private/coredata.dat meson-private/build.dat meson-private/meson_test_setup.dat \
        meson-info/meson-info.json; do
        [ -f "$build/$part" ] || return 1
    done
}

# Meson writes letters beyond ASCII as escapes, so this needs a JSON reader.
source_of_build() {
    if grep -qF "\"source\": \"$root\"" "$build/meson-info/meson-info.json"; then
        echo "$root"
    else
        "$python" -c 'import json, os, sys
sys.stdout.buffer.write(os.fsencode(json.load(open(sys.argv[1], encoding="utf-8"))["directories"]["source"]))' \
            "$build/meson-info/meson-info.json" 2>/dev/null || :
    fi
}

# Was the folder configured by another version of Meson? What that wrote for `meson test` is of no use to this one.
other_meson() {
    [ "$verb" = test ] || return 1
    ! grep -q "\"full\": \"$(meson --version)\"" "$build/meson-info/meson-info.json"
}

# What must Meson do with the folder? none, --reconfigure, --wipe, or anew (empty it first).
examine() {
    how=none
    if [ -n "${AMPERSAND_CONFIGURED-}" ]; then return; fi
    want=$(wanted)
    if ! is_whole; then
        holds_a_build ||
            fail "$build: holds files and is no build folder: move it away, or set AMPERSAND_BUILD to another"
        how=anew
    elif source=$(source_of_build) && [ "$source" != "$root" ]; then
        [ -z "${AMPERSAND_BUILD-}" ] || fail "$build: is the build folder of ${source:-something else}"
        how=--wipe # the checkout was moved or copied
    elif [ "$(sed 1q "$note" 2>/dev/null || echo "$defaults")" != "$(echo "$want" | sed 1q)" ]; then
        how=--wipe # a compiler cannot be exchanged in a folder
    elif [ "$(cat "$note" 2>/dev/null)" != "$want" ] || other_meson; then
        how=--reconfigure
    fi
    # A folder that was configured by hand and cannot be written is used as it is.
    if [ "$how" = --reconfigure ] && [ ! -e "$note" ] && [ ! -w "$build" ]; then how=none; fi
}

writable() {
    { [ $locks = yes ] && [ -w "$build" ]; } ||
        fail "$build cannot be written, and $1: set AMPERSAND_BUILD to a folder of yours"
}

meson_setup() { # options
    quietly of_the_build meson setup "$@" "-Dpython=$python" "$build" "$root"
}

empty() { # all that a build left but the lock, which is held
    find "$build" -mindepth 1 -maxdepth 1 ! -name ampersand.lock -exec rm -rf {} +
}

# Options that were set with -D override the flags of the environment.
tell_unheeded() {
    for pair in CFLAGS:c_args CXXFLAGS:cpp_args LDFLAGS:c_link_args; do
        option=${pair#*:}
        eval "flags=\${${pair%:*}-}"
        given=$(sed -n "s/^$option = //p" "$build/meson-private/cmd_line.txt" 2>/dev/null || :)
        if ! for_users_code && [ -n "$flags" ] && [ -n "$given" ] && [ "$flags" != "$given" ]; then
            say "${pair%:*}=$flags has no effect: $build was configured with -D$option=$given"
        fi
    done
}

configure() {
    tell_unheeded
    examine
    if [ "$how" = none ]; then return; fi
    writable 'is to be configured'
    say "configuring $build"
    rm -f "$note"
    set -- "$how"
    if [ "$how" = anew ]; then
        shift
        empty
    fi
    meson_setup "$@" || fail "$build: configuring failed, for the reason above"
    echo "$want" >"$note"
}

# What a verb uses of a build: a target, none for all, and a file of it. A gate in CI builds anew each time, and has no
# use for lessons.
target() { case $verb in ab) echo for-ab ;; esac }
made_file() { case $verb in ab) echo "$build/harness/ampersand-ab" ;; *) echo "$build/harness/ampersand-bench" ;; esac }

run_ninja() { # flags
    # shellcheck disable=SC2046 # a target, or none
    of_the_build ninja -C "$build" "$@" $(target)
}

# By the words of ninja, or of samurai.
built() {
    case $(run_ninja -n 2>&1) in
        *'no work to do'* | *'nothing to do'*) [ -e "$(made_file)" ] ;;
        *) return 1 ;;
    esac
}

compile() {
    if built; then return; fi
    writable 'is not up to date'
    say "building in $build"
    if quietly run_ninja; then
        [ ! -e "$(made_file)" ] || return 0
    elif ! grep -q "build\.ninja" "$scratch/log"; then
        fail "$build: building failed, for the reason above"
    fi
    # Meson's files are damaged, or of a version that is no longer installed.
    say "configuring $build anew"
    rm -f "$note"
    meson_setup --wipe || fail "$build: configuring failed, for the reason above"
    wanted >"$note"
    quietly run_ninja || fail "$build: building failed, for the reason above"
}

# ---- The lock, on descriptor 9

# Waits in steps, between which this shell sees its signals. On a file system without locks nobody waits.
wait_for_lock() { # -s or -x
    until lock -n "$1" 2>/dev/null; do
        [ $? = 1 ] || return 0
        sleep 1
    done
}

open_lock() {
    locks=no
    (: >>"$build/ampersand.lock") 2>/dev/null || return 0 # nobody builds in a folder that cannot be written
    exec 9>>"$build/ampersand.lock"
    locks=yes
}

lock() { # -s or -x, -n not to wait, -u to let go
    if has flock; then
        flock "$@" 9
    else
        "$python" -c 'import fcntl, sys
flags = {"-s": fcntl.LOCK_SH, "-x": fcntl.LOCK_EX, "-n": fcntl.LOCK_NB, "-u": fcntl.LOCK_UN}
try:
    fcntl.flock(9, sum(flags[word] for word in sys.argv[1:]))
except BlockingIOError:
    sys.exit(1)
except OSError:
    sys.exit(65)' "$@"
    fi
}

hold() { # -s or -x
    [ $locks = yes ] || return 0
    lock -u
    if lock -n "$1" 2>/dev/null; then return; fi
    does='is building'
    if [ "$1" = -x ] && lock -n -s 2>/dev/null; then
        does='uses what is built'
        lock -u
    fi
    say "another ampersand $does in $build: waiting until it has ended"
    wait_for_lock "$1"
}

# Bring the build up to date, and lock it so that it does not change.
prepare() {
    examine
    mkdir -p "$build" 2>/dev/null || fail "$build cannot be made: set AMPERSAND_BUILD to a folder of yours"
    open_lock
    compiled=no
    for round in 1 2 3 4; do # between the two locks another may configure it for another compiler
        hold -s
        examine
        if [ "$how" = none ] && { [ $compiled = yes ] || built; }; then return; fi
        [ $round != 4 ] || break
        hold -x
        configure
        compile
        compiled=yes
    done
    fail "$build: others configure it for another compiler each time: set AMPERSAND_BUILD to a folder of your own"
}

known_python() { find_python || fail "no python3 on PATH has all of: $modules"; }

ready() { # level
    if [ "${AMPERSAND_HELD-}" = "$build" ]; then # else a test would wait for its own door
        known_python
        return
    fi
    if [ $installed = yes ]; then
        case $verb in ask) look compiler ;; *) look python ;; esac
        [ -z "$packages" ] || fail "missing:$missing: ampersand setup installs it, or as root: apt-get install$packages"
        return
    fi
    if [ -n "${AMPERSAND_CONFIGURED-}" ]; then known_python; else need "$1"; fi
    if [ "$1" = python ]; then return; fi
    prepare
    export AMPERSAND_HELD="$build"
}

# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# The verbs. Sourced by ../ampersand.

# Run a command so that a signal to this script reaches it at once: it is told to end, and waited for.
# Only for commands that handle SIGINT themselves, since it is ignored in a background command of sh.
status=0
stopped=
attended() {
    child=
    trap 'stopped=INT; kill -TERM $child 2>/dev/null || :' INT
    trap 'stopped=TERM; kill -TERM $child 2>/dev/null || :' TERM HUP
    "$@" &
    child=$!
    while :; do
        before=$stopped
        stopped=
        status=0
        wait $child || status=$?
        [ -n "$stopped" ] || break # else it was a signal that ended `wait`, not the command
    done
    stopped=$before
    trap 'exit 130' INT
    trap 'exit 143' TERM
    trap 'exit 129' HUP
}

# `python -m plots` or `ask`, whatever the current folder holds: paths on the command line are the user's.
module() { # its name, its arguments
    AMPERSAND_BUILD=$build "$python" -c 'import runpy, sys
sys.path[0] = sys.argv.pop(1)
runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=True)' "$root" "$@"
}

plots() { module plots "$@"; }

check_writable() { # folder: try it, and leave nothing behind
    made=
    folder=$1
    while [ ! -e "$folder" ]; do
        made=$folder
        folder=$(dirname "$folder")
    done
    why=$(LC_ALL=C mkdir -p "$1" 2>&1) || fail "--out $1: cannot be made: ${why##*: }"
    why=$( (LC_ALL=C; : >"$1/.ampersand.$$") 2>&1) || fail "--out $1: cannot be written: ${why##*: }"
    rm -f "$1/.ampersand.$$"
    [ -n "$made" ] || return 0
    folder=$1
    while rmdir "$folder" 2>/dev/null && [ "$folder" != "$made" ]; do folder=$(dirname "$folder"); done
}

# Whether anything was measured: a launch's file appears whole or not at all.
has_results() { [ -n "$(find "$1/launches" -name '*.json' 2>/dev/null | head -n 1)" ]; }

# A run with a precision: plots says which rows want more launches, the program launches them, and again. $status
# becomes that of the last block, or 1 where a row failed before.
launch_more() { # run
    [ -n "$scratch" ] || scratch=$(mktemp -d)
    worst=$status
    while [ "$status" -le 1 ]; do
        plots undecided "$1" >"$scratch/rows" || { status=$?; return; }
        [ -s "$scratch/rows" ] || break
        say "rows that want more launches: $(wc -l <"$scratch/rows")"
        attended "$build/harness/ampersand-bench" paired --resume "$1" --rows "$scratch/rows"
        [ "$status" = 0 ] || worst=$status
    done
    status=$worst
}

# Measure into a run folder, then judge it. What is measured is the verb's: pairs, or allocator configurations.
measure() { # verb of the program, verb of the door, suffix of the folder's name, flags
    program=$1
    verb=$2
    suffix=$3
    shift 3
    out=
    resume=
    format=table
    awaits=
    go=
    for argument; do # two flags are read here and passed on; --format is for the summary, --go for Go
        shift
        case $awaits,$argument in
            --out,*) out=$argument awaits= ;;
            --resume,*) resume=$argument awaits= ;;
            --format,*) format=$argument awaits= && continue ;;
            ,--out=*) out=${argument#*=} ;;
            ,--resume=*) resume=${argument#*=} ;;
            ,--format=*) format=${argument#*=} && continue ;;
            ,--format) awaits=$argument && continue ;;
            ,--go) [ "$verb" != bench ] || { go=--go && continue; } ;;
            ,--out | ,--resume) awaits=$argument ;;
        esac
        set -- "$@" "$argument"
    done
    [ -z "$awaits" ] || fail "$awaits: needs a value"
    case $format in
        table | json | csv | markdown) ;;
        *) fail "--format $format: no such format: table, json, csv or markdown" ;;
    esac
    if [ -z "$out$resume" ]; then
        out=$runs/$(date -u +%Y-%m-%dT%H-%M-%SZ)$suffix
        set -- --out "$out" "$@"
    fi
    if [ -n "$out" ]; then check_writable "$out"; fi
    run=${resume:-$out}
    ready build
    attended "$build/harness/ampersand-bench" "$program" "$@"
    if grep -q '"looks": \[[0-9]' "$run/manifest.json" 2>/dev/null; then launch_more "$run"; fi
    if [ "$stopped" = TERM ]; then exit 143; fi
    case $status in
        0 | 1 | 130) has_results "$run" || exit "$status" ;;
        *) exit "$status" ;;
    esac
    failed=0
    if [ "$verb" = bench ] && [ "$status" != 130 ]; then measure_go "$run" $go "$@"; fi
    "judge_$verb" "$run" "$format"
    if [ "$status" = 130 ]; then
        say "interrupted: what was finished is in $run; for the rest: $me $verb --resume $run"
    else
        say "everything is in $run: open its report.html, or look into figures/"
    fi
    [ "$status" != 0 ] || status=$failed
    exit "$status"
}

# The same lessons in Go, where they are asked for: by --go, or by a run of everything. What go prints goes into the
# run's folder; without go, or where it fails, the run is what it is in C.
measure_go() { # run, then the arguments of bench
    in_go=$(cd "$1" && pwd)/go
    quick=
    asked=
    filter=
    shift
    before=
    for argument; do
        case $before,$argument in
            --filter,*) filter=$argument ;;
            *,--filter=*) filter=${argument#*=} ;;
            *,--quick) quick=yes ;;
            *,--go) asked=yes ;;
        esac
        before=$argument
    done
    if [ -z "$asked" ]; then
        [ -z "$quick$filter$own" ] && ! grep -qs -e '"--filter' -e '"quick": true' "$run/manifest.json" || return 0
    fi
    [ ! -e "$in_go/bench.txt" ] || return 0
    if ! has go; then
        say "go: not here, so the same lessons in Go are left out; the package is called golang"
        return
    fi
    say "measuring the same lessons in Go"
    if [ -n "$quick" ]; then effort='-benchtime=5ms -count=1'; else effort='-benchtime=20ms -count=6'; fi
    mkdir -p "$in_go"
    # shellcheck disable=SC2086 # one argument each
    if (cd "$root/benchmarks/go" && go version >"$in_go/version.txt" &&
        go test -c -gcflags=-m -o /dev/null . 2>"$in_go/escapes.txt" &&
        AMPERSAND_FILTER=$filter go test -run '^$' -bench . -benchmem $effort . >"$in_go/bench.tmp") </dev/null; then
        mv "$in_go/bench.tmp" "$in_go/bench.txt"
        plots go "$run" --quiet || failed=$?
    else
        say "go: go test failed, for the reason above or in $in_go: the same lessons in Go are left out"
    fi
}

judge_bench() { # run, format; sets $failed
    plots summary "$1" --format "$2" || failed=$?
    if [ "$2" = table ] && [ -e "$1/go/go.json" ]; then plots go "$1" || failed=$?; fi
    plots charts "$1" >/dev/null || failed=$?
    plots report "$1" >/dev/null || failed=$?
}

judge_allocators() { # run, format; sets $failed
    plots allocators "$1" --format "$2" || failed=$?
}

verb_bench() { measure paired bench '' "$@"; }

verb_allocators() { measure allocators allocators -allocators "$@"; }

verb_test() {
    ready build
    attended meson test -C "$build" --print-errorlogs "$@"
    case $stopped in
        INT) exit 130 ;;
        TERM) exit 143 ;;
    esac
    [ "$status" = 0 ] || exit 1 # meson's status is the number of failed tests
}

verb_list() {
    ready build
    [ $# != 0 ] || set -- --questions
    "$build/harness/ampersand-bench" list "$@"
}

verb_ask() {
    ready build
    module ask "$@"
}

verb_doctor() {
    ready build
    plots doctor "$@"
}

# The walk on a growing stack, live; with --bench timed beside other kinds of stack.
verb_stack() {
    bench=
    for argument; do
        shift
        case $argument in
            --bench) bench=yes ;;
            *) set -- "$@" "$argument" ;;
        esac
    done
    ready build
    if [ -n "$bench" ]; then
        plots stack "$@"
    else
        "$build/benchmarks/stack/ampersand-stack" walk "$@"
    fi
}

# Verbs about a run that is there: the folder named, or the newest.
newest_run() {
    newest=
    for manifest in "$runs"/*/manifest.json; do
        [ -e "$manifest" ] || fail "no run in $runs: $me bench makes one"
        if [ -z "$newest" ] || [ -n "$(find "$manifest" -newer "$newest")" ]; then newest=$manifest; fi
    done
    dirname "$newest"
}

verb_of_run() { # verb of plots, arguments
    asked=$1
    shift
    case ${1-} in
        '' | -*)
            run=$(newest_run) || exit
            set -- "$run" "$@"
            ;;
    esac
    ready python
    plots "$asked" "$@"
}

verb_setup() {
    [ $# = 0 ] || fail "setup: takes no argument: $1"
    if [ $installed = yes ]; then
        need compiler
        return
    fi
    need build
    optional=$(extras)
    [ -n "$optional" ] || return 0
    # shellcheck disable=SC2086 # one argument each
    install_packages $optional && return
    for package in $optional; do # a distribution need not have all of them
        install_packages "$package" || say "left out: $package"
    done
}

# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# The verbs. Sourced by ../ampersand.

# Run a Python module of the checkout, `plots` or `ask`. Paths on the command line are relative to the user's folder.
module() { # its name, its arguments
    passed_on=USR1
    AMPERSAND_BUILD=$build attended "$python" "$root/door/module.py" "$@"
    passed_on=TERM
    leave
    return "$status"
}

plots() { module plots "$@"; }

# Check that a run's folder can be made and written, before anything is measured, and leave it as it was.
check_writable() { # folder
    case $1 in
        -*) fail "--out $1: is a flag and no folder; for a folder of that name: --out ./$1" ;;
    esac
    case $1 in /*) folder=$1 ;; *) folder=$PWD/$1 ;; esac
    # The files in it have longer names, and mkdir -p can make folders whose names are too long for everything else.
    [ ${#folder} -le 3900 ] || fail "--out $1: cannot be made: File name too long"
    made=
    folder=$1
    while [ ! -e "$folder" ] && [ ! -L "$folder" ]; do
        made=$folder
        folder=$(dirname "$folder")
    done
    why=
    if ! why=$(LC_ALL=C mkdir -p "$1" 2>&1); then
        why="cannot be made: ${why##*: }"
    elif why=$(LC_ALL=C mktemp "$1/.ampersand.XXXXXX" 2>&1); then # a name that nobody has put there before
        rm -f "$why"
        why=
    else
        why="cannot be written: ${why##*: }"
    fi
    if [ -n "$made" ]; then unmake "$1"; fi
    [ -z "$why" ] || fail "--out $1: $why"
}

unmake() { # folder: it and those above it, down to $made, as far as they are there and empty
    folder=$1
    while :; do
        rmdir "$folder" 2>/dev/null || [ ! -e "$folder" ] || return 0
        [ "$folder" != "$made" ] || return 0
        folder=$(dirname "$folder")
    done
}

# Make a folder for a run without --out, named after the time. It is made here, so that two runs do not share one.
new_run() { # what its name begins and ends with; sets $out
    out=$runs/$1$(date -u +%Y-%m-%dT%H-%M-%SZ)$2
    why=$(LC_ALL=C mkdir -p "$runs" 2>&1) || fail "$runs: cannot be made: ${why##*: }: name another folder by --out"
    n=1
    stem=$out
    until why=$(LC_ALL=C mkdir "$out" 2>&1); do
        [ -e "$out" ] || fail "$out: cannot be made: ${why##*: }: name another folder by --out"
        n=$((n + 1))
        out=$stem-$n
    done
    fresh=$out
}

# Was anything measured? A launch's file appears whole or not at all.
has_results() { [ -n "$(find "$1/launches" -name '*.json' 2>/dev/null | head -n 1)" ]; }

# Run ampersand-bench, or of collectors ampersand-gc. An interruption counts as one even if it comes before the program
# can handle it.
bench_program() { # its arguments; sets $measured
    if [ "$1" = gc ]; then
        shift
        build_go_gc
        attended "$build/harness/collectors/ampersand-gc" ${go_gc:+"--go=$go_gc"} "$@"
    else
        attended "$build/harness/ampersand-bench" "$@"
    fi
    measured=$status
    if [ -n "$stopped" ]; then measured=130; fi
}

# Whether rows of this run may get more launches, by a list in its manifest.
may_have() { # list, run
    [ "$measured" -le 1 ] && grep -q "\"$1\": \[[0-9]" "$2/manifest.json" 2>/dev/null
}

# For a run with --precision: as long as plots names rows that need more launches, launch them. $measured becomes the
# status of the last block, or 1 if a row failed before.
launch_more() { # run
    make_scratch
    worst=$measured
    while [ "$measured" -le 1 ]; do
        plots undecided "$1" >"$scratch/rows" || return 0
        [ -s "$scratch/rows" ] || break
        say "rows that want more launches: $(wc -l <"$scratch/rows")"
        bench_program paired --resume "$1" --rows "$scratch/rows"
        [ "$measured" = 0 ] || worst=$measured
    done
    measured=$worst
}

# Time each side alone again, in the rows of which nobody can tell yet whether their sides disturb each other.
launch_alone() { # run
    make_scratch
    worst=$measured
    plots undecided "$1" --alone >"$scratch/rows" || return 0
    [ -s "$scratch/rows" ] || return 0
    say "rows whose sides are timed alone once more: $(wc -l <"$scratch/rows")"
    bench_program paired --resume "$1" --solo-rows "$scratch/rows"
    [ "$measured" != 0 ] || measured=$worst
}

# Measure pairs or allocator configurations, depending on the verb, into a run folder, then judge it.
measure() { # verb of the program, verb of the door, suffix of the folder's name, flags
    program=$1
    verb=$2
    suffix=$3
    shift 3
    if [ -n "${AMPERSAND_FLAGS-}" ]; then
        say "AMPERSAND_FLAGS: $AMPERSAND_FLAGS"
        set -f
        # shellcheck disable=SC2086 # one argument each
        set -- $AMPERSAND_FLAGS "$@" # before a program
        set +f
    fi
    out=
    resume=
    format=table
    awaits=
    go=
    why=
    wide=
    behind= # a program of the user's, behind --
    refine=
    no_profile=
    no_refine=
    for argument; do # some flags are read here and passed on; --format, --why and --wide are for the summary, --go for
                  # Go, --no-profile for the profiler; --hardened is a filter; --refine builds
        shift
        case $behind$awaits,$argument in
            --,*) ;;
            ,--) behind=-- ;;
            --out,*) out=$argument awaits= ;;
            --resume,*) resume=$argument awaits= ;;
            --format,*) format=$argument awaits= && continue ;;
            --refine,*) refine=$argument awaits= && continue ;;
            ,--out=*) out=${argument#*=} ;;
            ,--resume=*) resume=${argument#*=} ;;
            ,--format=*) format=${argument#*=} && continue ;;
            ,--format) awaits=$argument && continue ;;
            ,--refine=*) [ "$verb" != bench ] || { refine=${argument#*=} && continue; } ;;
            ,--refine) [ "$verb" != bench ] || { awaits=$argument && continue; } ;;
            ,--why) [ "$verb" != bench ] || { why=--why && continue; } ;;
            ,--wide) [ "$verb" != bench ] || { wide=--wide && continue; } ;;
            ,--no-profile) [ "$verb" != bench ] || { no_profile=yes && continue; } ;;
            ,--no-refine) [ "$verb" != bench ] || { no_refine=yes && continue; } ;;
            ,--go) [ "$verb" != bench ] || { go=yes && continue; } ;;
            ,--hardened)
                [ "$verb" != bench ] || argument="--filter=^(pass|factory)(_hardened)?/size=(64|1024|4096)\$"
                ;;
            ,--out | ,--resume) awaits=$argument ;;
        esac
        set -- "$@" "$argument"
    done
    [ -z "$awaits" ] || fail "$awaits: needs a value"
    if [ -n "$behind" ] && [ -f /proc/$$/fd/0 ]; then # what runs in the background gets no input of its own
        set -- --input "$(readlink /proc/$$/fd/0)" "$@"
    fi
    case $verb,$format in
        *,table | *,json | *,csv | *,markdown | gc,trace) ;;
        gc,*) fail "--format $format: no such format: table, json, csv, markdown or trace" ;;
        *) fail "--format $format: no such format: table, json, csv or markdown" ;;
    esac
    case $resume in -*) fail "--resume $resume: is a flag and no run" ;; esac
    if [ -n "$refine" ]; then
        case " $* " in
            *' --resume'* | *' --filter'*)
                fail "--refine $refine: not with --resume or --filter: it says itself which rows"
                ;;
        esac
    fi
    [ -z "$go" ] || has go || fail "--go: go is not here; the package is called golang"
    if [ -n "$out" ]; then
        check_writable "$out"
    elif [ -z "$resume" ]; then
        new_run '' "$suffix"
        set -- --out "$out" "$@"
    fi
    run=${resume:-$out}
    again="$me $verb --resume $run"
    ready build
    parting='ending it; what was finished is kept (a second time: at once)'
    if [ -n "$refine" ]; then
        build_between "$refine" "$build/refined/$(basename "$run")"
        set -- "$@" --filter "$between"
        again="AMPERSAND_LESSONS=$AMPERSAND_LESSONS $again"
    fi
    afterwards="what was finished is in $run; for the rest: $again"
    bench_program "$program" "$@"
    if may_have looks "$run"; then launch_more "$run"; fi
    if may_have solo_looks "$run"; then launch_alone "$run"; fi
    if [ -z "$own$no_refine" ] && may_have looks "$run"; then launch_between "$run"; fi
    parting=
    has_results "$run" || afterwards=
    if [ "$stopped" != INT ]; then leave; fi
    case $measured in
        0 | 1 | 130) has_results "$run" || exit "$measured" ;;
        *) exit "$measured" ;;
    esac
    failed=0
    if [ "$measured" != 130 ] && [ "$verb" = bench ]; then measure_beside "$run" "$no_profile" "$go"; fi
    if [ "$measured" = 130 ]; then
        say "interrupted; judging what was finished (interrupt again to leave that out)"
    else
        afterwards="all that was measured is in $run; to judge it: $again"
    fi
    judge "$run" "$format"
    if [ "$failed" -gt 1 ]; then
        say "$run holds all that was measured, but judging it failed, for the reason above; $again judges it again," \
            "and measures anew what a damaged file held if you delete that file"
    elif [ "$measured" = 130 ]; then
        say "interrupted: $afterwards"
    else
        figures=', or look into figures/'
        [ "$verb" != gc ] || figures=
        say "everything is in $run: open its report.html$figures"
    fi
    [ "$measured" != 0 ] || measured=$failed
    exit "$measured"
}

judge() { # run, format; sets $failed
    if [ "$verb" != bench ]; then
        plots "$verb" "$1" --format "$2" || failed=$?
        return
    fi
    plots summary "$1" --format "$2" --pages ${why:+"$why"} ${wide:+"$wide"} || failed=$?
}

verb_bench() { measure paired bench '' "$@"; }

verb_allocators() { measure allocators allocators -allocators "$@"; }

# meson test prints a page about an unknown flag, "No suitable tests" for one unknown name, and nothing for several;
# and its status may be the number of failed tests.
verb_test() {
    ready build
    value=
    tests=
    for argument; do
        shift
        case $value,$argument in
            ,-C | ,--repeat | ,--wrapper | ,--wrap | ,--suite | ,--no-suite | ,--logbase | ,-j | ,--num-processes | \
                ,-t | ,--timeout-multiplier | ,--setup | ,--test-args | ,--maxfail | ,--max-lines | ,--slice)
                value=yes
                ;;
            ,-*) ;;
            ,*:*) ;;
            ,*)
                [ -n "$tests" ] || tests=$(meson test -C "$build" --no-rebuild --list 2>/dev/null | sed 's/.* \/ //')
                argument=$(test_of "$argument") || exit
                ;;
            *) value= ;;
        esac
        set -- "$@" "$argument"
    done
    case " $* " in *' --list '*) set -- --no-rebuild "$@" ;; esac # or ninja's words stand among the names
    [ $# = 0 ] || hold_to_meson "$@"
    parting='ending the tests that run'
    patiently meson test -C "$build" --print-errorlogs "$@" || exit 1
}

# Refuse words that meson would refuse: ask it which tests they select.
hold_to_meson() {
    make_scratch
    chosen=0
    meson test -C "$build" --no-rebuild --list "$@" >"$scratch/log" 2>&1 </dev/null || chosen=$?
    if grep -q '^No suitable tests' "$scratch/log"; then
        fail "test: no test has all of this: $*; $me test --list lists all"
    fi
    [ $chosen != 0 ] || return 0
    why=$(sed -n '$s/^meson.*: error: //; $s/^ERROR: //; $p' "$scratch/log")
    case $why in
        'unrecognized arguments: '*)
            flag=${why#*: }
            flag=${flag%%[ =]*}
            all=$(meson test --help | sed 's/[],]/ /g; s/ /\n/g' | grep '^\[*--[a-z]' | sed 's/^\[//')
            fail "test: $flag: no such flag; $(or_nearest "$flag" "$all" ', and ' 'meson test --help lists all')"
            ;;
    esac
    fail "test: $why"
}

test_of() { # a name, with .py or without; prints the test's
    for each in $tests; do
        case $each in "$1" | "$1.py") echo "$each" && return ;; esac
    done
    fail "test: $1: no such test: $(or_nearest "$1" "$tests" '; ' "$me test --list lists all")"
}

verb_list() {
    ready build
    [ $# != 0 ] || set -- --questions
    "$build/harness/ampersand-bench" list "$@"
}

verb_check_budgets() {
    ready build
    "$build/harness/ampersand-bench" check-budgets "$@"
}

verb_ask() {
    ready build
    module ask "$@"
}

verb_record() {
    ready build
    clear_up
    unset AMPERSAND_HELD AMPERSAND_DOOR
    exec "$build/harness/record/ampersand-record" "$@" 9>&-
}

verb_merge() {
    ready python
    plots merge "$@"
}

verb_doctor() {
    ready build
    plots doctor "$@"
}

# A value that begins with a dash belongs to its flag.
plots_with_flags() { # verb, its arguments
    asked=$1
    shift
    before=
    for argument; do
        shift
        case $before in
            --cflags | --base-cflags | --head-cflags | --link) set -- "$@" "$before=$argument" && before= && continue ;;
        esac
        case $argument in
            --cflags | --base-cflags | --head-cflags | --link) ;;
            *) set -- "$@" "$argument" ;;
        esac
        before=$argument
    done
    case $before in --cflags | --base-cflags | --head-cflags | --link) set -- "$@" "$before" ;; esac
    ready build
    plots "$asked" "$@"
}

verb_escape() { plots_with_flags escape "$@"; }

verb_ab() { plots_with_flags ab "$@"; }

verb_compare() {
    ready python
    plots compare "$@"
}

# Show a walk on a growing stack, live; with --bench, time it beside other kinds of stack.
verb_stack() {
    bench=
    for argument; do
        shift
        case $argument in
            --bench) bench=yes ;;
            *) set -- "$@" "$argument" ;;
        esac
    done
    if [ -z "$bench" ]; then
        ready build
        "$build/benchmarks/stack/ampersand-stack" walk "$@"
        return
    fi
    case " $* " in
        *' --out'[\ =]* | *' --from'[\ =]*) ;;
        *)
            new_run stack- ''
            set -- --out "$out" "$@"
            ;;
    esac
    ready build
    plots stack "$@"
}

# Verbs about an existing run: the named folder, or the newest one.
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
    rm -f "$note" # the build looks again for what is optional
    # shellcheck disable=SC2086 # one argument each
    install_packages $optional && return
    for package in $optional; do # a distribution need not have all of them
        install_packages "$package" || say "left out: $package"
    done
}

# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# What a run of pairs has besides its times: lessons for sizes between, what the sides execute, which lines allocate,
# the same lessons in Go.
# Sourced by ../ampersand.

# Build lessons for sizes between those at which a run's winner changes; they take the place of all others.
build_between() { # run, folder for the modules; sets $between, the filter of its rows
    make_scratch
    plots refine "$1" --into "$2" ${CC:+--cc "$CC"} >"$scratch/between" || exit
    IFS= read -r between <"$scratch/between"
    export AMPERSAND_LESSONS="$2"
    own=yes
}

# Measure sizes within the widest brackets of a run, as a run within its folder; nothing where there are none. What
# happens to it does not change how the run ended, unless it is interrupted.
launch_between() { # run
    worst=$measured
    lessons=${AMPERSAND_LESSONS-}
    modules=${1%/}
    modules=$build/refined/${modules##*/}-between
    set -- "$1" "$1/between"
    if [ -e "$2/manifest.json" ]; then
        [ -d "$modules" ] || return 0
        set -- --resume "$2"
    else
        make_scratch
        plots refine "$1" --brief --into "$modules" ${CC:+--cc "$CC"} >"$scratch/between" || return 0
        IFS= read -r between <"$scratch/between" || return 0
        set -- --out "$2" --filter "$between" --launches 16 --counts-launches 0 --solo-launches 0
    fi
    say 'measuring sizes between those at which the winner changes'
    export AMPERSAND_LESSONS="$modules"
    bench_program paired "$@"
    if [ -n "$lessons" ]; then AMPERSAND_LESSONS=$lessons; else unset AMPERSAND_LESSONS; fi
    [ "$measured" = 130 ] || measured=$worst
}

# The options of a run, whether this command begins or continues it.
asked_of() { # run; sets $quick to yes or nothing, and $filter
    make_scratch
    "$python" -c 'import json, sys
manifest = json.load(open(sys.argv[1], encoding="utf-8"))
words, values = manifest["command"], [""]
values += [word.removeprefix("--filter=") for word in words if word.startswith("--filter=")]
values += [value for flag, value in zip(words, words[1:]) if flag == "--filter"]
quick = "yes" if manifest["quick"] else ""
sys.stdout.buffer.write(f"{quick}\n{values[-1]}\n".encode())' \
        "$1/manifest.json" >"$scratch/asked"
    { IFS= read -r quick && IFS= read -r filter; } <"$scratch/asked"
}

# What the sides execute, and which of their lines allocate. A run in which that fails is judged without.
measure_beside() { # run, yes for no profile, yes where --go asked for Go; sets $measured to 130 if interrupted
    attended "$build/harness/ampersand-bench" counters "$1"
    if [ -z "$stopped$2" ]; then attended "$build/harness/profile/ampersand-profile" --rows "$1"; fi
    if [ -z "$stopped" ]; then
        measure_go "$1" "$3"
        return
    fi
    [ "$stopped" = INT ] || leave
    measured=130
}

# Measure the same lessons in Go, if --go asks for them or the run measures everything. The output of go goes into the
# run's folder. Without go, or if it fails, the run has only C.
measure_go() { # run, and yes where --go asked for them
    in_go=$(cd "$1" && pwd)/go
    [ ! -e "$in_go/bench.txt" ] || return 0
    asked_of "$1"
    [ -n "$2" ] || [ -z "$quick$filter$own" ] || return 0
    if ! has go; then
        say "go: not here, so the same lessons in Go are left out; the package is called golang"
        return
    fi
    say "measuring the same lessons in Go"
    effort='-test.benchtime=20ms -test.count=6'
    if [ -n "$quick" ]; then effort='-test.benchtime=5ms -test.count=1'; fi
    mkdir -p "$in_go"
    # Each in a process of its own, which a signal to the door reaches.
    # shellcheck disable=SC2086 # one argument each
    if patiently go_program go version >"$in_go/version.txt" &&
        patiently go_program go test -c -gcflags=-m -o "$in_go/go.test" . 2>"$in_go/escapes.txt" &&
        AMPERSAND_FILTER=$filter patiently go_program "$in_go/go.test" -test.run '^$' -test.bench . -test.benchmem \
            $effort >"$in_go/bench.tmp"; then
        mv "$in_go/bench.tmp" "$in_go/bench.txt"
        rm -f "$in_go/go.test"
        plots go "$run" --quiet || failed=$?
    else
        rm -f "$in_go/go.test"
        say "go: go test failed, for the reason above or in $in_go: the same lessons in Go are left out"
        [ -z "$2" ] || failed=1
    fi
}

go_program() { # command
    cd "$root/benchmarks/go" && exec "$@" </dev/null
}

# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# The verb `gc`: run workloads under collectors, then judge the run. Sourced by ../ampersand.

verb_gc() { measure gc gc -gc "$@"; }

# The same workloads in Go, built anew for each run: it takes a second, and nothing of it is installed. Sets $go_gc, or
# leaves it empty where there is no go.
build_go_gc() {
    go_gc=
    has go || return 0
    make_scratch
    if quietly go_gc_program -o "$scratch/ampersand-gc-go"; then
        go_gc=$scratch/ampersand-gc-go
    else
        say "go: go build failed, for the reason above: Go's collector is left out"
    fi
}

go_gc_program() { # flags of go build
    cd "$root/benchmarks/go/gc" && exec go build -trimpath -buildvcs=false "$@" .
}

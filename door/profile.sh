# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# The verb profile. Sourced by ../ampersand.

# The file that -o names, if a row is profiled and no program: no -- stands there.
file_of_row() {
    named=
    while [ $# -gt 0 ]; do
        case $1 in
            --) return ;;
            -o | --every | --format | --sample)
                [ "$1" != -o ] || named=${2-}
                [ $# = 1 ] || shift
                ;;
            -o*) named=${1#-o} ;;
        esac
        shift
    done
    printf %s "$named"
}

# Behind -- stands a program, which gets what the door got: its input, its terminal, its signals.
verb_profile() {
    ready build
    file=$(file_of_row "$@")
    if [ -n "$file" ]; then
        "$build/harness/profile/ampersand-profile" "$@" 9>&- || return
        last=${file##*/} # the name before the first dot, and the rest
        stem=${file%"$last"}${last%%.*}
        plots flame "$stem-diff${file#"$stem"}" "$stem-diff.svg" --per 1000
        return
    fi
    clear_up
    unset AMPERSAND_HELD AMPERSAND_DOOR
    exec "$build/harness/profile/ampersand-profile" "$@" 9>&-
}

# Called for each file of a build: once it is there, it is not looked after what it was made from.
verb_cc() {
    compiler=$build/harness/profile/copies/ampersand-cc
    [ -x "$compiler" ] || ready build
    clear_up
    unset AMPERSAND_HELD AMPERSAND_DOOR
    exec "$compiler" "$@" 9>&-
}

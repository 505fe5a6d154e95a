# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# Run commands so that a signal to the door reaches them. Sourced by ../ampersand.

# A command runs in the background while the door waits, so that a signal to the door ends it at once. A second signal
# kills the command, and the door ends.
# Only for commands that end at SIGTERM: a background command of sh ignores SIGINT.
status=0       # of the last command
stopped=       # the first signal that came
signals=0      # how many came
parting=       # what is said at the first
afterwards=    # what is said before the door ends by one
child=
passed_on=TERM # how the child is told of an INT

stop() { # signal
    signals=$((signals + 1))
    if [ -n "$stopped" ]; then
        kill -KILL "$child" 2>/dev/null || :
        leave
    fi
    stopped=$1
    [ -z "$parting" ] || say "$parting"
    tell
}

tell() {
    told=TERM
    if [ "$stopped" = INT ]; then told=$passed_on; fi
    kill -"$told" "$child" 2>/dev/null || :
}

leave() { # if a signal came, by the status that names it
    [ -n "$stopped" ] || return 0
    [ -z "$afterwards" ] || say "$afterwards"
    case $stopped in
        INT) exit 130 ;;
        TERM) exit 143 ;;
        QUIT) exit 131 ;;
        HUP) exit 129 ;;
    esac
}

untrapped() {
    trap 'exit 130' INT
    trap 'exit 143' TERM
    trap 'exit 131' QUIT
    trap 'exit 129' HUP
}

attended() { # command; sets $status, and $stopped if a signal came
    stopped=
    child=
    for signal in INT TERM QUIT HUP; do
        # shellcheck disable=SC2064 # the name that it has now
        trap "stop $signal" "$signal"
    done
    "$@" &
    child=$!
    if [ -n "$stopped" ]; then tell; fi # it came before there was a child
    status=
    while :; do
        before=$signals
        ended=0
        wait "$child" || ended=$?
        if [ "$ended" != 127 ] || [ -z "$status" ]; then status=$ended; fi # 127: it was waited for already
        [ "$signals" != "$before" ] || break # else it was a signal that ended `wait`, not the command
    done
    untrapped
}

patiently() { # command: the door ends with it where a signal came
    attended "$@"
    leave
    return "$status"
}

make_scratch() {
    [ -n "$scratch" ] || scratch=$(mktemp -d 2>/dev/null) ||
        fail "${TMPDIR:-/tmp}: no folder for temporary files can be made: set TMPDIR to one that can be written"
}

# Show a command's output only if it fails.
quietly() { # command
    make_scratch
    if patiently into_log "$@"; then return; fi
    grep -v '^\[[0-9]*/[0-9]*\]' "$scratch/log" >&2 || : # less ninja's lines of progress
    return 1
}

into_log() { "$@" >"$scratch/log" 2>&1 </dev/null; }

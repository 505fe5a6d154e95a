# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# The verb trace. Sourced by ../ampersand.

# Behind -- stands a program, which gets what the door got: its input, its terminal, its signals.
verb_trace() {
    ready build
    clear_up
    unset AMPERSAND_HELD AMPERSAND_DOOR
    exec "$build/harness/timeline/ampersand-trace" "$@" 9>&-
}

usage_of_trace() {
    cat <<'END'
Usage: ./ampersand trace [flags] -- PROGRAM ARGUMENTS                      default
       ./ampersand trace [flags] ROW          a quick run of a row, as in factory/size=64
       ./ampersand trace [flags] --from DIR   a recording that --keep kept

  -o FILE            FILE.html is a page that any browser shows, FILE.pftrace none: only the
                     is for Perfetto, FILE.json for Perfetto and speedscope;  report
                     the last two also with .gz; may be repeated
  --window T         write the last so much only: 10s, 5m; or what lies       all that is kept
                     between two times since the first event: 2s..2.5s
  --window SIZE      keep so much of each process: 64M is 4 million events    64M
  --alloc-above SIZE also each allocation and free from SIZE on, by which     none
                     calls, and what lives on the heap
  --functions        calls of functions, by uftrace, instead of marks: of a   marks
                     PROGRAM that was compiled with -pg
  --page-events N    how many events FILE.html holds: the last ones, and      16000000
                     the long slices of the time before
  --keep DIR         keep the recording there, also if this is killed         a temporary place
  --format F         the report as table or json                              table

Records when threads start, end and wait, and the marks of the program: AMP_TRACE("name"), AMP_TRACE_BEGIN("name") and
AMP_TRACE_END("name") of ampersand/harness/marks.h, which cost a load and a branch when nobody records. Of the lessons,
growable stacks and the collector it shows launches, blocks, sides, growths and cycles. When the ring is full, the
oldest events make room. What was recorded is kept however the program ends. The report goes to stderr, since stdout is
the program's; so is the exit status (128 plus a signal that ended it). SIGUSR2 to this process writes the files now.
Exit status 2 also: the program cannot be traced, for the reason that is printed.
END
}

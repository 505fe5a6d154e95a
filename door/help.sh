# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# Help, and the verb that was meant. Sourced by ../ampersand.

verbs='bench ask allocators test list report charts compare check stack doctor setup help'
if [ $installed = yes ]; then verbs='bench ask allocators list report charts compare check stack doctor setup help'; fi

# Help, as it is true of the checkout or of what is installed.
told() {
    if [ $installed = no ]; then
        cat
        return
    fi
    sed -e 's|\./ampersand|ampersand|g' -e 's|results/runs|ampersand-runs|' -e '/^  test  /d' \
        -e 's|^  setup .*|  setup           install what is missing from the distribution|' \
        -e 's|^What is missing is inst.*|What is missing is named; ampersand setup installs it.|' \
        -e 's|^AMPERSAND_BUILD [^.]*\. ||'
}

usage() {
    cat <<'END'
Usage: ./ampersand VERB [flags]

  bench           measure every pair, print the summary, write charts and report
  ask HEADER TYPE value or pointer, for a type of your own
  allocators      compare allocator configurations: time, memory, faults, and proof that each was in force
  test            run the tests
  list            the pairs, and the question that each answers
  report [RUN]    write the report of a run again, one page to read in a browser
  charts [RUN]    draw the charts of a run again
  compare A B     what changed from run A to run B
  check [RUN]     hold a run's files against their schemas
  stack           a stack that grows by moving: a walk on it, live; --bench times it beside others
  doctor          what this machine does to measurements, and how true they are here
  setup           install all that can be used, optional tools too
  help [VERB]     this, or the flags of a verb

What is missing is installed from the distribution first, as root or through sudo; then everything is built.
RUN is a run's folder, the newest in results/runs unless named; AMPERSAND_RUNS names another folder for runs.
AMPERSAND_BUILD names another build folder than build. AMPERSAND_FLAGS holds more flags of bench and allocators.
Exit status: 0 done; 1 some row or test failed; 2 wrong use, or the environment cannot do it; 130 interrupted.
END
}

usage_of() { # verb
    case $1 in
        bench) cat <<'END' ;;
Usage: ./ampersand bench [flags]                                           default (quick)

  --quick                ratios and spreads without verdicts, in minutes
  --filter REGEX         only rows like this, as in 'pass/size=64'         every row
  --out DIR              the run's folder                                  results/runs/<date and time, UTC>
  --resume RUN           do what a run has left to do; takes no other flag but --format and --go
  --format F             of the summary: table, json, csv or markdown      table
  --go                   the same lessons in Go, too; a run of everything  where go is
                         without --quick has them anyhow
  --launches N           fresh processes that time a row                   21 (2)
  --counts-launches N    fresh processes that count its allocations        2 (1)
  --solo-launches N      fresh processes that time each side alone         13 (1)
  --precision P          more launches of rows that are undecided, until   none
                         they are known within P, as in 0.5%
  --budget T             time for these: 90s, 10m, 1h                      10m
  --seed N               where all random choices come from                drawn and printed
  --layout K             one placement of the functions only               the whole design
  --epoch-us N           length of an epoch of one side                    50
  --rounds N             rounds between changes of layout, even            6 (4)
  --no-wait              do not wait for a quiet core before what is       waits
                         timed
  --timeout S            seconds that a process may take                   60
  --memory-limit SIZE    memory that a process may take                    8G

Time is ns an operation. A ratio is pointer/value: above 1 the value side is the faster one.
END
        ask) cat <<'END' ;;
Usage: ./ampersand ask HEADER TYPE [flags]                    as in ./ampersand ask order.h 'struct order'

  HEADER             a file, or what the compiler finds between < and >, as in '<sys/stat.h>' or sys/stat.h
  TYPE               a type of which HEADER says all: struct, union, typedef
  -I DIR, -D X       where the compiler looks, and what is defined, as in its own flags; may be repeated
  --cc CC            the compiler                                       $CC, or cc
  --cflags FLAGS     its flags, behind -O2, in one word: '-O3 -march=native'   $CFLAGS
  --json             the answer as JSON
  --facts            only what is known of the type without measuring: size, padding, registers, notes
  --launches N       fresh processes that time each question            20
  --seed N           where all random choices come from                 drawn and printed

Prints size, padding and how the type is passed and returned, then what passing, returning, changing, storing, sending
and boxing it costs by value and by pointer, in less than half a minute, and what follows from that. `pass` is about an
object that lies in memory already, `made` about one that the caller has just filled. Exit status 2: it cannot be asked
about, for the reason that is printed.

A ratio is pointer/value: above 1 the value side is the faster one. Its interval says where it lies, over fresh processes;
its spread goes from the 10th to the 90th percentile of the layouts, the places at which the linker may put the code.

  value faster       the interval lies beyond 0.2 %, and at most one layout in ten says the opposite
  leans value        the interval lies beyond 0.2 %, but more layouts than that say the opposite
  equal (0.4 %)      interval and spread both lie within the percentage
  placement decides  where the code stands matters more than which side it is
  undecided          none of these yet: measure more, by --launches
  (pointer faster, leans pointer: likewise)

CC and CFLAGS of the environment are those of your type; ampersand itself is not built anew for them.
END
        allocators) cat <<'END' ;;
Usage: ./ampersand allocators [flags]                                      default (quick)

  --quick                a first look in minutes, without verdicts
  --config WORD          a configuration, again for each:                  all of benchmarks/allocators
                           jemalloc-tcache-off           one that is shipped
                           my.conf, ./libmyalloc.so      a file of settings, a library
                           jemalloc:narenas:1,tcache:false
                           glibc:glibc.malloc.arena_max=1
                           mimalloc:MIMALLOC_EAGER_COMMIT=0
  --workload REGEX       only workloads like this, as in 'churn|threads'   every workload
  --baseline NAME        the configuration that all are divided by         jemalloc
  --out DIR              the run's folder                                  results/runs/<date and time, UTC>-allocators
  --resume RUN           do what a run has left to do; takes no other flag but --format
  --format F             of the summary: table, json, csv or markdown      table
  --launches N           fresh processes for each configuration and        13 (2)
                         workload
  --timelines N          processes that show memory over time              8 (1)
  --seed N               where all random choices come from                drawn and printed
  --no-wait              do not wait for a quiet core before what is       waits
                         timed, nor time again what was disturbed
  --timeout S            seconds that a process may take                   20
  --memory-limit SIZE    memory that a process may take                    8G

Each configuration is first held to what was asked of it; one that is not in force is said to be so and not measured.
A ratio is configuration/baseline: above 1 it is slower, or takes more, than the baseline.
END
        list) cat <<'END' ;;
Usage: ./ampersand list [--filter REGEX] [--questions]

Every pair with its question; with --filter the rows that match, one pair at one size each.
END
        test) cat <<'END' ;;
Usage: ./ampersand test [names or flags of `meson test`]

  --list             the tests' names
  --suite NAME       `program` (of this build folder) or `source` (the same in each)
  --verbose          what each test prints

Tests in C (cmocka) and in Python (pytest). None compares two timings.
END
        report | charts | check) echo "Usage: ./ampersand $1 [RUN]" ;;
        compare) cat <<'END' ;;
Usage: ./ampersand compare RUN_A RUN_B [flags]

  --across                     compare although machine, build or configuration differ
  --fail-on-change [PERCENT]   exit 3 if something changed by more than that
  --format F                   table, json, markdown or csv                table
  --all                        also what moved no further than the machine did
END
        stack) cat <<'END' ;;
Usage: ./ampersand stack [flags]                                           default

  --size N           elements of the array that each call takes            1024
  --depth N          calls, to 1024                                        10
  --pointer          take the array by pointer                             by value
  --start SIZE       size to start with, a power of two: 2K, 64K           2K
  --limit SIZE       and to grow to at most                                1G
  --policy P         go: doubled until a frame and 928 B fit; x4, x8, x16; go
                     force: moved at every call; probe: never

       ./ampersand stack --bench [flags]

  --launches N       fresh processes of each program                       15
  --rounds N         rounds of 50 us in each                               100
  --out DIR          where results and figures go                          results/runs/stack-<date and time, UTC>
  --from DIR         measure nothing: judge and draw what is there
  --format F         table or json                                         table

Beside the growable stack: the thread's own, gcc's segments where the compiler has them, Go's where `go` is there.
END
        doctor) cat <<'END' ;;
Usage: ./ampersand doctor [--facts] [--busy] [--launches N] [--designs N] [--format table|json]

  --facts            only the facts; measure nothing
  --busy             measure again with a busy loop on every CPU
  --launches N       launches of each method                               40
  --designs N        how often the null pair is linked anew                20
  --seed N           draws these links                                     drawn and printed
END
        *) usage ;;
    esac
}

version() {
    if [ $installed = yes ]; then
        sed -n 's/^version=/ampersand /p' "$root/installed"
    else
        sed -n "s/^ *version : '\(.*\)',/ampersand \1/p" "$root/meson.build"
    fi
}

# Print all or fail: a full disk and a closed stdout are told, a reader that has seen enough is not.
show() { # command that prints
    shown=$("$@" | told)
    printf '%s\n' "$shown" 2>/dev/null || fail 'stdout: cannot be written'
}

known() { # verb
    case $1 in '' | *' '*) return 1 ;; esac
    case " $verbs " in *" $1 "*) ;; *) return 1 ;; esac
}

# --help may stand behind other flags, but not where it is a flag's value, as in --cflags --help.
asks_for_help() { # arguments
    before=
    for argument; do
        case $before,$argument in
            --cflags,* | --cc,* | --out,* | --filter,* | --test-args,* | --wrapper,*) ;;
            *,-h | *,--help) return 0 ;;
        esac
        before=$argument
    done
    return 1
}

# The word of a list that begins so, else the one with the fewest letters changed, added or left out (Levenshtein).
nearest() { # word, list
    word=$1 list=$2 awk '
        function least(a, b, c) { return a < b ? (a < c ? a : c) : (b < c ? b : c) }
        function distance(s, t,    i, j, d) {
            for (i = 0; i <= length(s); i++) d[i, 0] = i
            for (j = 0; j <= length(t); j++) d[0, j] = j
            for (i = 1; i <= length(s); i++)
                for (j = 1; j <= length(t); j++)
                    d[i, j] = least(d[i - 1, j] + 1, d[i, j - 1] + 1,
                                    d[i - 1, j - 1] + (substr(s, i, 1) != substr(t, j, 1)))
            return d[length(s), length(t)]
        }
        BEGIN {
            n = split(ENVIRON["list"], words, /[ \n]+/)
            for (i = 1; i <= n; i++) {
                d = index(words[i], ENVIRON["word"]) == 1 ? 0 : distance(ENVIRON["word"], words[i])
                if (i == 1 || d < fewest) { fewest = d; nearest = words[i] }
            }
            print nearest
        }'
}

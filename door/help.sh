# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# Help texts. Sourced by ../ampersand.

verbs='bench ask ab escape profile trace cc record allocators test list report charts compare check check-budgets merge'
verbs="$verbs stack gc doctor setup help"
if [ $installed = yes ]; then verbs="${verbs%% test *} ${verbs#* test }"; fi # there are no tests

# Pass a help text on; where ampersand is installed, with the names and folders that hold there.
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

  bench           measure every pair, print the summary, draw charts, write a report
  ask HEADER TYPE value or pointer, for a type of yours
  ab --base REF   is a change to your own code slower? two commits, folders, flags or compilers side by side
  escape WHAT     where each object of a C program lives, and why: a file, a folder, a compile_commands.json
  profile         which lines of a program allocate, take CPU time, or copy structs
  trace           a time line of a program, or of a row while it is measured
  cc              compile with clang or gcc, and note where structs are copied, for profile --copies
  record          record what a program allocates, for allocators to replay
  allocators      compare allocator settings: time, memory, page faults, with proof that each setting is in force;
                  allocators -- PROGRAM compares them for a program of yours
  test            run the tests
  list            print the pairs, and the question that each one answers
  report [RUN]    write the report of a run again, one page to read in a browser
  charts [RUN]    draw the charts of a run again
  compare A B     print what changed from run A to run B
  merge RUN ...   print the verdicts of several machines, or of the shards of one run, in one table
  check [RUN]     check a run's files against their schemas
  check-budgets   check that no side of a pair takes more than its AMP_BUDGET() allows
  stack           show a stack that grows by moving, live; --bench times it beside other kinds of stack
  gc              what garbage collection costs: ampersand's own collector, Boehm's and Go's, side by side
  doctor          print what harms measurements on this machine, and measure how accurate they are
  setup           install everything that can be used, optional tools too
  help [VERB]     print this, or the flags of a verb

What is missing is installed from the distribution first, as root or through sudo; then everything is built.
RUN is a run's folder: by default the newest in results/runs. AMPERSAND_RUNS names another folder for runs.
AMPERSAND_BUILD names another build folder. AMPERSAND_FLAGS holds more flags of bench and allocators.
Exit status: 0 done; 1 a row or a test failed; 2 wrong use, or the environment cannot do it; 3 compare
--fail-on-change found a change, ab --fail-on a slower kernel, or check-budgets a breach; 130 interrupted.
END
}

usage_of() { # verb
    case $1 in
        bench) cat <<'END' ;;
Usage: ./ampersand bench [flags]                                           default (quick)

  --quick                ratios and spreads without verdicts, in minutes
  --filter REGEX         only rows whose names match, as 'pass/size=64'    every row
  --shard K/N            every Nth pair, from the Kth; with --seed, which  every pair
                         all shards of one run share
  --hardened             only pass and factory, plain and compiled as
                         distributions do: what does hardening cost?
  --refine RUN           only pairs whose winner changed somewhere between
                         two sizes of RUN that are far apart: builds and
                         measures sizes between them
  --out DIR              the run's folder                                  results/runs/<date and time, UTC>
  --resume RUN           do what an interrupted run has left to do;
                         only --format, --wide, --why, --go,
                         --no-profile and --no-refine may stand beside it
  --format F             the summary as table, json, csv or markdown       table
  --wide                 all columns of the table: bytes, allocations,     what fits 100
                         stack, the spread over layouts                    columns, or the
                                                                           terminal
  --why                  print the instructions, loads, stores, branches
                         and misses of both sides, too; the report always
                         has them
  --go                   measure the same lessons in Go, too; without      a full run, if
                         --filter and --quick this is the default          go is installed
  --no-profile           do not record which lines allocate                records them
  --no-refine            a full run measures no sizes between those        measures some
                         at which a winner changes
  --launches N           processes that time a row                         16 (2)
  --counts-launches N    processes that count its allocations              2 (1)
  --solo-launches N      processes that time each side alone               6 or 15 (1)
  --precision P          launch undecided rows again, until they are       0.5% (off)
                         known within P; off with --launches
  --budget T             with --precision: time for that, 90s, 10m, 1h     3m; 10m if P is given
  --seed N               the seed of all random choices                    drawn and printed
  --layout K             one placement of the functions only               all of them
  --epoch-us N           microseconds of one timing of one side            50
  --rounds N             timings of each side at one layout, even          6 (4)
  --no-wait              do not wait for a quiet core before a launch      waits
  --timeout S            seconds that a process may take                   60
  --memory-limit SIZE    memory that a process may take                    8G

Times are nanoseconds per operation. A ratio is pointer/value: above 1 the value side is faster.
END
        ask) cat <<'END'
Usage: ./ampersand ask HEADER TYPE [flags]                    as in ./ampersand ask order.h 'struct order'
       ./ampersand ask HEADER --functions [flags]

  HEADER             a file, or a header that the compiler finds: '<sys/stat.h>' or sys/stat.h
  TYPE               a struct, union or typedef that HEADER defines; of C++ a class: 'std::vector<int>'
  --functions        what every function of HEADER takes and returns by value, and what that costs
  -I DIR, -D X       as for the compiler: where it looks for headers, and what it defines; may be repeated
  --cc CC            the compiler                     $CC, or cc; of C++ $CXX, or c++
  --cflags FLAGS     its flags after -O2, in one word: '-O3 -march=native'     $CFLAGS; of C++ $CXXFLAGS
  --json             print the answer as JSON
  --facts            print only what is known without measuring: size, padding, registers, notes
  --launches N       processes that time each question                  13
  --seed N           the seed of all random choices                     drawn and printed

For C++ (docs/cpp.md), which is assumed of .hpp, .hh, .cc and of headers without a suffix, such as `string`:
  --c++, -x c++      take a .h for C++; -x c takes any header for C
  --make EXPRESSION  makes the object: 'std::string(40, 0)'             the default constructor
  --link FILE        defines what HEADER only declares: a source, an object, a library; may be repeated

To ask about one function that the object is passed to, instead of all the usual ones, say what the function does:
  --reads N          it reads N members, or all                         2
  --writes           it changes a copy of its own                       changes nothing
  --alias            it writes elsewhere between its reads              does not
  --depth N          it is the last of N calls that hand the object on  1

Prints size, padding, and how the type is passed and returned. Then measures what it costs to pass, return, change,
store, send and box it by value and by pointer, and prints advice with reasons, all in about half a minute. In the
question `made` the caller has just filled the object; in the other questions about passing it lies in memory already.
Exit status 2: the type cannot be measured, for the reason that is printed.

A ratio is pointer/value: above 1 the value side is faster. The interval says where the ratio lies, over processes. The
spread says how much it depends on where the linker puts the code: the 10th to the 90th percentile of the layouts.

END
            sed -e 's/{least}/0.2 %/' -e 's/^/  /' "$root/plots/words/rules/verdicts.txt"
            cat <<'END' ;;

`faster` and `leans` stand with the name of a side: value faster, leans pointer.
CC and CFLAGS in the environment hold for your type only: ampersand itself is not rebuilt.
END
        ab) cat <<'END' ;;
Usage: ./ampersand ab --base REF [--head REF] [flags]         as in ./ampersand ab --base main --fail-on 2%

  --base REF         the version to compare with: a commit or a folder
  --head REF         the new version                                      the checkout as it is
  --head-cflags F, --base-cflags F, --head-cc CC, --base-cc CC
                     other flags or another compiler for one side; then
                     both may be the same version
  --kernels FILE     your kernels, AMP_KERNEL(...); may be repeated
  --build COMMAND    makes the code, in a checkout of each side, with
                     CC and CFLAGS in its environment
  --link FILE        an object or a static library that the build makes,
                     or a word for the linker such as -lm; repeat it
  --source PATTERN   files to compile where there is no build             *.c
  --include DIR      where headers are, in the checkout                   .
  --cc CC, --cflags FLAGS                                                 $CC or cc; $CFLAGS or -O2
  --config FILE      all of this as a file, in its table [ab]             ampersand.toml
  --filter REGEX     only kernels whose names match                       all
  --fail-on PERCENT  exit with 3 if one is slower by more, for certain    never
  --exact            only count allocations, bytes and instructions: in
                     seconds, the same each time
  --bisect GOOD BAD KERNEL
                     which commit made it slower
  --results-differ   time kernels whose checksums differ, too             these are refused
  --time-same        also time kernels whose code is the same: what they
                     then differ by is the error of the method            leaves them out
  --format F         table, markdown, json or sarif                       table
  --all              print the table even if nothing is slower            one line
  --budget T         time for each kernel: 30s, 5m                        60s
  --layouts N        placements of the functions: 16, 64 or 256           64
  --seed N           the seed of all random choices                       drawn
  --out DIR          keep what was measured there                         in a temporary place
  --no-wait          do not wait for a quiet core                         waits
  --rebuild          build and count anew what was built before and       takes it from
                     did not change                                       ~/.cache/ampersand

Exit status: 3 a kernel is slower than --fail-on allows; 1 a kernel could not be measured; 2 wrong use, or a side cannot
be built, for the reason that is printed.
END
        escape) cat <<'END' ;;
Usage: ./ampersand escape WHAT [flags]                        as in ./ampersand escape build/compile_commands.json
       ./ampersand escape --make COMMAND [flags]                          as in --make 'make -j2': record a build

  WHAT               a C file, a folder of them, a compile_commands.json, or bitcode (.bc)
  --cflags FLAGS     flags for clang, in one word: '-I include -DNDEBUG'
  -m                 print a line for every allocation, as `go build -gcflags -m` does
  -m=2               print every step of every reason, too
  --function REGEX   only what functions make whose names match
  --closed           assume that calls through pointers reach only functions in WHAT, even if WHAT is not all of the
                     program
  --lessons RUN      a run of ./ampersand bench on this machine: what each
                     object in the frame would save
  --profile FILE     of ./ampersand profile -o FILE: how often each line allocated; what saves most comes first
  --run COMMAND      the same, from a run of the program now
  --fix              print a patch that puts objects into the frame; each change of it compiles
  --check COMMAND    with --fix: 'make test' must pass with it, in a copy of this folder, under AddressSanitizer
  --write            with --fix: change the files
  --baseline FILE    known findings, as --format json printed them earlier
  --fail-on new      exit status 3 if there is a finding that is not in --baseline FILE
  --out DIR          write escape.html, escape.json and the patch there
  --format F         table, json, sarif or lsp                            table

Says which allocations could live in the frame, which must be on the heap and through which steps, and which locals'
addresses outlive their frame. Needs clang and LLVM. Exit status 1: some files did not compile, and were left out.
END
        allocators) cat <<'END' ;;
Usage: ./ampersand allocators [flags]                                      default (quick)
       ./ampersand allocators [flags] -- PROGRAM ARGUMENTS                 a program of yours in the place of workloads

  --quick                a first look in minutes, without verdicts
  --config WORD          a configuration; repeat it for several:           all of benchmarks/allocators
                           jemalloc-tcache-off           one that comes with ampersand
                           my.conf, ./libmyalloc.so      a file of settings, a library
                           jemalloc:narenas:1,tcache:false
                           glibc:glibc.malloc.arena_max=1
                           mimalloc:MIMALLOC_EAGER_COMMIT=0
  --workload REGEX       only workloads that match, as 'churn|trace'       every workload
  --trace FILE           one more workload: what a program did, as         none
                           ./ampersand record wrote it
  --baseline NAME        the configuration that all others are divided by  jemalloc
  --out DIR              the run's folder                                  results/runs/<date and time, UTC>-allocators
  --resume RUN           do what an interrupted run has left to do;
                         only --format may stand beside it
  --format F             the summary as table, json, csv or markdown       table
  --launches N           processes for each configuration and workload     13 (2)
  --timelines N          processes that show memory over time              8 (1)
  --seed N               the seed of all random choices                    drawn and printed
  --no-wait              do not wait for a quiet core before a launch,     waits
                         nor measure disturbed launches again
  --timeout S            seconds that a process may take                   20; of a program 300
  --memory-limit SIZE    memory that a process may take                    8G; of a program none

Of a program:
  --input FILE           its standard input, in each run                   what stdin is, if that is a file
  --metric REGEX         a number that it prints, in brackets:             none
                           'took ([0-9.]+) ms'; the last match counts
  --more-is-better       of that number                                    less is better
  --load COMMAND         the program is a server: run this, by sh, when    none
                         it listens, measure how long that takes, and end
                         the server by SIGTERM
It must end with status 0.

Each configuration is first checked: if a setting is not in force, the reason is printed and nothing is measured for it.
A ratio is configuration/baseline: above 1 it is slower, or takes more, than the baseline.
END
        profile) cat <<'END' ;;
Usage: ./ampersand profile [flags] -- PROGRAM ARGUMENTS                    default
       ./ampersand profile [flags] ROW        both sides of a row, as in factory/size=64

  -o FILE            write the profile there, for `go tool pprof FILE`     none
  --every T          write it again after each such time: 10s, 5m          at the end
  --alloc            every allocation                                      default
  --sample BYTES     one allocation in so many bytes, 512K as in Go: counts are estimates then
  --cpu              where CPU time goes; for a PROGRAM
  --rows RUN         all rows of a run that allocate; bench does that       none
  --copies           which struct copies cost what; for a PROGRAM that `ampersand cc` compiled
  --format F         the report as table or json                           table

Records each allocation of the program and of the processes that it starts, with its stack. The report goes to stderr
when the program has ended; its exit status is the program's (128 plus a signal that ended it), or 2: it cannot be
profiled. SIGUSR2 to this process writes FILE at once; what was counted is kept however the program ends. Of a ROW, 100
operations of each side are recorded, then half a second of CPU time; -o out.pb.gz writes out-value.pb.gz,
out-pointer.pb.gz, out-diff.pb.gz (1,000 operations of the pointer side minus the value side's), out-sides.pb.gz (both
beside each other) and out-diff.svg.
END
        trace) usage_of_trace ;;
        merge) cat <<'END' ;;
Usage: ./ampersand merge RUN... [--all] [--format table|json|csv|markdown]

  --all              every row, not only those whose verdicts differ
  --format F         table, json, csv or markdown                          table

Prints the verdicts of the runs side by side: the same, or flipped, and which facts the machines do not share: ABI, copy
class, cache sizes, compiler. Shards of one run (bench --shard K/N) make one column; shards of different builds are
refused. Exit status 1: a shard is missing, or a row failed.
END
        record) cat <<'END' ;;
Usage: ./ampersand record -o FILE -- PROGRAM ARGUMENTS

  -o FILE            write the trace there, as in sqlite.trace             needed

Runs the program and writes each call of malloc, calloc, realloc, free and their like: sizes, lifetimes, threads, order,
and how much of large objects was touched. ./ampersand allocators --trace FILE replays that under each configuration.
If there are several processes, only the one with most calls is written. The exit status is the program's (128 plus a
signal that ended it); 2 also: it cannot be recorded, for the reason that is printed.
END
        cc) cat <<'END' ;;
Usage: ./ampersand cc [--count] FLAGS AND FILES OF THE COMPILER

  --count            counters, too: bytes and copies of each place         none
  --count=source     also what the source asks for, before the compiler
                     removes copies; this may hold the compiler back       none

Calls clang with -g and a plugin that names each struct copy in the debug information, and passes everything else on, as
in `make CC="$PWD/ampersand cc --count"`. Without --count the code is the same to the byte. AMPERSAND_CLANG names
another compiler than `clang`: a clang of version 14 to 19, or a gcc, whose copies are listed but not counted. Exit
status: the compiler's; 2 if the compiler, or the plugin for it, is not there.
END
        list) cat <<'END' ;;
Usage: ./ampersand list [--filter REGEX] [--questions]

Prints every pair with its question; with --filter the rows that match. A row is one pair at one size.
END
        test) cat <<'END' ;;
Usage: ./ampersand test [names or flags of `meson test`]

  --list             print the names of the tests
  --suite NAME       `program`: tests of what this folder built; `runs`: of its runs that are killed, gone on with or
                     refused; `tool`: of its tools for your code; `compiler`: of what this system's compilers do;
                     `source`: tests that say the same in each folder
  --verbose          show what each test prints

The tests are written in C (cmocka) and Python (pytest). None compares two timings.
END
        report) cat <<'END' ;;
Usage: ./ampersand report [RUN] [flags]

  --config NAME      one of the run's configurations                       its first
  --out FILE         where the page goes                                   RUN/report.html
END
        charts) cat <<'END' ;;
Usage: ./ampersand charts [RUN] [flags]

  --out DIR          where the figures go                                  RUN/figures
END
        check-budgets) cat <<'END' ;;
Usage: ./ampersand check-budgets [--filter REGEX]

Runs the sides that have a budget, AMP_BUDGET(.allocs = 2, .bytes = 256, .stack_b = 4096) in their pair, and prints a
line for each: what an operation takes, and what it may take. Exit status 3: one takes more. profile shows where.
END
        check) echo 'Usage: ./ampersand check [RUN]' ;;
        compare) cat <<'END' ;;
Usage: ./ampersand compare RUN_A RUN_B [flags]

  --across                     compare although machine, build or configuration differ
  --config NAME                one of the runs' configurations             the first of each
  --fail-on-change [PERCENT]   exit with 3 if something changed by more than that
  --format F                   table, json, markdown or csv                table
  --all                        print all rows, not only those that changed
END
        stack) cat <<'END' ;;
Usage: ./ampersand stack [flags]                                           default

  --size N           elements of the array that each call takes            1024
  --depth N          calls, at most 1024                                   10
  --pointer          take the array by pointer                             by value
  --start SIZE       size of the first stack, a power of two: 2K, 64K      2K
  --limit SIZE       size that it may grow to                              1G
  --policy P         go: double until the frame and 928 B fit; x4, x8,     go
                     x16: multiply by that; force: move at every call;
                     probe: never move

       ./ampersand stack --bench [flags]

  --launches N       processes of each program                             15
  --rounds N         rounds of 50 us in each                               100
  --out DIR          where results and figures go                          results/runs/stack-<date and time, UTC>
  --from DIR         measure nothing: read, judge and draw what is there
  --format F         table or json                                         table

Compares the growable stack with the thread's own, with gcc's segmented stacks if the compiler has them, and with Go's
if `go` is installed.
END
        gc) cat <<'END' ;;
Usage: ./ampersand gc [flags]                                              default (quick)

  --quick                small heaps and few cycles, within a minute
  --gogc LIST            collect when the heap has grown by this many      50,100,200,400
                         percent of what lives: 25 to 800
  --live LIST            sizes of the live heap                            16M,64M (4M,16M)
  --workload LIST        cache, queue, tree, server                        all (tree,server)
  --collector LIST       ours, boehm, go                                   those that are here
  --out DIR              the run's folder                                  results/runs/<date and time, UTC>-gc
  --resume RUN           do what an interrupted run has left to do;
                         only --format may stand beside it
  --format F             the summary as table, json, csv or markdown;      table
                         trace: a line for every cycle, in the form of
                         Go's GODEBUG=gctrace=1
  --launches N           processes for each point                          2 (1)
  --seed N               the seed of all random choices                    drawn and printed
  --no-wait              do not wait for a quiet core before a launch      waits
  --timeout S            seconds that a process may take                   600
  --memory-limit SIZE    addresses that a process may take                 128G

Measures the heap at its peak, the CPU time of collecting and every pause, and compares them with a model: the heap is
live x (1 + GOGC/100), where Go counts as live what is allocated while it marks; every other cycle says what those
between cost. Before it begins, trials tell how long the run will take, which is printed. The page shows the heap over
time, the pauses, sliders over what was measured, the heap as a graph with retained sizes, and a small heap to step
through marking.
END
        doctor) cat <<'END' ;;
Usage: ./ampersand doctor [--facts] [--busy] [--launches N] [--designs N] [--format table|json]
       ./ampersand doctor --run RUN [--format table|json]

  --facts            print only the facts; measure nothing
  --busy             measure once more, loaded: with a busy loop on every CPU
  --launches N       launches of each method                               40
  --designs N        how often the null pair is linked anew                20
  --seed N           the seed of these links                               drawn and printed
  --run RUN          measure nothing: how the launches of a run of bench
                     read its pairs whose true ratio is known
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

# Print all, or fail if stdout cannot be written. A reader that closes the pipe early is no failure.
show() { # command that prints
    shown=$("$@" | told)
    printf '%s\n' "$shown" 2>/dev/null || fail 'stdout: cannot be written'
}

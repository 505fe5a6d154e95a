# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# Find out what is missing, and install the packages that contain it. The names are those of Debian and Ubuntu;
# names.txt has others. Sourced by ../ampersand.

python=
missing=
packages=

lack() { # what, package
    missing="$missing $1"
    case " $packages " in *" $2 "*) ;; *) packages="$packages $2" ;; esac
}

has() { command -v "$1" >/dev/null 2>&1; }

need_command() { has "$1" || lack "$1" "$2"; }

need_library() { # module of pkg-config, package
    { has pkg-config && pkg-config --exists "$1"; } || lack "lib$1" "$2"
}

need_header() { # header, package; without a compiler it may be there or not
    # shellcheck disable=SC2086 # CC may be several words
    if echo "#include <$1>" | ${compiler:-false} -E -x c - >/dev/null 2>&1; then return; fi
    lack "$1" "$2"
}

# Install a missing compiler if its name is known. Refuse a command that is not a compiler before anything is installed
# for it. CC and CXX may be several words.
need_compiler() { # CC or CXX, its words, language
    # shellcheck disable=SC2086 # one argument each
    if ! has ${2%% *}; then
        set -- "$1" "$2" "$3" "${2%% *}"
        case $4 in
            cc) lack cc gcc ;;
            c++) lack c++ g++ ;;
            gcc | g++ | clang | gcc-[0-9]* | g++-[0-9]* | clang-[0-9]*) lack "$4" "$4" ;;
            clang++*) lack "$4" "clang${4#clang++}" ;;
            *) fail "$1=$2: no such command" ;;
        esac
    elif ! echo 'amp_a_line' | $2 -E -x "$3" - 2>/dev/null | grep -q '^amp_a_line'; then
        fail "$1=$2: is no compiler: it does not preprocess a line of ${3}"
    fi
}

# The compiler of the build; under `ask` and `ab` also that of the user's code, which CC names there.
need_compilers() {
    compiler=$(one_line "${CC-}")
    if for_users_code; then
        [ -z "$compiler" ] || need_compiler CC "$compiler" c
        if [ $installed = no ]; then compiler=$(sed -n 's/^CC=\(.*\) CXX=.*/\1/p' "$note" 2>/dev/null || :); fi
    fi
    compiler=${compiler:-cc}
    need_compiler CC "$compiler" c
    need_header stdio.h libc6-dev
}

one_line() { # words, any white space between them
    set -f
    # shellcheck disable=SC2086 # that is how it goes
    set -- $1
    printf '%s\n' "$*"
}

modules='matplotlib numpy scipy jinja2 jsonschema pytest elftools'
if [ $installed = yes ]; then modules='matplotlib numpy scipy jinja2 jsonschema elftools'; fi

lacks_modules() { # interpreter; prints the modules that it has not
    # shellcheck disable=SC2086 # one argument each
    "$1" -c 'import sys, importlib.util as u
print(*[m for m in sys.argv[1:] if u.find_spec(m) is None])' $modules 2>/dev/null || echo "$modules"
}

# Another python3 may come first on PATH (pyenv's, a virtual environment's) and lack the distribution's modules.
find_python() {
    python=
    rest=$PATH:/usr/bin
    while [ -n "$rest" ]; do
        candidate=${rest%%:*}/python3
        case $rest in *:*) rest=${rest#*:} ;; *) rest= ;; esac
        if [ -x "$candidate" ] && [ -z "$(lacks_modules "$candidate")" ]; then
            python=$candidate
            return 0
        fi
    done
    return 1
}

need_python() {
    if find_python; then return; fi
    absent=$modules
    if [ -x /usr/bin/python3 ]; then
        absent=$(lacks_modules /usr/bin/python3)
    else
        lack python3 python3
    fi
    for module in $absent; do
        case $module in
            elftools) lack python3:elftools python3-pyelftools ;;
            *) lack "python3:$module" "python3-$module" ;;
        esac
    done
}

look() { # level: python, compiler with one too, or build with all that the build and the tests use
    missing=
    packages=
    need_python
    if [ "$1" = python ]; then return; fi
    need_compilers
    if [ "$1" = compiler ]; then return; fi
    cxx=$(one_line "${CXX-}")
    if for_users_code; then cxx=$(sed -n 's/.* CXX=\(.*\) CFLAGS=.*/\1/p' "$note" 2>/dev/null || :); fi
    need_compiler CXX "${cxx:-c++}" c++
    need_command ninja ninja-build
    need_command meson meson
    need_command pkg-config pkg-config
    need_library benchmark libbenchmark-dev
    need_library jemalloc libjemalloc-dev
    need_library jansson libjansson-dev
    need_library cmocka libcmocka-dev
    need_header uthash.h uthash-dev
    need_header zlib.h zlib1g-dev
}

# With another package manager, print the command that installs them. Nobody has tried it, so it is not run.
elsewhere() { # packages, one word each
    for manager in dnf apk pacman zypper; do
        if has $manager; then break; fi
        manager=
    done
    [ -n "$manager" ] ||
        fail "missing:$missing: install them as this distribution calls them; Debian's packages are: $*"
    case $manager in
        apk) add='apk add' ;;
        pacman) add='pacman -S --needed' ;;
        *) add="$manager install" ;;
    esac
    names=$(echo "$*" | awk -v manager=$manager '
        NR == FNR && /^#/ { next }
        NR == FNR && column { name[$1] = $column; next }
        NR == FNR { for (i = 1; i <= NF; i++) if ($i == manager) column = i; next }
        { for (i = 1; i <= NF; i++) { n = ($i in name) ? name[$i] : $i; if (n != "-") printf " %s", n } }' \
        "$root/door/names.txt" -)
    fail "missing:$missing: as root, run: $add$names"
}

install_packages() { # packages, one word each
    options='-y --no-install-recommends'
    line="apt-get update && apt-get install $options $*"
    has apt-get || elsewhere "$@"
    if [ "$(id -u)" = 0 ]; then
        as_root=
    elif has sudo; then
        as_root=sudo
        line="sudo apt-get update && sudo apt-get install $options $*"
        if [ $tty = no ]; then as_root='sudo -n'; fi # it cannot ask for a password
    else
        fail "missing:$missing: as root, run: $line"
    fi
    say "missing:$missing"
    say "installing: $line"
    export DEBIAN_FRONTEND=noninteractive
    make_scratch
    # Go on if the update fails: the lists may exist, or come from a medium without a network.
    $as_root apt-get -q update >/dev/null 2>&1 </dev/null || :
    # Another installation may hold dpkg's lock. Signals wait until dpkg is done.
    # shellcheck disable=SC2086 # one argument each
    $as_root apt-get -q install -oDPkg::Lock::Timeout=600 $options "$@" >"$scratch/log" 2>&1 </dev/null ||
        { cat "$scratch/log" >&2 && return 1; }
}

need() { # level
    look "$1"
    [ -n "$packages" ] || return 0
    # shellcheck disable=SC2086 # one argument each
    install_packages $packages || fail "installing failed, for the reason above: $line"
    look "$1"
    [ -z "$packages" ] || fail "still missing after $packages was installed:$missing"
}

# What `setup` adds. Each is used if it is installed; nothing fails without it.
extras() {
    has clang || echo clang
    has llvm-config || echo llvm-dev
    ! has gcc || [ -e "$(gcc -print-file-name=plugin)/include/gcc-plugin.h" ] ||
        echo "gcc-$(gcc -dumpversion)-plugin-dev"
    has ld.lld || echo lld
    has valgrind || echo valgrind
    has shellcheck || echo shellcheck
    has busybox || echo busybox
    has chromium || echo chromium
    has chromedriver || echo chromium-driver
    [ -e /usr/lib/python3/dist-packages/selenium ] || echo python3-selenium
    has go || echo golang
    { has pkg-config && pkg-config --exists bdw-gc; } || echo libgc-dev
    has gdb || echo gdb
    has uftrace || echo uftrace
    { has pkg-config && pkg-config --exists libdw; } || echo libdw-dev
    [ -e /usr/lib/python3/dist-packages/capstone ] || echo python3-capstone
    has aarch64-linux-gnu-gcc || echo gcc-aarch64-linux-gnu libc6-dev-arm64-cross
    has qemu-aarch64 || echo qemu-user
    [ -e /usr/share/benchmark/compare.py ] || echo libbenchmark-tools
    has_file /usr/lib/*/libjemalloc.so.2 || echo libjemalloc2
    has_file /usr/lib/*/libmimalloc.so.[0-9] || { apt-cache show libmimalloc3 >/dev/null 2>&1 && echo libmimalloc3; } ||
        echo libmimalloc2.0
    has_file /usr/lib/*/libtcmalloc_minimal.so.4 /usr/lib/*/libtcmalloc.so.4 || echo libtcmalloc-minimal4
}

has_file() { # any of these
    for file; do
        if [ -e "$file" ]; then return 0; fi
    done
    return 1
}

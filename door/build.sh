# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# The build folder: configured once, built, quietly unless it fails. Sourced by ../ampersand.

# What a build folder was configured for. A folder that was configured by hand has no note of it.
note=$build/ampersand.configured
wanted() {
    echo "CC=${CC-} CXX=${CXX-} CFLAGS=${CFLAGS-} CXXFLAGS=${CXXFLAGS-} LDFLAGS=${LDFLAGS-}"
    echo "python=$python"
}

configure() {
    mkdir -p "$build" 2>/dev/null || fail "$build: cannot be made: AMPERSAND_BUILD names another build folder"
    [ -w "$build" ] || fail "$build: cannot be written: AMPERSAND_BUILD names another build folder"
    want=$(wanted)
    how=
    if [ -f "$build/build.ninja" ] && [ -f "$build/meson-private/coredata.dat" ]; then
        source=$(sed -n 's/.*"source": "\([^"]*\)".*/\1/p' "$build/meson-info/meson-info.json" 2>/dev/null || :)
        if [ "$source" != "$root" ]; then
            [ -z "${AMPERSAND_BUILD-}" ] || fail "$build: is the build folder of ${source:-something else}"
            how=--wipe # the checkout was moved or copied
        elif [ -f "$note" ] && [ "$(head -n 1 "$note")" != "$(echo "$want" | head -n 1)" ]; then
            how=--wipe # a compiler cannot be exchanged in a folder
        elif [ "$(cat "$note" 2>/dev/null)" != "$want" ]; then
            how=--reconfigure
        else
            return 0
        fi
    elif [ ! -d "$build/meson-private" ] && [ -n "$(ls -A "$build")" ]; then
        fail "$build: holds files and is no build folder: move it away, or name another by AMPERSAND_BUILD"
    fi
    say "configuring $build"
    # shellcheck disable=SC2086 # nothing, or one option
    quietly meson setup $how "-Dpython=$python" "$build" "$root" ||
        fail "$build: configuring failed, for the reason above"
    echo "$want" >"$note"
}

compile() {
    case $(ninja -C "$build" -n 2>&1) in *'no work to do'*) return ;; esac
    say "building in $build"
    quietly ninja -C "$build" || fail "$build: building failed, for the reason above"
}

ready() { # level
    if [ -n "${AMPERSAND_BUILT-}" ]; then
        find_python || fail "no python3 on PATH has all of: $modules"
        return
    fi
    if [ $installed = yes ]; then
        case $verb in ask) look compiler ;; *) look python ;; esac
        [ -z "$packages" ] || fail "missing:$missing: ampersand setup installs it, or as root: apt-get install$packages"
        return
    fi
    need "$1"
    if [ "$1" = python ]; then return; fi
    configure
    compile
}

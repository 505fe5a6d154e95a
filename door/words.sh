# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# What a word on the command line means: a verb, a wish for help, or what was probably meant. Sourced by ../ampersand.

known() { # verb
    case $1 in '' | *' '*) return 1 ;; esac
    case " $verbs " in *" $1 "*) ;; *) return 1 ;; esac
}

# --help may stand after other flags, but not as a flag's value, as in --cflags --help.
asks_for_help() { # arguments
    before=
    for argument; do
        case $verb,$before in cc,?*) return 1 ;; esac # clang's own
        case $before,$argument in
            *,--) return 1 ;; # what follows belongs to a program
            --cflags,* | --base-cflags,* | --head-cflags,* | --link,* | --make,* | --function,* | --cc,* | --out,*) ;;
            --filter,* | --test-args,* | --wrapper,*) ;;
            *,-h | *,--help) return 0 ;;
        esac
        before=$argument
    done
    return 1
}

# "<before>the nearest is 'x'<after>", or only what comes last: x is the word of a list that begins like this one; else
# the nearest by edit distance (Levenshtein) if that is at most a third of the word. Beyond that it would be a guess.
or_nearest() { # word, list, what stands between x and the rest, the rest
    found=$(nearest "$1" "$2")
    if [ -n "$found" ]; then printf "the nearest is '%s'%s" "$found" "$3"; fi
    printf '%s' "$4"
}

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
            word = ENVIRON["word"]
            n = split(ENVIRON["list"], words, /[ \n]+/)
            for (i = 1; i <= n; i++) {
                begins = word != "" && index(words[i], word) == 1
                d = begins ? 0 : distance(word, words[i])
                if (words[i] != "" && d <= (length(word) + 2) / 3 && (nearest == "" || d < fewest)) {
                    fewest = d
                    nearest = words[i]
                }
            }
            print nearest
        }'
}

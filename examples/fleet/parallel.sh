#!/bin/sh
# SPDX-License-Identifier: MIT
#
# One run over several machines, by GNU parallel over ssh. Each has the same ampersand installed, built once and copied:
# merge refuses shards of different builds.
#
#   ./parallel.sh 42 node1 node2 node3        the seed, the same for all shards; the machines (":" is this one)
set -eu
seed=$1
shift
hosts=$(printf '%s,' "$@")
seq $# | parallel --sshlogin "${hosts%,}" --jobs 1 --workdir ... --return 'shard-{}' --cleanup \
    ampersand bench --shard "{}/$#" --seed "$seed" --out 'shard-{}'
ampersand merge --all shard-*

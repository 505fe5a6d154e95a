#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Record programs of the distribution, for ./ampersand allocators to replay:
#
#     cc        a compiler: cc1 of gcc, one of the harness's files at -O2
#     sqlite3   a database shell: a table of 2,000 rows in memory, two indexes, queries
#     perl      an interpreter: words counted, sorted and joined
#     xz        a compressor: few blocks, large ones
#
# usage: record.sh AMPERSAND FOLDER        as in: benchmarks/traces/record.sh ./ampersand benchmarks/traces
set -eu
ampersand=$1
folder=$2
root=$(dirname "$(readlink -f "$0")")/../..
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$ampersand" record -o "$folder/cc.trace" -- gcc -O2 -I "$root" -D_GNU_SOURCE \
    -c "$root/harness/text/quantity.c" -o "$work/o"

cat >"$work/sql" <<'END'
create table orders(id integer primary key, who text, cents integer, note text);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 2000)
  insert into orders
  select i, 'customer ' || (i % 97), (i * 7919) % 100000, printf('note %08d %s', i, hex(i * 31)) from n;
create index by_who on orders(who);
create index by_cents on orders(cents);
select who, count(*), sum(cents) from orders group by who order by 3 desc limit 10;
select a.id, b.id from orders a join orders b on a.cents = b.cents and a.id < b.id limit 20;
update orders set note = upper(note) where cents % 3 = 0;
delete from orders where id % 5 = 0;
END
"$ampersand" record -o "$folder/sqlite3.trace" -- sqlite3 :memory: <"$work/sql" >"$work/out"

"$ampersand" record -o "$folder/perl.trace" -- perl -e '
    my %seen;
    for my $i (1 .. 12000) { my $word = "word" . ($i * 7919 % 2503); push @{$seen{$word}}, "at $i"; }
    print join(",", map { "$_=" . scalar @{$seen{$_}} } sort keys %seen), "\n";' >"$work/out"

seq 1 200000 >"$work/numbers"
"$ampersand" record -o "$folder/xz.trace" -- xz -6 -T1 -k -c "$work/numbers" >"$work/out"

# SPDX-License-Identifier: MIT
"""ask: the words on its command line and in its answer. Nothing is measured here."""

from types import SimpleNamespace as Facts

import pytest

import asking
from ask import advice, allocator, answer, arguments, reasons
from ask.profiles import Profile
from ask.types import compiler as compilers, subject as subjects
from plots.files import pair_run
from plots.files.strict_json import validate
from plots.judge import pair_summary
from plots.judge.pair_summary import Estimate, Placed
from plots.words.pair_sentences import summarize

# ---- Words without quotes, in another order, or for the compiler

HINTS = [
    ("order.h struct order", "'struct order' is one word, in quotes: ask order.h 'struct order'"),
    ("order.h struct order -O3", "'struct order' is one word, in quotes: ask order.h 'struct order'"),
    ("order.h const struct order --json", "'const struct order' is one word, in quotes: ask order.h 'const struct "
     "order'"),
    ("order.h unsigned long int", "'unsigned long int' is one word, in quotes: ask order.h 'unsigned long int'"),
    ("order.h struct_order *", "'struct_order *' is one word, in quotes: ask order.h 'struct_order *'"),
    ("struct order order.h", "the header comes first: ask order.h 'struct order'"),
    ("struct order", "the header comes first: ask HEADER 'struct order'"),
    ("unsigned long <sys/stat.h>", "the header comes first: ask '<sys/stat.h>' 'unsigned long'"),
    ("order_t order.h", "the header comes first: ask order.h order_t"),
    ("order.h order_t -O3 -pthread -isystem .", "-O3: the compiler's flags go into one word: --cflags '-O3 -pthread "
     "-isystem .'"),
    ("order.h order_t --cflags -O3 -g", "-g: the compiler's flags go into one word: --cflags '-O3 -g'"),
    ("order.h order_t --std=c99", "--std=c99: the compiler's flags go into one word: --cflags --std=c99"),
    ("order.h order_t --cflag -O3", "--cflag: no such flag; the nearest is --cflags"),
    ("order.h order_t --launch=3", "--launch=3: no such flag; the nearest is --launches"),
    ("order.h order_t --frobnicate", "--frobnicate: no such flag"),
    ("order.h order_t once more", "once is one word too many: a header and a type, as in: ask order.h 'struct order'"),
    ("order.h", "which type? As in: ask order.h 'struct order'"),
    ("", "which header, which type? As in: ask order.h 'struct order'"),
    ("order.h order_t --launches 0", "0 is not a whole number from 1 to 1000"),
    ("order.h order_t --launches " + "9" * 5000, "9... is not a whole number from 1 to 1000"),
    ("order.h order_t --cflags", "--cflags: expected one argument"),
]


@pytest.mark.parametrize("words, says", HINTS, ids=[one[0][:40] for one in HINTS])
def test_words_that_cannot_be_taken_get_a_hint_in_one_line(capsys, words, says):
    with pytest.raises(SystemExit) as end:
        arguments.parse(words.split())
    said = capsys.readouterr()
    assert end.value.code == 2 and said.out == "" and said.err.count("\n") == 1 and len(said.err) < 300
    assert said.err.startswith("ampersand: ask: ") and said.err.endswith(f"{says}; ./ampersand help ask\n")


def test_two_words_exchanged_are_told_by_the_file_that_is_there(tmp_path, capsys):
    (tmp_path / "order").write_text("struct order { int id; };\n")
    with pytest.raises(SystemExit):
        arguments.parse(["order_t", str(tmp_path / "order")])
    assert f"the header comes first: ask {tmp_path}/order order_t" in capsys.readouterr().err


@pytest.mark.parametrize("words", [
    ["order.h", "struct order", "-I", "a", "-Ib", "-D", "X=1", "-DY"],
    ["-I", "a", "order.h", "-Ib", "-DX=1", "-DY", "struct order"],
    ["-I", "a", "-Ib", "-D", "X=1", "-DY", "--", "order.h", "struct order"]], ids=["last", "between", "dashes"])
def test_flags_stand_anywhere(words):
    args = arguments.parse(words)
    assert (args.header, args.type, args.folders, args.macros) == ("order.h", "struct order", ["a", "b"], ["X=1", "Y"])


# ---- The answer: of failed rows, of the allocator, of one launch

@pytest.fixture
def answered(tmp_path, small_run):
    """A function: the answer about a struct, its rows changed before by `change(rows)`."""
    made = pair_run.load(small_run)
    found = pair_summary.document(summarize(made, 2)[0])
    header = tmp_path / "plain.h"
    header.write_text("struct plain { int id; double price; };\n")
    compiler = compilers.make("cc", (), "-O3 -mtune=generic", tmp_path)
    subject = subjects.study(compiler, str(header), "struct plain")

    def make(change=lambda rows: None, environment=(), launches=6):
        rows = [dict(row) for row in found["rows"]]
        change(rows)
        settings = {"allocator": allocator.facts(made.manifest["allocator"], dict(environment), "/nowhere"), "seed": 1,
                    "launches": launches, "layouts": 4, "flags": ["-O2", *compiler.facts]}
        document = answer.document(subject, compiler, [Profile("pass", 1, 2, read=1)], rows, found["floors"],
                                   found["rule"], 1.0, settings)
        validate(document, "ask", "answer")
        return document
    return make


def fail(which, reason, detail=None):
    def change(rows):
        for i in which:
            rows[i]["failed"] = {"reason": reason, "detail": detail}
            rows[i]["verdict"] = "failed"
    return change


FAILED = [
    ([0], "disagreement", None,
     "Failed: reads 1 of 2: both sides do the same and come to different results: your compiler "
     "does not keep this object in a copy."),
    ([0, 1], "disagreement", None, "Failed: reads 1 of 2, return: both sides do the same"),
    ([1], "timeout", "killed after 60 s", "Failed: return: it took longer than a process may"),
    ([1], "signal", "SIGSEGV", "Failed: return: the code that was compiled about it crashed."),
    ([1], "signal", "SIGILL", "Failed: return: this processor lacks an instruction that was compiled."),
    ([1], "exit", "status 3", "Failed: return."),
]


@pytest.mark.parametrize("which, reason, detail, says", FAILED, ids=[f"{one[1]} {one[2]}" for one in FAILED])
def test_no_headline_stands_over_failed_rows(answered, which, reason, detail, says):
    found = answered(fail(which, reason, detail))
    text = " ".join(answer.text(found).split())
    assert says in text and "Advice:" not in text
    assert found["advice"]["whole"] == f"none: {len(which)} of 2 rows failed"
    for i in which:
        one = found["advice"]["each"][i]
        assert one["side"] is None and one["sentence"] == "no answer" and one["why"] == f"failed: {detail or reason}"


def test_an_answer_without_failures_has_its_headline(answered):
    assert "Advice: " in answer.text(answered()) and "Failed" not in answer.text(answered())


@pytest.mark.parametrize("flags, says", [
    (["-O2", "-march=native", "-mtune=generic", "-mavx512f"], ": -march=native, -mavx512f asked for another processor"),
    (["-O2", "-mtune=generic"], "this processor lacks an instruction that was compiled")])
def test_flags_that_chose_the_instructions_are_named(flags, says):
    assert advice.meaning({"reason": "signal", "detail": "SIGILL"}, flags).endswith(says)


def test_every_reason_that_a_run_gives_is_known():
    text = (subjects.ROOT / "harness/run/outcome.c").read_text()
    names = set(advice.re.findall(r'\[AMP_\w+\] = "(\w+)"', text))
    of_pairs = (subjects.ROOT / "harness/lesson/pair.h").read_text()
    names |= set(advice.re.findall(r'\{ AMP_EXIT_\w+, "(\w+)"', of_pairs))
    assert names - set(advice.MEANS) <= {"done", "exit", "interrupted"} and set(advice.MEANS) <= names


ALLOCATORS = [
    ({}, "jemalloc 5.3.0"),
    ({"HOME": "/", "MALLOC": "x"}, "jemalloc 5.3.0"),
    ({"MALLOC_CONF": "tcache:false,junk:true"}, "jemalloc 5.3.0, set by MALLOC_CONF=tcache:false,junk:true"),
    ({"GLIBC_TUNABLES": "glibc.malloc.check=3", "MALLOC_ARENA_MAX": "1", "LD_PRELOAD": "x.so"},
     "jemalloc 5.3.0, set by GLIBC_TUNABLES=glibc.malloc.check=3, LD_PRELOAD=x.so, MALLOC_ARENA_MAX=1"),
]


@pytest.mark.parametrize("environment, says", ALLOCATORS)
def test_the_allocator_and_what_configures_it(environment, says):
    of_run = {"name": "jemalloc", "version": "5.3.0-0-g54eaed1d", "file": "/lib/libjemalloc.so.2", "options": {}}
    assert allocator.words(allocator.facts(of_run, environment, "/nowhere")) == says


def test_what_jemalloc_reads_from_a_link(tmp_path):
    (tmp_path / "malloc.conf").symlink_to("narenas:1")
    found = allocator.facts({"name": "jemalloc", "version": None}, {}, str(tmp_path / "malloc.conf"))
    assert allocator.words(found) == f"jemalloc, set by {tmp_path}/malloc.conf=narenas:1"


def test_the_answer_names_the_allocator_and_why_nothing_is_counted(answered):
    def refused(rows):
        for row in rows:
            row["counts"] = {"status": "refused", "detail": "malloc is that of libx.so", "value": None, "pointer": None}
    found = answered(refused, {"MALLOC_CONF": "narenas:1"})
    assert found["allocator"]["environment"] == {"MALLOC_CONF": "narenas:1"}
    assert "allocations are not counted: malloc is that of libx.so" in found["notes"]
    assert ", set by MALLOC_CONF=narenas:1\n" in answer.text(found)


@pytest.mark.parametrize("not_copied, whole", [
    ((), None), (("lock is a mutex",), "pass its address and never copy it: lock is a mutex"),
    (("a is a mutex", "s is a stream"), "pass its address and never copy it: a is a mutex, s is a stream")])
def test_no_time_speaks_for_a_copy_that_is_wrong(not_copied, whole):
    rows = [asking.row("ask_made", 1.3, 1.2, 1.4, "value faster"),
            asking.row("mutate", 0.5, 0.4, 0.6, "pointer faster")]
    found, said = advice.recommend(rows, (), not_copied)
    assert all(one["sentence"] == "not to be copied" and one["side"] is None for one in found) == bool(not_copied)
    assert said == whole if whole else "never copy" not in said
    rows[0]["failed"] = {"reason": "exit", "detail": None}
    assert advice.recommend(rows, (), not_copied)[1] == f"none: 1 of {len(rows)} rows failed"


@pytest.mark.parametrize("launches, says", [(1, "over 1 launch;"), (2, "over 2 launches;")])
def test_one_launch_is_no_launches(answered, launches, says):
    assert says in " ".join(answer.text(answered(launches=launches)).split())


@pytest.mark.parametrize("environment, words, cc, cflags", [
    ({}, [], "cc", ""),
    ({"CC": "clang -m64", "CFLAGS": "-O3 -fpack-struct"}, [], "clang -m64", "-O3 -fpack-struct"),
    ({"CC": "clang", "CFLAGS": "-O3"}, ["--cc", "gcc", "--cflags", "-Os"], "gcc", "-Os"),
    ({"CC": "", "CFLAGS": ""}, [], "cc", "")])
def test_the_compiler_of_the_environment_is_that_of_the_type(monkeypatch, environment, words, cc, cflags):
    for name in ("CC", "CFLAGS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    args = arguments.parse(["order.h", "struct order", *words])
    assert (args.cc, args.cflags) == (cc, cflags)


# ---- The because of a row

MOVES = (Facts(bytes=24, how="moves", moves=3, width_b=8, why=None),)
UNTOLD = (Facts(bytes=None, how="not told", moves=None, width_b=None, why="by a call"),)
PLACED = (Placed(side="pointer", slower=0.2, layouts=8, of=16, explains=0.9,
                 reaches=("the loop of ask_pointer_ask_reads_half reaches into one more 64 B line",)),)
BECAUSE = [  # verdict, copies of value and pointer, placement or (B, registers) of value, profile's, passed in: says
    ("pointer faster", MOVES, (), (), True, "memory", "value copies 24 B in 3 moves, heap nothing"),
    ("equal", MOVES, (), (), True, "memory", "value copies 24 B in 3 moves, heap copies nothing"),
    ("equal", (), (), (), True, "memory", "no copy in memory on either side"),
    ("equal", (), (), (), True, "registers", "value goes in registers: no copy in memory on either side"),
    ("equal", (), (), (), False, "registers", "no copy in memory on either side"),
    ("equal", (), (), (16, 2), True, "registers",
     "value goes in registers (16 B into 2 registers): no copy in memory on either side"),
    ("pointer faster", (), (), (16, 2), True, "registers",
     "value goes in registers: value loads 16 B into 2 registers for its calls, heap nothing"),
    ("equal", UNTOLD, (), (), True, "memory", None),
    ("placement decides", MOVES, (), PLACED, True, "memory", "value copies 24 B in 3 moves, heap copies nothing; heap "
     "is 20.0 % slower in 8 of 16 layouts, by the place of its code"),
    ("placement decides", UNTOLD, (), PLACED, True, "memory",
     "heap is 20.0 % slower in 8 of 16 layouts, by the place of "
     "its code"),
]


@pytest.mark.parametrize("verdict, value, pointer, placed, profile, passed, says", BECAUSE)
def test_a_because_tells_copies_first_and_names_no_generated_function(verdict, value, pointer, placed, profile, passed,
                                                                      says):
    handed = placed if placed and isinstance(placed[0], int) else None
    row = Facts(verdict=verdict, ratio=Estimate(estimate=0.5, low=None, high=None), counts=Facts(status="not counted"),
                name_of={"value": "value", "pointer": "heap"}.get, counted=lambda side: None,
                why=Facts(copies=Facts(value=value, pointer=pointer), waits=None, counters=None,
                          placement=() if handed else placed, handed=handed and Facts(
                              value=(Facts(bytes=handed[0], moves=handed[1]),), pointer=())))
    subject = Facts(abi={"passed": passed})
    assert reasons.of(row, Facts() if profile else None, subject) == says

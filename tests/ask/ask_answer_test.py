# SPDX-License-Identifier: MIT
"""ask: the advice follows its rule; whole answers, from the command to the numbers."""
import json
import os
import re
import signal
import subprocess
import sys

import pytest

from ask import advice, answer, lessons
from asking import CC, ask, row
from places import ROOT
from plots.files.strict_json import validate
from waiting import HANGS_S, wait_for

RULES = [
    # ratio, low, high, verdict, side, words of why; the value side takes 10 ns
    (0.5, 0.45, 0.55, "pointer faster", "pointer", "2 times as fast"),
    (0.5, 0.45, 0.55, "leans pointer", "pointer", "2 times as fast on average"),
    (0.5, 0.45, 0.999, "pointer faster", "pointer", "2 times as fast"),
    (0.5, 0.45, 1.001, "undecided", None, "the interval leaves both open"),
    (1 / 1.1, 0.85, 0.95, "pointer faster", "pointer", "1.1 times as fast"),
    (0.92, 0.92, 0.93, "pointer faster", "value", "pointer only 8.7 % faster, 0.80 ns"),
    (0.92, 0.90, 0.94, "pointer faster", None, "the interval leaves both open"),
    (1.0, 0.999, 1.001, "equal", "value", "equal within 0.2 %"),
    (1.0, 0.95, 1.2, "placement decides", "value", "no difference that is certain and matters"),
    (2.0, 1.9, 2.1, "value faster", "value", "2 times as fast"),
    (2.0, 1.9, 2.1, "undecided", "value", "2 times as fast on average"),
    (1.05, 1.04, 1.06, "leans value", "value", "5.0 % faster on average"),
    (1.5, 0.8, 2.5, "undecided", None, "the interval leaves both open"),
    (1.5, None, None, "undecided", None, "too few launches for an interval"),
    (None, None, None, "undecided", None, "too few launches for an interval"),
]


@pytest.mark.parametrize("estimate, low, high, verdict, side, words", RULES)
def test_advice_follows_the_rule(estimate, low, high, verdict, side, words):
    one = row(estimate=estimate, low=low, high=high, verdict=verdict, within=0.002 if verdict == "equal" else None)
    assert advice.side(one) == side and advice.why(one) == words


@pytest.mark.parametrize("value_ns, side, words", [
    (10.0, "pointer", "1.25 times as fast"), (2.6, "pointer", "1.25 times as fast"),
    (2.0, "value", "pointer only 1.25 times as fast, 0.40 ns"),
    (0.5, "value", "pointer only 1.25 times as fast, 0.10 ns"),
    (2.4, None, "the interval leaves both open"),
])
def test_what_saves_less_than_half_a_nanosecond_is_not_worth_a_pointer(value_ns, side, words):
    one = row(estimate=0.8, low=0.78, high=0.85, verdict="pointer faster", value_ns=value_ns)
    assert advice.side(one) == side and advice.why(one) == words


def test_a_failed_row_gets_no_advice():
    one = row(estimate=0.5, low=0.4, high=0.6, verdict="failed", failed={"reason": "signal", "detail": "SIGSEGV"})
    assert advice.side(one) is None and advice.why(one) == "failed: SIGSEGV"


@pytest.mark.parametrize("pointers, values, open_, whole", [
    ((), ("ask_made", "factory", "mutate"), (), "treat it as a value"),
    (("mutate",), ("ask_made", "factory"), (), "treat it as a value, but change it through a pointer"),
    (("ask_made", "mutate"), ("factory",), (), "handle it through pointers, but return it by value"),
    (("ask_made", "mutate"), (), ("factory",), "handle it through pointers; no answer yet: return"),
    ((), ("factory",), ("ask_made", "mutate"), "treat it as a value; no answer yet: made, change"),
    (("ask_made", "mutate"), ("factory", "ask_store"), (), "by value: return, store; by pointer: made, change"),
    (("ask_made",), ("factory",), (), "by value: return; by pointer: made"),
    ((), (), ("ask_made",), "no answer yet: measure more with --launches"),
])
def test_the_whole(pointers, values, open_, whole):
    rows = [row(pair, 0.5, 0.4, 0.6) for pair in pointers] + [row(pair, 2, 1.9, 2.1) for pair in values]
    rows += [row(pair, 1, 0.5, 2) for pair in open_]
    rows.sort(key=lambda one: list(advice.QUESTIONS).index(one["pair"]))
    assert advice.recommend(rows)[1] == whole


def pairs_in(lesson):
    return set(re.findall(r"^AMP_PAIR\((\w+)", (ROOT / f"benchmarks/{lesson}.c").read_text(), re.M))


def test_every_pair_has_a_question_and_is_in_its_lesson():
    assert list(lessons.LESSON_OF) == list(advice.QUESTIONS)
    for pair, lesson in lessons.LESSON_OF.items():
        assert pair in pairs_in(lesson)


# ---- Whole answers, from the command to the numbers

ALLOCATES = ("factory", "ask_store", "ask_send", "ask_box")  # once an operation, on the pointer side


def whole_answer(file, name, *more):
    done = ask(file, name, "--launches", "2", "--seed", "7", "--json", *more)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return json.loads(done.stdout)


WHOLE = [("sys/stat.h", "struct stat", None), ("types", "struct empty", 0), ("types", "struct bits", 12),
         ("types", "struct blank", 4)]


@pytest.mark.parametrize("file, name, size", WHOLE if os.environ.get("AMPERSAND_HEAVY") else WHOLE[:2])
def test_a_whole_answer_has_exact_counts(header, file, name, size):
    found = whole_answer(header if file == "types" else file, name)
    validate(found, "ask", "answer")
    if size is None:
        size = os_size_of(header.parent)
    assert found["size_b"] == size and found["settings"] == {"seed": 7, "launches": 2, "layouts": 16}
    pairs = [one["row"]["pair"] for one in found["answers"]]
    rest = [pair for pair in advice.QUESTIONS if found["reordered"] or pair not in advice.ORDERS]
    assert pairs == [one["pair"] for one in found["profiles"]] + rest
    for one in found["answers"]:
        row_, counts = one["row"], one["row"]["counts"]
        assert row_["launches"] == 2 and row_["layouts"] == 16 and row_["ratio"]["estimate"] > 0 and not row_["failed"]
        if counts["status"] == "refused":  # under a sanitizer
            continue
        assert counts["status"] == "exact", (row_["pair"], counts["detail"])
        expected = int(row_["pair"] in ALLOCATES)
        assert (counts["value"]["allocs_per_op"], counts["pointer"]["allocs_per_op"]) == (0, expected), row_["pair"]
        assert counts["value"]["asked_b_per_op"] == 0 and counts["pointer"]["asked_b_per_op"] == expected * size
    assert found["rule"]["correction"].endswith(f"over {len(pairs) + 2} rows"), "of all parts: they hold together"
    assert found["floors"]["clockwork"] and found["floors"]["placement"]
    text = answer.text(found)
    for rule in advice.RULE:
        assert rule in " ".join(text.split())
    assert all(len(line) <= 120 for line in text.splitlines() if not line.startswith("Noise floor"))


def os_size_of(folder):
    """sizeof(struct stat), by another way than ours: a program that prints it."""
    (folder / "size.c").write_text("#include <sys/stat.h>\n#include <stdio.h>\n"
                                   "int main(void) { printf(\"%zu\", sizeof(struct stat)); }\n")
    subprocess.run([*CC.split(), folder / "size.c", "-o", folder / "size"], check=True)
    return int(subprocess.run([folder / "size"], capture_output=True, text=True, check=True).stdout)


def test_an_interrupted_ask_leaves_nothing(header, tmp_path):
    place = tmp_path / "tmp"
    place.mkdir()
    started = subprocess.Popen([sys.executable, "-m", "ask", header, "struct order"], cwd=ROOT, text=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               start_new_session=True,
                               env={**os.environ, "TMPDIR": str(place)})
    wait_for(lambda: list(place.glob("*/one_thread/run")), started)
    os.killpg(started.pid, signal.SIGINT)
    out, err = started.communicate(timeout=HANGS_S)
    assert started.returncode == 130 and out == "" and err == "ampersand: interrupted\n"
    assert list(place.iterdir()) == []

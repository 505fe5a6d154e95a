# SPDX-License-Identifier: MIT
"""The kernels that ask makes for a type call, allocate and copy what they declare, by gcc and by clang: read from their
compiled code, as that of the lessons is. What passing the type by value copies comes from ask's experiment, which calls
compiled functions and sees where an object goes. AMPERSAND_HEAVY=1 takes every type with both compilers."""
import os
import shutil
import sys

import pytest

from ask import arguments, class_answer, class_lessons, lessons, profiles
from ask.types import compiler as compilers, cpp_class, subject as subjects
from asking import compiler_in, x86_64
from places import ROOT

sys.path[:0] = [str(ROOT / "harness/lesson"), str(ROOT / "harness/copies")]
pytest.importorskip("capstone", reason="python3-capstone is not installed")
import make_layouts

pytestmark = x86_64
TYPES = {
    "int": "typedef int asked;",
    "double": "typedef double asked;",
    "one byte": "typedef struct { char a; } asked;",
    "three bytes": "typedef struct { char a[3]; } asked;",
    "an int and a double": "typedef struct { int a; double b; } asked;",
    "four floats": "typedef struct { float a, b, c, d; } asked;",
    "three words": "typedef struct { long a, b, c; } asked;",
    "padded": "typedef struct { char a; double b; char c; int d; char e; } asked;",
    "eight doubles": "typedef struct { double a[8]; } asked;",
    "nested": "typedef struct { struct { short a; int b[3]; } in[5]; union { double d; char c[12]; } u; } asked;",
    "300 bytes": "typedef struct { char a[300]; } asked;",
}
COMPILERS = ("gcc", "clang")
HEAVY = os.environ.get("AMPERSAND_HEAVY")
SOME = {("an int and a double", "gcc"), ("four floats", "clang"), ("padded", "gcc"), ("300 bytes", "clang")}
CASES = [(kind, cc) for kind in TYPES for cc in COMPILERS if HEAVY or (kind, cc) in SOME]
# How often a function calls itself comes from the fixture; and the sender of ask_send has loops in which it waits.
NOT_TOLD = ("ask_depth", "ask_send")
# Before `rep movs`, gcc aligns the target of an object of bytes by its address; how much is left then, is not read.
ALIGNS_FIRST, LENGTH = ("300 bytes", "gcc"), "rep movs: of a length that is not known"


class Asked:
    """A type in a header, and the lessons about it, compiled as ask does."""

    def __init__(self, folder, text, cc):
        if not shutil.which(cc):
            pytest.skip(f"{cc} is not here: apt-get install {cc}")
        (folder / "asked.h").write_text(text + "\n")
        self.compiler = compiler_in(folder, cc=cc)
        self.subject = subjects.study(self.compiler, str(folder / "asked.h"), "asked")
        self.contract = make_layouts.read_contract(str(lessons.lesson_object(self.compiler)))
        made = profiles.of(self.subject, arguments.parse(["a.h", "asked"]))
        lessons.write_calls(self.compiler, self.subject, made)
        pairs = lessons.pairs_of(self.subject, made)
        self.lessons = list(dict.fromkeys(lessons.LESSON_OF.get(pair, lessons.CALLS) for pair in pairs))

    def compile(self, lesson, changes=()):
        """What make_layouts reads of the lesson's code: copies, calls, and how it breaks its word."""
        reordered = self.subject.reordered
        flags = ["-UAMP_SUFFIX", "-DAMP_SUFFIX=_1",  # as the sizes of our own subjects have
                 f"-DAMP_SUBJECT_PASSED_B={passed_b(self.subject.abi, self.subject.size_b)}",
                 *([f"-DAMP_REORDERED_PASSED_B={passed_b(reordered.abi, reordered.size_b)}"] if reordered else [])]
        text = (ROOT / f"benchmarks/{lesson}.c").read_text()
        for old, new in changes:
            assert old in text, f"{lesson}.c has no {old!r} to change"
            text = text.replace(old, new)
        root = self.compiler.folder / "changed"
        source = root / f"benchmarks/{lesson}.c"
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_text(text)
        more = ["-include", self.compiler.folder / "calls.h"] * (lesson == lessons.CALLS)
        made = self.compiler.folder / "lesson-changed.o"
        status, said = self.compiler.run(
            *subjects.flags_of(self.compiler), *lessons.subject_flags(self.subject), *flags, *more,
            *subjects.CODE_FLAGS, *lessons.PLACING, "-iquote", root, "-iquote", ROOT, "-c", source, "-o", made)
        assert status == 0, said
        read = make_layouts.Object(str(made))
        return make_layouts.read_code(read, make_layouts.read_pairs(read, self.contract))


def passed_b(abi, size_b):
    return {"memory": size_b, "registers": 0, "nothing": 0}[abi["passed"]]


@pytest.mark.parametrize("kind, cc", CASES)
def test_kernels_do_what_they_declare(tmp_path, kind, cc):
    asked = Asked(tmp_path, TYPES[kind], cc)
    for lesson in asked.lessons:
        code = asked.compile(lesson)
        assert code["breaches"] == {}, lesson
        not_told = {row.split("/")[0]: one["why"] for row, sides in code["copies"].items() for side in sides.values()
                    for one in side if one["how"] == "not told"}
        others = [why for pair, why in not_told.items() if pair not in NOT_TOLD]
        assert set(others) <= ({LENGTH} if (kind, cc) == ALIGNS_FIRST else set()), not_told
        assert all(calls is not None for row, sides in code["calls"].items() for calls in sides.values()
                   if not row.startswith("ask_send")), code["calls"]
        if lesson == "ask/ask_made":  # what is made differs by type, but not between the sides
            [copied] = [{side: sum(one["bytes"] for one in copies) for side, copies in row.items()}
                        for row in code["copies"].values()]
            wanted = passed_b(asked.subject.abi, asked.subject.size_b)
            assert wanted or copied["value"] <= copied["pointer"]
            assert abs(copied["value"] - copied["pointer"] - wanted) <= max(15, wanted // 16) or not wanted, copied


MUTANTS = [  # lesson, what is changed, what is said of it
    ("ask/ask_call", "ask_value_##name(called->object))", "ask_pointer_##name(&called->object))", "calls"),
    ("ask/ask_call", "ask_pointer_##name(&called->object))",
     "({ subject amp_x = called->object; amp_keep(&amp_x); ask_pointer_##name(&amp_x); }))", "copied"),
    ("ask/ask_made", "ask_take_new(object)", "ask_take_new_at(&object)", "calls"),
    ("ask/ask_store", "        *place = *model;\n", "        amp_set_ends(place, 1);\n", "copied"),
    ("ask/ask_store", "        free(*place);\n", "", "calls"),
    ("ask/ask_store", "        subject *object = amp_alloc(sizeof *object);\n",
     "        subject *object = *place;\n", "calls"),
    ("ask/ask_box", "        *copy = *object;\n", "        amp_set_ends(copy, 1);\n", "copied"),
    ("ask/ask_box", "        copy = *object;\n", "        amp_set_ends(&copy, 1);\n", "copied"),
    ("ask/ask_box", "box->table->ends(box->data)", "ask_ends_at(box->data)", "calls"),
    ("ask/ask_order", "ask_take_##order(*object)", "ends(object)", "calls"),
]


@pytest.fixture(scope="module")
def of_words(tmp_path_factory):
    folder = tmp_path_factory.mktemp("asked")
    return Asked(folder, "typedef struct { char a; long b[7]; char c; long d; } asked;", "gcc")


@pytest.mark.parametrize("lesson, old, new, said", MUTANTS, ids=[f"{k} {one[0]}" for k, one in enumerate(MUTANTS)])
def test_a_kernel_that_no_longer_does_is_found_out(of_words, lesson, old, new, said):
    broken = of_words.compile(lesson, [(old, new)])["breaches"]
    assert any(said in text for text in broken.values()), broken


# ---- Of a class of C++

PROBE = """
#pragma once
extern "C" char __libc_single_threaded;
struct probe {{
    probe(); explicit probe(int);
    {copying}
    probe(probe &&) noexcept; probe &operator=(probe &&) noexcept;
    ~probe();
    long words[3];
}};
"""
COPYING = "probe(const probe &); probe &operator=(const probe &);"
NAMES = {"_ZN5probeC1ERKS_": class_answer.COPY, "_ZN5probeC1EOS_": class_answer.MOVE, "_ZN5probeD1Ev": class_answer.END,
         "_ZN5probeaSERKS_": class_answer.ASSIGN, "_ZN5probeaSEOS_": class_answer.MOVE_IN,
         "_ZN5probeC1Ev": class_answer.DEFAULT, "_ZN5probeC1Ei": class_answer.MAKE}


class Classes:
    """The probe, whose constructors, assignments and destructor are calls of functions that nobody inlines."""

    def __init__(self, folder, cc, copying=COPYING):
        if not shutil.which(cc):
            pytest.skip(f"{cc} is not here: apt-get install {cc}")
        (folder / "probe.hpp").write_text(PROBE.format(copying=copying))
        self.compiler = compilers.make(cc, (), "", folder, "c++")
        self.found = cpp_class.study(self.compiler, str(folder / "probe.hpp"), "probe")
        class_lessons.write_prefix(self.compiler, self.found, "probe(1)")
        self.contract = make_layouts.read_contract(str(lessons.lesson_object(self.compiler.of_c)))

    def runs(self, pair, changes=()):
        """({side: what of the class it runs, in any order}, {side: its other calls})"""
        text = (ROOT / f"benchmarks/{class_lessons.LESSON}.cpp").read_text()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        source, made = (self.compiler.folder / f"changed.{suffix}" for suffix in ("cpp", "o"))
        source.write_text(text)
        class_lessons.compile_pair(self.compiler, self.found, pair, made, source)
        lesson = make_layouts.Object(str(made))
        [calls] = make_layouts.read_code(lesson, make_layouts.read_pairs(lesson, self.contract))["calls"].values()
        assert all(n for side in calls.values() for n in side.values()), calls
        mine = {side: sorted(NAMES[name] for name, n in calls[side].items() if name in NAMES for _ in range(n))
                for side in calls}
        return mine, {side: {name: n for name, n in calls[side].items() if name not in NAMES} for side in calls}


@pytest.mark.parametrize("cc", ["g++", "clang++"])
@pytest.mark.parametrize("copying", [COPYING, "probe(const probe &) = delete;"], ids=["copied", "only moved"])
def test_a_pair_about_a_class_runs_what_its_because_says(tmp_path, cc, copying):
    classes = Classes(tmp_path, cc, copying)
    pairs = class_lessons.pairs_of(classes.found)
    assert len(pairs) == (6 if copying == COPYING else 3)
    for pair in pairs:
        mine, others = classes.runs(pair)
        said = class_answer.runs(pair, classes.found.move_only)
        assert mine == {"value": sorted(said[0]), "pointer": sorted(said[1])}, pair
        assert all(list(side.values()) == [1] for side in others.values()), others  # the one that is asked about


CLASS_MUTANTS = [  # pair, what is changed
    ("class_read", "take_value(subject object)", "take_value(const subject &object)"),
    ("class_keep", "    kept = ASK_MOVED(object);", "    kept = object;"),
    ("class_hand_over", "hand_reference(subject &&object", "hand_reference(subject object"),
    ("class_move", "subject(ASK_MOVED(object))", "subject(object)"),
    ("class_return", "    subject made(AMP_ASKED_NEW(model));", "    subject made; made = model;"),
    ("class_return_stored", "*kept = make_value(*now)", "subject made = make_value(*now); *kept = made"),
]


@pytest.fixture(scope="module")
def probe(tmp_path_factory):
    return Classes(tmp_path_factory.mktemp("probe"), "g++")


@pytest.mark.parametrize("pair, old, new", CLASS_MUTANTS, ids=[one[0] for one in CLASS_MUTANTS])
def test_a_pair_about_a_class_that_runs_something_else_is_found_out(probe, pair, old, new):
    said = class_answer.RUNS[pair]
    assert probe.runs(pair, [(old, new)])[0] != {"value": sorted(said[0]), "pointer": sorted(said[1])}


ASKS = ("probe(const probe &other) { words[0] = __libc_single_threaded ? other.words[0] : 0; }"
        "probe &operator=(const probe &);")


@pytest.mark.parametrize("copying, said", [(COPYING, False), (ASKS, True)], ids=["plain", "asks for threads"])
def test_a_class_that_asks_for_threads_is_told(tmp_path, copying, said):
    """As std::shared_ptr: its counts are atomic where there are threads, which the measured process has not."""
    classes = Classes(tmp_path, "g++", copying)
    class_lessons.compile_pair(classes.compiler, classes.found, "class_read", tmp_path / "class_read.o")
    part = lessons.Part("one_thread", (), ("class_read",), 8, ())
    notes = class_lessons.notes(classes.compiler, part)
    assert len(notes) == said and all("in a program with threads the counting is atomic" in one for one in notes)


@pytest.mark.parametrize("cc", ["g++", "clang++"])
def test_a_shared_ptr_is_told_to_load_both_of_its_counts(tmp_path, cc):
    if not shutil.which(cc):
        pytest.skip(f"{cc} is not here: apt-get install {cc}")
    compiler = compilers.make(cc, (), "", tmp_path, "c++")
    found = cpp_class.study(compiler, "<memory>", "std::shared_ptr<long>")
    class_lessons.write_prefix(compiler, found, "std::make_shared<long>(1)")
    class_lessons.compile_pair(compiler, found, "class_return_stored", tmp_path / "class_return_stored.o")
    part = lessons.Part("one_thread", (), ("class_return_stored",), 8, ())
    assert [said for said in class_lessons.notes(compiler, part) if "loads both of its counts" in said]

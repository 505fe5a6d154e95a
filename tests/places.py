# SPDX-License-Identifier: MIT
"""Where things are, for all tests."""
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LISTED = re.findall(r"'(\w+/\w+)'", (ROOT / "benchmarks/meson.build").read_text())
LESSONS = {file.split("/")[1]: f"benchmarks/{file}.c" for file in LISTED}  # a lesson's name: its file below ROOT
# Those that ask and the variants are made of.
FEW = ("frames/pass", "frames/factory", "frames/return_out", "frames/mutate", "collections/collection", "controls/null")


def keep_few_lessons(meson):
    """In a copy's benchmarks/meson.build: what is built there takes less long."""
    few = "lesson_files = [\n" + "".join(f"  '{file}',\n" for file in FEW) + "]"
    text, times = re.subn(r"^lesson_files = \[.*?^\]", few, meson.read_text(), flags=re.M | re.S)
    assert times == 1
    meson.write_text(text)

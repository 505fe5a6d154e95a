# SPDX-License-Identifier: MIT
"""Where things are, for all tests."""
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LISTED = re.findall(r"'(\w+/\w+)'", (ROOT / "benchmarks/meson.build").read_text())
LESSONS = {file.split("/")[1]: f"benchmarks/{file}.c" for file in LISTED}  # a lesson's name: its file below ROOT

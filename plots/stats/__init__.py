# SPDX-License-Identifier: MIT
"""Numbers from numbers: reduction, intervals, verdicts, crossovers. No words, no files."""

# SPDX-License-Identifier: MIT
"""What is on disk, read strictly: JSON, journals, run folders, bench.txt."""

# SPDX-License-Identifier: MIT
"""What a run, a matrix, a stack run or a comparison says."""

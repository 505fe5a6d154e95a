# SPDX-License-Identifier: MIT
"""Reads run folders (results/SCHEMA.md), judges them and draws them. Knows nothing of C."""

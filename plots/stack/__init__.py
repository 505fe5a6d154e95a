# SPDX-License-Identifier: MIT
"""Stacks measured side by side."""

# SPDX-License-Identifier: MIT
"""Sizes between those that a run measured."""

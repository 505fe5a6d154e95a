# SPDX-License-Identifier: MIT
"""Runs on several machines in one table."""

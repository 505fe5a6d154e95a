# SPDX-License-Identifier: MIT
"""Judgements as text: tables and sentences."""

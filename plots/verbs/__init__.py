# SPDX-License-Identifier: MIT
"""Verbs of `python3 -m plots`: what a command line asks for."""

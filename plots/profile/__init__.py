# SPDX-License-Identifier: MIT
"""Profiles in pprof's form, drawn."""

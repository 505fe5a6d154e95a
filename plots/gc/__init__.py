# SPDX-License-Identifier: MIT
"""Collectors side by side: the verb `gc`."""

# SPDX-License-Identifier: MIT
"""The same lessons in Go."""

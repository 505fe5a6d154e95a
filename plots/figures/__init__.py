# SPDX-License-Identifier: MIT
"""One module for each figure, and how all of them look."""

# SPDX-License-Identifier: MIT
"""Two versions of the user's code against each other."""

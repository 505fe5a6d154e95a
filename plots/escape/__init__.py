# SPDX-License-Identifier: MIT
"""Where each object of a C program lives, why, and what another place would save."""

# SPDX-License-Identifier: MIT
"""How findings are told: in a terminal, as a page, to code scanning and editors, against a baseline."""

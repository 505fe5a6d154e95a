# SPDX-License-Identifier: MIT
"""What the machine does to measurements."""

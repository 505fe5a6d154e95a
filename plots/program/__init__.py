# SPDX-License-Identifier: MIT
"""What a Python program is to the system: how it fails, where it works."""

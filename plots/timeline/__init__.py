# SPDX-License-Identifier: MIT
"""The page that `trace` fills with a time line."""

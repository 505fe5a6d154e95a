# SPDX-License-Identifier: MIT
"""report.html of a run."""

# SPDX-License-Identifier: MIT
"""One module for each figure, and how all of them look."""

import logging

logging.getLogger("matplotlib").setLevel(logging.ERROR)  # no advice on where its cache should be

# SPDX-License-Identifier: MIT
"""What a reading of harness/measure/sensor.h says: whether the core was quiet."""

import numpy as np

QUIET = 1.1  # as in harness/measure/sensor.h


def is_quiet(readings_ns, quiet_ns):
    """A mask."""
    return np.asarray(readings_ns) <= QUIET * quiet_ns

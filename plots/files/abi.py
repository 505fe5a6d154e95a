# SPDX-License-Identifier: MIT
"""For which ABI the code of a run was compiled: how arguments are passed is its affair, and some texts are true of one
only. The names are those of harness/kernel.h."""

SYSV, AAPCS64 = "x86-64 System V", "AArch64"
_OF = {"x86_64": SYSV, "aarch64": AAPCS64}


def of(manifest):
    """Its name, or None where nobody has written down what it does."""
    return _OF.get(manifest["machine"].get("arch"))

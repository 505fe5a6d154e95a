# SPDX-License-Identifier: MIT
"""What a run over allocator configurations says."""

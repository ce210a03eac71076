# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""What this machine's processor is good at."""

from __future__ import annotations

import functools
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")
_DOT_PRODUCTS = frozenset(("avx512_vnni", "avx_vnni"))


@functools.cache
def is_fast_in_8_bits() -> bool:
    """Whether it has x86's dot products of 8-bit numbers (VNNI: Intel since 2019, AMD since Zen 4).

    Without them 8 bits gain little, and AVX2's kernels saturate, which costs accuracy. Only Linux tells; elsewhere, and on
    Arm, where nothing was measured yet, the answer is no.
    """
    try:
        return has_dot_products(_CPUINFO.read_text())
    except OSError:
        return False


def has_dot_products(cpuinfo: str) -> bool:
    """Of the text of Linux's /proc/cpuinfo."""
    flags = (line.partition(":")[2] for line in cpuinfo.splitlines() if line.startswith("flags"))
    return not _DOT_PRODUCTS.isdisjoint(next(flags, "").split())

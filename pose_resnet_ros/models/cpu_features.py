# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Which instructions for int8 this machine's processor has."""

from __future__ import annotations

import functools
import platform
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")
_X86 = frozenset(("x86_64", "amd64"))
_DOT_PRODUCTS = frozenset(("avx512_vnni", "avx_vnni"))


@functools.cache
def flags() -> frozenset[str]:
    """The names that Linux gives to the processor's instructions; empty on other systems, and on Arm."""
    try:
        return x86_flags(_CPUINFO.read_text())
    except OSError:
        return frozenset()


def x86_flags(cpuinfo: str) -> frozenset[str]:
    """Of the text of Linux's /proc/cpuinfo."""
    lines = (line.partition(":")[2] for line in cpuinfo.splitlines() if line.startswith("flags"))
    return frozenset(next(lines, "").split())


def is_fast_at_int8() -> bool:
    """Whether 8 bits take clearly less time than float32: x86 from AVX2 on (Intel since 2013, AMD since 2015).

    On older ones they take more (docs/performance.md). On Arm nothing was measured yet, and other systems do not tell: no.
    """
    return "avx2" in flags()


def saturates_at_int8() -> bool:
    """Whether it is an x86 without dot products of 8-bit numbers (VNNI: Intel since 2019, AMD since Zen 4), or does not tell.

    onnxruntime's fast kernels then add two products of an unsigned and a signed 8-bit number in 16 bits, which saturate; where
    the signed one has 7 bits they cannot, since 2 * 255 * 64 < 2**15.
    """
    return platform.machine().lower() in _X86 and _DOT_PRODUCTS.isdisjoint(flags())

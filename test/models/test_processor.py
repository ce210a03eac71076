# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Which processors are fast in 8 bits, read off excerpts of /proc/cpuinfo."""

from __future__ import annotations

from pathlib import Path

import pytest

from pose_resnet_ros.models import processor


@pytest.mark.parametrize(
    ("flags", "fast"),
    [
        ("flags\t\t: fpu sse4_2 avx avx2 fma", False),
        ("flags\t\t: fpu avx2 avx512f avx512_vnni avx512_bitalg", True),
        ("flags\t\t: fpu avx2 fma avx_vnni", True),
        ("Features\t: fp asimd asimdhp asimddp", False),
        ("", False),
    ],
    ids=["AVX2", "AVX-512", "Alder Lake", "Arm", "nothing"],
)
def test_dot_products_are_among_the_flags(flags: str, fast: bool) -> None:
    assert (
        processor.has_dot_products(f"processor\t: 0\nvendor_id\t: any\n{flags}\nbugs\t\t: avx_vnni\n") is fast
    )


def test_a_system_that_does_not_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processor, "_CPUINFO", tmp_path / "cpuinfo")
    assert processor.is_fast_in_8_bits.__wrapped__() is False

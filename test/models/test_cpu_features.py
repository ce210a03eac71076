# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""What processors are good at, read off excerpts of /proc/cpuinfo."""

from __future__ import annotations

from pathlib import Path

import pytest

from pose_resnet_ros.models import cpu_features


@pytest.fixture(autouse=True)
def _ask_anew():
    cpu_features.flags.cache_clear()
    yield
    cpu_features.flags.cache_clear()


@pytest.mark.parametrize(
    ("flags", "machine", "fast", "saturates"),
    [
        ("flags\t\t: fpu sse4_2 avx", "x86_64", False, True),
        ("flags\t\t: fpu sse4_2 avx avx2 fma", "x86_64", True, True),
        ("flags\t\t: fpu avx2 avx512f avx512vl", "x86_64", True, True),
        ("flags\t\t: fpu avx2 avx512f avx512_vnni avx512_bitalg", "x86_64", True, False),
        ("flags\t\t: fpu avx2 fma avx_vnni", "x86_64", True, False),
        ("Features\t: fp asimd asimdhp asimddp", "aarch64", False, False),
        ("", "AMD64", False, True),
    ],
    ids=["AVX", "AVX2", "Skylake-X", "AVX-512", "Alder Lake", "Arm", "does not tell"],
)
def test_the_flags_tell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: str, machine: str, fast: bool, saturates: bool
) -> None:
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\nvendor_id\t: any\n{flags}\nbugs\t\t: avx_vnni\n")
    monkeypatch.setattr(cpu_features, "_CPUINFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(cpu_features.platform, "machine", lambda: machine)
    assert cpu_features.is_fast_at_int8() is fast
    assert cpu_features.saturates_at_int8() is saturates


def test_a_system_that_does_not_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu_features, "_CPUINFO", tmp_path / "cpuinfo")
    assert cpu_features.flags() == frozenset()
    assert cpu_features.is_fast_at_int8() is False

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The GPU script, tried on the CPU: it ends well and writes what it promises."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="requires torch")
ROOT = Path(__file__).parents[2]


def test_the_gpu_script_on_the_cpu(tmp_path: Path) -> None:
    output = tmp_path / "gpu.json"
    words = f"-m benchmarks.gpu --backend cpu --depth 18 --batch 1 --rounds 1 --output {output}"
    subprocess.run([sys.executable, *words.split()], cwd=ROOT, check=True, capture_output=True, timeout=600)
    report = json.loads(output.read_text())
    assert report["log"] == []
    assert all(row["in_one_trip"] for row in report["parity"].values())
    assert report["replays"]["largest_score_difference"] < 1e-3
    assert report["frame"].keys() == {"one trip", "crops on the CPU"}
    assert set(report["per_person"]["share_of_a_call_a_person"]) == {"one trip", "network"}
    assert report["batch"]["persons"] == 1
    assert all(row["median_ms"] > 0 for row in report["batch"]["rows"].values())
    assert report["batch"]["refused"] == {}

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The GPU script, tried on the CPU: it ends well and writes what it promises."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="requires torch")
from benchmarks import gpu
from benchmarks.gpu_bench import Bench, Report

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_gpu_script_on_the_cpu(tmp_path: Path) -> None:
    output = tmp_path / "gpu.json"
    words = f"-m benchmarks.gpu --backend cpu --depth 18 --batch 1 --rounds 1 --output {output}"
    subprocess.run([sys.executable, *words.split()], cwd=ROOT, check=True, capture_output=True, timeout=600)
    report = json.loads(output.read_text())
    assert report["log"] == []
    assert all(row["in_fused_graph"] for row in report["parity"].values())
    assert report["replays"]["largest_score_difference"] < 1e-3
    assert report["frame"].keys() == {"fused graph", "crops on the CPU"}
    assert set(report["per_person"]["share_of_a_call_a_person"]) == {"fused graph", "network"}
    assert set(report["replays"]["first_and_next_call_ms"]) == {"1"}
    assert report["batch"]["persons"] == 1
    assert len(report["batch"]["rows"]["as shipped"]) == 4
    assert all(row["median_ms"] > 0 for row in report["batch"]["rows"]["as shipped"].values())
    assert report["batch"]["refused"] == {}


def test_what_fails_or_comes_too_late_is_noted_and_the_rest_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def partly(bench: Bench, found: dict[str, object]) -> None:
        found["first"] = 1
        made = bench.proven({"good": (lambda: list, ()), "bad": (lambda: lambda: {}["x"], ())}, found)
        assert list(made) == ["good"]
        assert json.loads((tmp_path / "gpu.json").read_text())["frame"]["first"] == 1  # at once
        bench.args.minutes = 0
        assert bench.proven({"late": (lambda: list, ())}, found) == {}
        raise RuntimeError("broken")

    monkeypatch.setattr(gpu.Bench, "__init__", light)
    monkeypatch.setitem(gpu.PARTS, "frame", partly)
    status = gpu.main(["--parts", "frame", "batch", "--output", str(tmp_path / "gpu.json")])
    report = json.loads((tmp_path / "gpu.json").read_text())
    assert status == 1
    assert report["frame"]["bad"] == "KeyError: 'x'"
    assert report["frame"]["late"] == "no time left"
    assert "RuntimeError: broken" in report["frame"]["failed"]
    assert report["batch"] == {"failed": "not begun: 0 minutes were over"}
    assert "frame is done" in capsys.readouterr().out


def light(bench: Bench, args: argparse.Namespace, folder: Path, report: Report) -> None:
    """A bench without models."""
    bench.args, bench.report, bench._begin = args, report, time.monotonic()

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Baselines run the same weights where their libraries are installed; how fast anything was is not tested."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import baselines
from benchmarks.baseline_networks import BASELINES, OURS
from pose_resnet_ros.core.errors import BenchmarkError


@pytest.mark.slow
def test_what_is_installed_runs_the_same_weights_and_the_rest_is_named(tmp_path: Path, capsys):
    path = tmp_path / "baselines.json"
    baselines.run(["--persons", "2", "--threads", "1", "--rounds", "2", "--json", str(path)])
    report = json.loads(path.read_text())
    ran = {row["baseline"]: row for row in report["baselines"]}
    assert {OURS, "onnxruntime, one call a person", "OpenCV DNN"} <= ran.keys()
    assert ran[OURS]["against_ours"] == 1.0
    assert ran.keys() | report["missing"].keys() == BASELINES.keys()
    assert all(report["missing"].values())
    assert {row["baseline"] for row in report["starts"]} == ran.keys()
    assert all(row["first_result_ms"] > 0 for row in report["starts"])
    printed = capsys.readouterr().out
    assert all(name in printed for name in BASELINES)


def test_other_heatmaps_are_not_compared():
    networks = {OURS: lambda tensor: tensor, "another": lambda tensor: tensor + 0.1}
    with pytest.raises(BenchmarkError, match="another gives other heatmaps than onnxruntime"):
        baselines.measure(networks, np.zeros((1, 3, 4, 4), np.float32), rounds=1)

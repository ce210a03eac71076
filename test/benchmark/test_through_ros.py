# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The benchmark through ROS 2: three processes, and the numbers fit together. How fast it was is not tested."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from pose_resnet_ros.models.pose_net import PoseNet
from pose_resnet_ros.tools import cli
from pose_resnet_ros.tools.benchmark import null_model

_PROFILES = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")


@pytest.fixture
def _kept_environment(monkeypatch: pytest.MonkeyPatch):
    """The tool sets ROS variables for its children; this process gets its own back."""
    for name in ("ROS_AUTOMATIC_DISCOVERY_RANGE", "ROS_DOMAIN_ID", *_PROFILES):
        monkeypatch.setenv(name, os.environ[name])


@pytest.mark.usefixtures("_kept_environment")
@pytest.mark.parametrize(
    ("arguments", "cameras", "nodes"),
    [
        ([], 1, 1),
        (["--cameras", "2", "--image-transport", "compressed"], 2, 1),
        (["--cameras", "2", "--node-per-camera"], 2, 2),
        (["--image-transport", "ffmpeg"], 1, 1),
    ],
    ids=["one camera", "two cameras, JPEG", "two nodes", "H.264"],
)
def test_a_source_nodes_and_a_listener(tmp_path: Path, capsys, arguments: list[str], cameras: int, nodes: int):
    pytest.importorskip("rclpy")
    path = tmp_path / "node.json"
    given = ["--without-networks", "--size", "320x240", "--rate", "20", "--seconds", "5", "--threads", "1", *arguments]
    assert cli.main(["benchmark", "--node", *given, "--json", str(path)]) == 0
    row = json.loads(path.read_text())["node"]
    assert (row["width"], row["height"], row["persons"]) == (320, 240, 1.0)
    assert (row["cameras"], row["nodes"], len(row.get("results_hz_each", [1]))) == (cameras, nodes, cameras)
    assert row["image_transport"] == (arguments[-1] if "--image-transport" in arguments else "raw")
    assert row["memory_mb"] > 10
    assert row["results"] >= 2
    assert row["sent"] == row["results"] + row["dropped"]
    assert 0 < row["age_median_ms"] <= row["age_p95_ms"] <= row["age_max_ms"]
    assert {"convert", "crop", "pose", "decode", "publish"} <= row["stage_ms"].keys()
    assert "age_median_ms" in capsys.readouterr().out


def test_a_report_of_a_node_that_stood_still_has_no_age():
    pytest.importorskip("rclpy")
    from pose_resnet_ros.ros.programs.benchmark_node import _median

    assert _median([{"age": "no sample"}, {"age": "3.0"}, {}], "age") == 3.0


def test_without_ros_it_says_so(monkeypatch: pytest.MonkeyPatch, capsys):
    monkeypatch.setitem(sys.modules, "pose_resnet_ros.ros.programs.benchmark_node", None)
    assert cli.main(["benchmark", "--node"]) == 1
    assert "--node needs ROS 2" in capsys.readouterr().err


def test_the_null_model_is_a_pose_network(tmp_path: Path):
    pytest.importorskip("onnx")
    assert PoseNet(null_model(tmp_path / "null.onnx")).input_wh == (48, 64)

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""A node where ROS 2's log files cannot be written: rclpy alone would end in a traceback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("rclpy")


@pytest.mark.parametrize(
    ("places", "says"),
    [
        ({}, "neither HOME nor ROS_LOG_DIR is set"),
        ({"HOME": "/proc/none"}, "cannot make the folder /proc/none/.ros/log"),
        ({"HOME": "/proc/none", "ROS_HOME": "/proc/ros"}, "cannot make the folder /proc/ros/log"),
        ({"ROS_LOG_DIR": "/proc/logs"}, "cannot make the folder /proc/logs"),
    ],
)
def test_a_node_works_without_log_files_and_says_so(
    tmp_path: Path, ros_environment: dict[str, str], places: dict[str, str], says: str
) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((48, 64, 3), np.uint8))
    unset = ("HOME", "ROS_HOME", "ROS_LOG_DIR")
    environment = {name: value for name, value in ros_environment.items() if name not in unset} | places
    command = [sys.executable, "-m", "pose_resnet_ros", "image_source", "--ros-args", "-p", "source:=a.png"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert f"image_source: no log files are written: {says}" in done.stderr
    assert "ended after 1 frames" in done.stderr


def test_log_files_are_written_where_they_can_be(tmp_path: Path, ros_environment: dict[str, str]) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((48, 64, 3), np.uint8))
    command = [sys.executable, "-m", "pose_resnet_ros", "image_source", "--ros-args", "-p", "source:=a.png"]
    logs = tmp_path / "new" / "logs"
    environment = {**ros_environment, "ROS_LOG_DIR": str(logs)}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    assert "no log files" not in done.stderr
    assert len(list(logs.glob("*.log"))) == 1

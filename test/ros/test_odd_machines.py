# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Nodes where ROS 2's log files cannot be written, and with files whose names are no text: rclpy alone ends in tracebacks."""

from __future__ import annotations

import os
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
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert f"image_source: no log files are written: {says}" in done.stderr
    assert "ended after 1 frames" in done.stderr


def test_names_that_are_not_utf_8(tmp_path: Path, ros_environment: dict[str, str]) -> None:
    """A folder with such names is published, a damaged one is said; as a parameter ROS 2 does not take one."""
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    data = cv2.imencode(".png", np.zeros((48, 64, 3), np.uint8))[1].tobytes()
    (pictures / os.fsdecode(b"a\xe9.png")).write_bytes(data)
    (pictures / os.fsdecode(b"b\xe9.png")).write_bytes(data[:30])
    for source, code, says in (
        (b"pictures", 0, "ended after 1 frames"),
        (b"pictures", 0, "skipped: pictures/b\\udce9.png"),
        (b"pictures/a\xe9.png", 2, "ROS 2 takes UTF-8 only, got 'source:=pictures/a\\udce9.png'"),
    ):
        command = [sys.executable, "-m", "pose_resnet_ros", "image_source", "--ros-args", "-p", b"source:=" + source]
        done = subprocess.run(command, cwd=tmp_path, env=ros_environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == code, done.stderr
        assert says in done.stderr
        assert "Traceback" not in done.stderr


def test_log_files_are_written_where_they_can_be(tmp_path: Path, ros_environment: dict[str, str]) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((48, 64, 3), np.uint8))
    command = [sys.executable, "-m", "pose_resnet_ros", "image_source", "--ros-args", "-p", "source:=a.png"]
    logs = tmp_path / "new" / "logs"
    environment = {**ros_environment, "ROS_LOG_DIR": str(logs)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=True)
    assert "no log files" not in done.stderr
    assert len(list(logs.glob("*.log"))) == 1

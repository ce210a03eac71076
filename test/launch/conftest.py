# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Tests of the launch file run where ROS 2's `launch_ros` is installed; the wheels do not bring it."""

import os
import sys

import pytest


@pytest.fixture
def ros_prefix(monkeypatch):
    """What a sourced setup file would set, where this environment itself is the ROS prefix."""
    pytest.importorskip("launch_ros", reason="the launch file needs launch and launch_ros, which no wheel brings")
    if not os.environ.get("AMENT_PREFIX_PATH"):
        monkeypatch.setenv("AMENT_PREFIX_PATH", sys.prefix)
    monkeypatch.setenv("PATH", os.path.dirname(sys.executable), prepend=os.pathsep)

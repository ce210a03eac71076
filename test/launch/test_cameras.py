# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""config/cameras.yaml, also where launch is not installed."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from pose_resnet_ros.settings import Settings

CAMERAS = yaml.safe_load((Path(__file__).parents[2] / "config" / "cameras.yaml").read_text())


def test_the_cameras_that_are_promised() -> None:
    assert CAMERAS.keys() == {"realsense", "oak", "zed", "usb_cam", "v4l2_camera", "gazebo"}


@pytest.mark.parametrize("name", CAMERAS)
def test_each_says_how_to_start_it_and_where_its_images_are(name: str) -> None:
    camera = CAMERAS[name]
    topics = {key: value for key, value in camera.items() if key.endswith("_topic")}
    assert camera["start"].startswith("ros2 ")
    assert {"image_topic", "camera_info_topic"} <= topics.keys() <= {"image_topic", "camera_info_topic", "depth_topic"}
    assert all(topic.startswith("/") for topic in topics.values())
    assert camera.keys() <= {*topics, "start", "parameters"}


def test_parameters_are_the_nodes() -> None:
    known = {row.name: row for row in Settings.settings()}
    for camera in CAMERAS.values():
        for name, value in camera.get("parameters", {}).items():
            assert name == "use_sim_time" or known[name].check(value) == value

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""docs/tutorials/four_cameras.md: its parameter file and its command, in a running node."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("rclpy")

from diagnostic_msgs.msg import DiagnosticArray
from pose_resnet_ros.msg import PersonArray
from rclpy.parameter import Parameter
from sensor_msgs.msg import CompressedImage, Image

PAGE = (Path(__file__).parents[2] / "docs" / "tutorials" / "four_cameras.md").read_text(encoding="utf-8")


def test_the_parameter_file_sets_up_four_cameras(
    world: Any, spot: str, tmp_path: Path, image_message: Callable[..., Image]
) -> None:
    (text,) = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    path = tmp_path / "four_cameras.yaml"
    path.write_text(text.replace("    detector_input", "    # detector_input"))  # this test has no detector
    node = world.pose_node("--params-file", str(path), pose_model=spot)
    names = ("front", "left", "rear", "right")
    settings = {camera.context.name: camera.context.settings() for camera in node.cameras}
    assert {name: (found.depth.use_depth, found.input.max_rate_hz) for name, found in settings.items()} == {
        "front": (True, 0.0), "left": (False, 0.0), "rear": (False, 2.0), "right": (False, 0.0),
    }  # fmt: skip
    assert [settings[name].stream.frame.image_rotation for name in names] == [0, 90, 0, 270]

    persons = {name: world.listen(PersonArray, f"/pose_resnet/{name}/persons") for name in names}
    statuses = world.listen(DiagnosticArray, "/diagnostics")
    jpeg = CompressedImage(format="jpeg", header=image_message().header)
    jpeg.data = cv2.imencode(".jpg", np.zeros((120, 160, 3), np.uint8))[1].tobytes()
    for name in names:
        topic, message = (f"/{name}/image/compressed", jpeg) if name == "rear" else (f"/{name}/image", image_message())
        world.publisher(type(message), topic).publish(message)
        world.until(lambda name=name: persons[name], f"persons of {name}")
    statuses.clear()
    world.until(lambda: statuses, "diagnostics")
    assert [status.name for status in statuses[0].status] == [f"pose_resnet: pose estimation {name}" for name in names]

    (changed,) = re.findall(r"^ros2 param set /pose_resnet (\S+) (\S+)$", PAGE, re.MULTILINE)
    (result,) = node.set_parameters([Parameter(changed[0], value=float(changed[1]))])
    assert result.successful
    assert node.cameras[2].context.settings().input.max_rate_hz == 5.0


def test_the_command_remaps_a_camera(world: Any) -> None:
    (command,) = re.findall(r"^pose_resnet_ros pose_node --ros-args (.*)$", PAGE, re.MULTILINE)
    node = world.pose_node(*shlex.split(command), start=False)
    assert [camera.context.image_topic for camera in node.cameras] == ["/front_camera/image_raw", "/rear/image"]

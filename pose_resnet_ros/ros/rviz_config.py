# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""RViz configurations for several cameras."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from pose_resnet_ros.ros.rviz_layout import window_state

NODE_NAME = "pose_resnet"  # in the topics of the files in rviz/
ROBOT_FRAME = "base_link"  # REP 105; its origin is on the floor


def file_for_cameras(path: str, cameras: Sequence[str]) -> str:
    """Return the path of a new file: the configuration in ``path`` for these cameras. It stays there for RViz to read."""
    config = with_cameras(yaml.safe_load(Path(path).read_text(encoding="utf-8")), cameras)
    with tempfile.NamedTemporaryFile("w", suffix=".rviz", delete=False, encoding="utf-8") as written:
        yaml.safe_dump(config, written)
    return written.name


def with_cameras(config: dict[str, Any], cameras: Sequence[str]) -> dict[str, Any]:
    """Return RViz's configuration with each display of the node's topics once for every camera."""
    manager, geometry = config["Visualization Manager"], config["Window Geometry"]
    ours = [display for display in manager["Displays"] if f"/{NODE_NAME}/" in display.get("Topic", {}).get("Value", "")]
    copies = {camera: [_of_camera(display, camera) for display in ours] for camera in cameras}
    others = [_of_robot(display) for display in manager["Displays"] if display not in ours]
    displays = others + [copy for camera in cameras for copy in copies[camera]]
    cells = [[(copy["Name"], copy["Enabled"]) for copy in copies[camera] if _is_picture(copy)] for camera in cameras]
    panels = [(panel["Name"], panel["Name"] != "Views") for panel in config["Panels"]]  # its place is the scene's
    kept = {name: value for name, value in geometry.items() if not isinstance(value, dict)}
    panes = {name: {"collapsed": False} for name, _ in itertools.chain(panels, *cells)}
    state = {"QMainWindow State": window_state(panels, cells, geometry["Width"], geometry["Height"])}
    scene = {**manager, "Displays": displays} | _around_robot(manager)
    return {**config, "Visualization Manager": scene, "Window Geometry": kept | panes | state}


def _around_robot(manager: dict[str, Any]) -> dict[str, Any]:
    """The scene of cameras that look in different directions: from behind and above the robot, all around it is seen."""
    view = {**manager["Views"]["Current"], "Distance": 13, "Focal Point": {"X": 0, "Y": 0, "Z": 0.5}, "Pitch": 0.7, "Yaw": 3.14}
    return {
        "Global Options": {**manager["Global Options"], "Fixed Frame": ROBOT_FRAME},
        "Views": {**manager["Views"], "Current": view},
    }


def _of_robot(display: dict[str, Any]) -> dict[str, Any]:
    """A display that belongs to no camera."""
    if display["Class"] == "rviz_default_plugins/Grid":
        return {**display, "Offset": {"X": 0, "Y": 0, "Z": 0}, "Plane Cell Count": 16}
    return {**display, "Name": "Robot"} if display["Class"] == "rviz_default_plugins/Axes" else display


def _of_camera(display: dict[str, Any], camera: str) -> dict[str, Any]:
    topic = {**display["Topic"], "Value": display["Topic"]["Value"].replace(f"/{NODE_NAME}/", f"/{NODE_NAME}/{camera}/")}
    return {**display, "Name": f"{display['Name']} {camera}", "Topic": topic}


def _is_picture(display: dict[str, Any]) -> bool:
    return display["Class"] == "rviz_default_plugins/Image"

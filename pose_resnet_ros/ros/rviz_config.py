# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""RViz configurations for several cameras."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from pose_resnet_ros.ros.rviz_layout import window_state

NODE_NAME = "pose_resnet"  # in the topics of the files in rviz/


def file_for_cameras(path: str, cameras: Sequence[str]) -> str:
    """Return the path of a new file: the configuration in ``path`` for these cameras. RViz reads it, and nobody deletes it."""
    config = with_cameras(yaml.safe_load(Path(path).read_text(encoding="utf-8")), cameras)
    with tempfile.NamedTemporaryFile("w", suffix=".rviz", delete=False, encoding="utf-8") as written:
        yaml.safe_dump(config, written)
    return written.name


def with_cameras(config: dict[str, Any], cameras: Sequence[str]) -> dict[str, Any]:
    """Return RViz's configuration with each display of the node's topics once for every camera."""
    manager, geometry = config["Visualization Manager"], config["Window Geometry"]
    ours = [display for display in manager["Displays"] if f"/{NODE_NAME}/" in display.get("Topic", {}).get("Value", "")]
    copies = {camera: [_of_camera(display, camera) for display in ours] for camera in cameras}
    others = [display for display in manager["Displays"] if display not in ours]
    displays = others + [copy for camera in cameras for copy in copies[camera]]
    cells = [[(copy["Name"], copy["Enabled"]) for copy in copies[camera] if _is_picture(copy)] for camera in cameras]
    panels = [panel["Name"] for panel in config["Panels"]]
    kept = {name: value for name, value in geometry.items() if not isinstance(value, dict)}
    panes = {name: {"collapsed": False} for name in [*panels, *(name for cell in cells for name, _ in cell)]}
    state = {"QMainWindow State": window_state(panels, cells, geometry["Width"], geometry["Height"])}
    return {**config, "Visualization Manager": {**manager, "Displays": displays}, "Window Geometry": kept | panes | state}


def _of_camera(display: dict[str, Any], camera: str) -> dict[str, Any]:
    topic = {**display["Topic"], "Value": display["Topic"]["Value"].replace(f"/{NODE_NAME}/", f"/{NODE_NAME}/{camera}/")}
    return {**display, "Name": f"{display['Name']} {camera}", "Topic": topic}


def _is_picture(display: dict[str, Any]) -> bool:
    return display["Class"] == "rviz_default_plugins/Image"

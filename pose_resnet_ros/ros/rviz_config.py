# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""RViz configurations for several cameras."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

NODE_NAME = "pose_resnet"  # in the topics of the files in rviz/


def file_for_cameras(path: str, cameras: Sequence[str]) -> str:
    """Return the path of a new file: the configuration in ``path`` for these cameras. RViz reads it, and nobody deletes it."""
    config = _with_cameras(yaml.safe_load(Path(path).read_text(encoding="utf-8")), cameras)
    with tempfile.NamedTemporaryFile("w", suffix=".rviz", delete=False, encoding="utf-8") as written:
        yaml.safe_dump(config, written)
    return written.name


def _with_cameras(config: dict[str, Any], cameras: Sequence[str]) -> dict[str, Any]:
    """Return RViz's configuration with each display of the node's topics once for every camera."""
    manager, geometry = config["Visualization Manager"], config["Window Geometry"]
    ours = [display for display in manager["Displays"] if f"/{NODE_NAME}/" in display.get("Topic", {}).get("Value", "")]
    copies = [_of_camera(display, camera) for camera in cameras for display in ours]
    manager["Displays"] = [display for display in manager["Displays"] if display not in ours] + copies
    panes = {
        f"{display['Name']} {camera}": geometry[display["Name"]]
        for camera in cameras
        for display in ours
        if display["Name"] in geometry
    }
    # The saved arrangement knows one camera's panes; without it, RViz arranges them itself.
    kept = {
        name: value
        for name, value in geometry.items()
        if name not in {"QMainWindow State", *(display["Name"] for display in ours)}
    }
    return {**config, "Window Geometry": kept | panes}


def _of_camera(display: dict[str, Any], camera: str) -> dict[str, Any]:
    topic = {**display["Topic"], "Value": display["Topic"]["Value"].replace(f"/{NODE_NAME}/", f"/{NODE_NAME}/{camera}/")}
    return {**display, "Name": f"{display['Name']} {camera}", "Topic": topic}

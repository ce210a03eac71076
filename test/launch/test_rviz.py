# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""rviz/*.rviz are whole, as RViz itself saves them, and so is what is made of them for several cameras."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from pose_resnet_ros.ros.rviz_config import with_cameras

FILES = sorted((Path(__file__).parents[2] / "rviz").glob("*.rviz"))


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def config(request: pytest.FixtureRequest) -> dict[str, Any]:
    return yaml.safe_load(request.param.read_text())


def panes(config: dict[str, Any]) -> set[str]:
    """The names of the windows beside the scene: panels, and the displays that show pictures."""
    displays = config["Visualization Manager"]["Displays"]
    pictures = [display for display in displays if display["Class"] == "rviz_default_plugins/Image"]
    return {pane["Name"] for pane in [*config["Panels"], *pictures]}


def test_there_are_two() -> None:
    assert [path.stem for path in FILES] == ["pose", "pose_3d"]


def test_rviz_finds_every_value_that_it_reads(config: dict[str, Any]) -> None:
    geometry = config["Window Geometry"]

    assert (geometry["Hide Left Dock"], geometry["Hide Right Dock"]) == (False, False)
    assert all(isinstance(geometry[name], int) for name in ("X", "Y", "Width", "Height"))
    assert {name for name, value in geometry.items() if isinstance(value, dict)} == panes(config)


def docks(config: dict[str, Any]) -> dict[str, int]:
    """The docked panes with their flags. Qt's QMainWindow::saveState: a marker, a version, and the docks by name (a length, then
    UTF-16).
    """
    state = bytes.fromhex(config["Window Geometry"]["QMainWindow State"])

    assert state.startswith(bytes.fromhex("000000ff00000000fd"))
    flags = {}
    for pane in panes(config):
        name = pane.encode("utf-16-be")
        dock = b"\xfb" + len(name).to_bytes(4, "big") + name
        assert state.count(dock) == 1
        flags[pane] = state[state.index(dock) + len(dock)]
    return flags


def test_every_pane_is_docked(config: dict[str, Any]) -> None:
    assert set(docks(config).values()) <= {0, 1}  # hidden or visible; a floating one has the second bit


@pytest.mark.parametrize("cameras", [["front"], ["front", "rear"], ["front", "left", "rear", "right"]], ids=len)
def test_every_camera_has_its_panes(config: dict[str, Any], cameras: list[str]) -> None:
    several = with_cameras(config, cameras)

    test_rviz_finds_every_value_that_it_reads(several)
    assert docks(several).keys() >= {f"Annotated image {camera}" for camera in cameras}


@pytest.mark.parametrize("config", FILES[1:], indirect=True, ids=["pose_3d"])
def test_several_cameras_are_shown_around_the_robot(config: dict[str, Any]) -> None:
    """No camera is in the middle, and the floor is where the robot stands."""
    manager = with_cameras(config, ["front", "rear"])["Visualization Manager"]
    displays = {display["Name"]: display for display in manager["Displays"]}

    assert manager["Global Options"]["Fixed Frame"] == "base_link"
    assert displays["Grid"]["Offset"] == manager["Views"]["Current"]["Focal Point"] | {"Z": 0}
    assert {"Robot", "Skeletons front", "Skeletons rear"} <= displays.keys()
    assert not {"Camera", "Skeletons"} & displays.keys()
    assert config["Visualization Manager"]["Global Options"]["Fixed Frame"] == "camera_link"  # the one given is as it was


def test_what_is_off_stays_hidden(config: dict[str, Any]) -> None:
    """RViz switches a display on whose pane is visible: every camera's heatmaps would be computed and sent."""
    several = with_cameras(config, ["front", "rear"])
    displays = {display["Name"]: display["Enabled"] for display in several["Visualization Manager"]["Displays"]}

    assert all(flag == displays.get(name, name != "Views") for name, flag in docks(several).items())

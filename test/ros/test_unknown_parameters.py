# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Mistyped parameters, by command line and by file, are named with what was meant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("rclpy")

from rclpy.node import Node

from pose_resnet_ros.ros.parameters import warn_of_unknown
from pose_resnet_ros.settings import Settings

SAID = "unknown parameters, ignored"


def test_a_mistyped_name_on_the_command_line(world: Any, capfd: pytest.CaptureFixture[str]) -> None:
    node = world.pose_node("-p", "detecton_threshold:=0.3", start=False)
    assert node.get_parameter("detection_threshold").value == 0.5
    log = capfd.readouterr().err
    assert f"{SAID}: detecton_threshold (did you mean detection_threshold?)" in log
    assert log.count(SAID) == 1


def test_a_file_for_many_nodes(world: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "robot.yaml"
    path.write_text(
        """
/**:
  ros__parameters:
    use_sim_time: false
    start_type_description_service: true
    wheel_diameter_m: 0.3
    tracking: {max_age: 500.0, confirm_hits: 3}
    qos_overrides: {/image: {subscription: {reliability: best_effort}}}
other_node:
  ros__parameters: {not_ours: 1}
"""
    )
    node = world.pose_node("--params-file", str(path), start=False)
    assert node.get_parameter("tracking.confirm_hits").value == 3
    said = [line for line in capfd.readouterr().err.splitlines() if SAID in line]
    assert [line.partition(SAID)[2] for line in said] == [
        ": tracking.max_age (did you mean tracking.max_age_ms?), wheel_diameter_m"
    ]


def test_the_right_names_are_no_news(world: Any, capfd: pytest.CaptureFixture[str]) -> None:
    given = {name.replace(".", "__"): value for name, value in Settings().values().items()}
    world.pose_node(start=False, **given)
    assert SAID not in capfd.readouterr().err


def test_an_rclpy_that_keeps_them_elsewhere_is_no_error(
    world: Any, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    node = Node("other", cli_args=["--ros-args", "-p", "mistyped:=1"])
    with monkeypatch.context() as patch:
        patch.delattr(node, "_parameter_overrides")
        warn_of_unknown(node, [])
    assert SAID not in capfd.readouterr().err
    node.destroy_node()

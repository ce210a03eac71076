# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Parameter files read for launch files mean what they mean for rclpy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("rclpy")

from pose_resnet_ros.ros.parameter_files import file_parameters


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/robot1/pose_resnet: {ros__parameters: {threads: 3}}", 3),
        ("robot1/pose_resnet: {ros__parameters: {threads: 3}}", 3),
        ("robot1: {pose_resnet: {ros__parameters: {threads: 3}}}", 3),
        ("/robot1: {pose_resnet: {ros__parameters: {threads: 3}}}", 3),
        ("/**: {ros__parameters: {threads: 3}}", 3),
        ("/**/pose_resnet: {ros__parameters: {threads: 3}}", 3),
        ("/*/pose_resnet: {ros__parameters: {threads: 3}}", 3),
        ("/robot1/*: {ros__parameters: {threads: 3}}", 3),
        ("/**: {ros__parameters: {threads: 3}}\n/robot1/pose_resnet: {ros__parameters: {threads: 4}}", 4),
        ("/*: {ros__parameters: {threads: 3}}", None),
        ("pose_resnet: {ros__parameters: {threads: 3}}", None),
        ("/robot2/pose_resnet: {ros__parameters: {threads: 3}}", None),
    ],
)
def test_sections_are_those_that_rclpy_reads(world: Any, tmp_path: Path, text: str, expected: int | None) -> None:
    path = tmp_path / "some.yaml"
    path.write_text(text + "\n")
    node = world.pose_node("-r", "__ns:=/robot1", "--params-file", str(path), start=False)
    assert node.get_parameter("threads").value == (expected or 0)
    assert file_parameters(path, "/robot1/pose_resnet").get("threads") == expected


def test_names_are_flat_and_what_is_no_section_is_nothing(tmp_path: Path) -> None:
    path = tmp_path / "some.yaml"
    path.write_text("/a: {ros__parameters: {cameras: [front], front: {use_depth: true}, front.image_rotation: 90}}\n")
    assert file_parameters(path, "/a") == {"cameras": ["front"], "front.use_depth": True, "front.image_rotation": 90}
    for text in ("", "3", "a: 3", "/a: {ros__parameters: 3}"):
        path.write_text(text)
        assert file_parameters(path, "/a") == {}

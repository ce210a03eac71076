# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""``cameras``, and the parameters that one of them can have for itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

pytest.importorskip("rclpy")

from rclpy.parameter import Parameter, parameter_value_to_python

from pose_resnet_ros.core.errors import SettingsError

TWO = "cameras:=[front, rear]"


def settings_of(node: Any, name: str) -> Any:
    (found,) = [camera for camera in node.cameras if camera.context.name == name]
    return found.context.settings()


def rotations(node: Any) -> list[int]:
    return [camera.context.settings().stream.frame.image_rotation for camera in node.cameras]


def change(node: Any, **values: Any) -> list[str]:
    """The reasons of the refusals, \"\" for a success."""
    return [
        result.reason
        for result in node.set_parameters([Parameter(name.replace("__", "."), value=value) for name, value in values.items()])
    ]


def test_a_cameras_own_value_beats_the_nodes_which_the_others_follow(world: Any) -> None:
    node = world.pose_node("-p", TWO, "-p", "front.image_rotation:=90", start=False)
    assert rotations(node) == [90, 0]
    assert change(node, image_rotation=180) == [""]
    assert rotations(node) == [90, 180]
    assert change(node, rear__image_rotation=270, front__image_rotation=0) == ["", ""]
    assert rotations(node) == [0, 270]
    assert node._settings.stream.frame.image_rotation == 180
    (why,) = change(node, front__image_rotation=45)
    assert why
    assert rotations(node) == [0, 270]


def test_what_nobody_set_follows_the_nodes_value(world: Any) -> None:
    node = world.pose_node("-p", TWO, "-p", "use_depth:=true", "-p", "rear.use_depth:=false", start=False)
    assert [settings_of(node, name).depth.use_depth for name in ("front", "rear")] == [True, False]
    assert [node.get_parameter(f"{name}.use_depth").value for name in ("front", "rear")] == [True, False]
    assert change(node, rear__image_rotation=0) == [""]  # the node's value, but its own from now on
    assert change(node, image_rotation=180) == [""]
    assert [node.get_parameter(f"{name}.image_rotation").value for name in ("front", "rear")] == [180, 0]
    assert rotations(node) == [180, 0]
    described = node.describe_parameter("rear.image_rotation")
    assert described.description.startswith("For camera rear only. Clockwise rotation in degrees")
    assert described.description.endswith("Follows image_rotation until it is set.")


def test_a_refused_change_leaves_those_who_follow_as_they_were(world: Any) -> None:
    node = world.pose_node("-p", TWO, start=False)
    (why,) = change(node, image_rotation=45)
    assert why
    assert rotations(node) == [0, 0]
    assert change(node, image_rotation=90) == [""]
    assert rotations(node) == [90, 90]


def test_without_pre_set_callbacks_as_on_humble_cameras_follow_too(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from rclpy.node import Node

    monkeypatch.delattr(Node, "add_post_set_parameters_callback", raising=False)
    monkeypatch.delattr(Node, "add_pre_set_parameters_callback", raising=False)
    node = world.pose_node("-p", TWO, "-p", "front.image_rotation:=90", start=False)
    assert change(node, image_rotation=180) == [""]
    assert [node.get_parameter(f"{name}.image_rotation").value for name in ("front", "rear")] == [90, 180]
    assert rotations(node) == [90, 180]


def test_what_ros2_param_dump_asks_for_is_complete_and_starts_the_same_node_again(world: Any, tmp_path: Path) -> None:
    node = world.pose_node("-p", TWO, "-p", "front.image_rotation:=90", "-p", "max_rate_hz:=7.5", start=False)
    client = world.parameter_client()
    listed = client.list_parameters()
    world.until(listed.done, "the names")
    names = [name for name in listed.result().result.names if not name.startswith("qos_overrides.")]
    answer = client.get_parameters(names)
    world.until(answer.done, "the values")
    assert len(answer.result().values) == len(names)
    values = {name: parameter_value_to_python(value) for name, value in zip(names, answer.result().values, strict=True)}
    world.remove(node)
    path = tmp_path / "dump.yaml"
    path.write_text(yaml.safe_dump({"/pose_resnet": {"ros__parameters": values}}))
    node = world.pose_node("--params-file", str(path), start=False)
    assert rotations(node) == [90, 0]
    assert [settings_of(node, name).input.max_rate_hz for name in ("front", "rear")] == [7.5, 7.5]


def test_an_unknown_parameter_is_refused_with_the_closest_name(world: Any) -> None:
    node = world.pose_node("-p", TWO, start=False)
    client = world.parameter_client()
    for name, close in (("front.image_rotatoin", "front.image_rotation"), ("front.tracker", "tracker")):
        future = client.set_parameters([Parameter(name, value=90)])
        world.until(future.done, "the answer")
        (result,) = future.result().results
        assert not result.successful
        assert f"{name} (did you mean {close}?)" in result.reason
    assert rotations(node) == [0, 0]


def test_a_setting_that_is_read_at_configure_waits_for_the_clean_up(world: Any, spot: str) -> None:
    node = world.pose_node("-p", TWO, pose_model=spot)
    (why,) = change(node, front__image_transport="compressed")
    assert "front.image_transport: read when the node is configured; the node is active now" in why
    for leave in (node.trigger_deactivate, node.trigger_cleanup):
        leave()
    assert change(node, front__image_transport="compressed") == [""]
    node.configure_and_activate()
    assert [camera.state().topic for camera in node.cameras] == ["/front/image/compressed", "/rear/image"]
    (why,) = change(node, cameras=["front"])
    assert "cameras: read when the process starts" in why


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["cameras:=[front, 2nd]"], "cameras: expected different names of letters, digits and _, each beginning with a letter"),
        (["cameras:=[front, front]"], "cameras: expected different names"),
        (["cameras:=[front, '', rear]"], "such as [front, rear], got [front, '', rear]"),
        (["cameras:=[front, smoothing]"], "smoothing is no name for a camera"),
        (["cameras:=front,rear"], "write -p cameras:=[front,rear]"),
        (["cameras:=[1, 2]"], "parameter cameras: expected different names"),
        ([TWO, "left.image_rotation:=90"], "parameter left.image_rotation: there is no camera left; expected front or rear"),
        (
            ["front.image_rotation:=90"],
            "parameter front.image_rotation: there is no camera front; the parameter cameras names none",
        ),
        (
            [TWO, "front.tracker:=none"],
            "parameter front.tracker: tracker is the same for all cameras; per camera: image_rotation,",
        ),
        ([TWO, "front.image_rotation:=45"], "parameter front.image_rotation: expected 0, 90, 180 or 270"),
        ([TWO, "front.image_rotation:=up"], "parameter front.image_rotation: expected 0, 90, 180 or 270"),
        ([TWO, "front.image_transport:=h264"], "front.image_transport: expected raw, compressed, ffmpeg or foxglove, got 'h264'"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_can(world: Any, arguments: list[str], says: str) -> None:
    with pytest.raises(SettingsError) as caught:
        world.pose_node(*[word for argument in arguments for word in ("-p", argument)], start=False)
    assert says in str(caught.value)


def test_cameras_on_one_topic_are_warned_about(world: Any, spot: str, until_logged: Any) -> None:
    """They may be two views of one image, so that this is no error."""
    same = ["-r", "front/image:=/image", "-r", "rear/image:=/image"]
    world.pose_node("-p", "cameras:=[front, left, rear]", *same, pose_model=spot)
    until_logged("cameras front and rear take the same images, from /image; if that is a mistake, remap rear/image")


def test_parameters_of_others_are_nobodys_cameras(world: Any, until_logged: Any) -> None:
    world.pose_node("-p", TWO, "-p", "planner.threads:=2", "-p", "front.image_rotatoin:=90", start=False)
    until_logged("front.image_rotatoin (did you mean front.image_rotation?), planner.threads")


@pytest.mark.parametrize("written", ["[]", '[""]'])
def test_an_empty_list_in_a_file_is_one_camera(world: Any, tmp_path: Path, written: str) -> None:
    path = tmp_path / "one.yaml"
    path.write_text(f"/pose_resnet: {{ros__parameters: {{cameras: {written}}}}}\n")
    node = world.pose_node("--params-file", str(path), start=False)
    assert [camera.context.image_topic for camera in node.cameras] == ["/image"]
    assert node.get_parameter("cameras").value == [""]
    future = world.parameter_client().load_parameter_file(str(path))
    world.until(future.done, "the answer")
    assert [result.reason for result in future.result().results] == [""]

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("rclpy")

import yaml
from rcl_interfaces.msg import ParameterType
from rcl_interfaces.srv import DescribeParameters, SetParameters
from rclpy.parameter import Parameter

from pose_resnet_ros.core.errors import BackendError, PoseError, SettingsError
from pose_resnet_ros.ros.node import PoseNode
from pose_resnet_ros.settings import Settings

PARAMETER_FILE = Path(__file__).parents[2] / "config" / "pose.yaml"
DEFAULTS = Settings().values()
TYPES = {
    bool: ParameterType.PARAMETER_BOOL,
    int: ParameterType.PARAMETER_INTEGER,
    float: ParameterType.PARAMETER_DOUBLE,
    str: ParameterType.PARAMETER_STRING,
    tuple: ParameterType.PARAMETER_STRING_ARRAY,
}


def test_every_parameter_is_described_to_the_outside(world: Any) -> None:
    world.pose_node(start=False)
    client = world.peer.create_client(DescribeParameters, "/pose_resnet/describe_parameters")
    world.until(client.service_is_ready, "the parameter services")
    future = client.call_async(DescribeParameters.Request(names=list(DEFAULTS)))
    world.until(future.done, "the descriptions")
    for row, described in zip(Settings.settings(), future.result().descriptors, strict=True):
        assert described.name == row.name
        assert described.type == TYPES[row.type]
        when = f" (Read when {'the process starts' if row.name in ('autostart', 'cameras') else 'the node is configured'}.)"
        assert described.description == row.description + ("" if row.dynamic else when)
        assert not described.read_only
        ranges = list(described.floating_point_range) + list(described.integer_range)
        assert [r.from_value for r in ranges] == ([] if row.minimum is None else [row.minimum])
        for choice in row.choices:
            assert choice in described.additional_constraints


def test_ros_reads_every_default_from_the_parameter_file(world: Any) -> None:
    node = PoseNode(cli_args=["--ros-args", "--params-file", str(PARAMETER_FILE)])
    world.add(node)
    read = {name: parameter.value for name, parameter in node._parameter_overrides.items()}
    assert read == DEFAULTS | {"cameras": [""]}
    assert node._settings == Settings()


class Setter:
    """Sets parameters from outside, as ``ros2 param set`` does."""

    def __init__(self, world: Any) -> None:
        self._world = world
        self._client = world.peer.create_client(SetParameters, "/pose_resnet/set_parameters")
        world.until(self._client.service_is_ready, "the parameter services")

    def __call__(self, **values: Any) -> list[tuple[bool, str]]:
        parameters = [Parameter(name, value=value).to_parameter_msg() for name, value in values.items()]
        future = self._client.call_async(SetParameters.Request(parameters=parameters))
        self._world.until(future.done, "the answer")
        return [(result.successful, result.reason) for result in future.result().results]


def test_thresholds_drawing_and_more_are_dynamic(world: Any) -> None:
    node = world.pose_node(start=False)
    setter = Setter(world)
    before = node._settings
    changes = {
        "detection_threshold": 0.9,
        "nms_threshold": 0.1,
        "keypoint_threshold": 0.0,
        "max_persons": 1,
        "flip_test": True,
        "draw_boxes": False,
        "max_age_ms": 250.0,
    }
    assert setter(**changes) == [(True, "")] * len(changes)
    after = node._settings
    assert (after.stream.frame.detection_threshold, after.stream.frame.max_persons, after.stream.frame.flip_test) == (
        0.9,
        1,
        True,
    )
    assert (after.draw.draw_boxes, after.input.max_age_ms) == (False, 250.0)
    assert before.stream.frame.detection_threshold == DEFAULTS["detection_threshold"]  # a snapshot stays what it was


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("detection_threshold", 1.5, ""),
        ("detection_threshold", float("nan"), ""),
        ("detection_threshold", "high", ""),
        ("max_persons", 0, ""),
        ("max_age_ms", -1.0, ""),
        ("flip_test", 1, ""),
        ("autostart", False, "read when the process starts"),
        ("image_transport", "h264", "raw, compressed, ffmpeg or foxglove"),
    ],
)
def test_a_wrong_change_is_rejected_with_a_reason(world: Any, name: str, value: Any, reason: str) -> None:
    node = world.pose_node(start=False)
    ((successful, why),) = Setter(world)(**{name: value})
    assert not successful
    assert why
    assert reason in why
    assert node.get_parameter(name).value == DEFAULTS[name]
    assert Settings.from_values({**DEFAULTS, "detector_model": "full_frame"}) == node._settings


def test_what_is_read_at_configure_is_refused_with_the_reason_until_the_clean_up(world: Any, spot: str, slow_spot: str) -> None:
    node = world.pose_node(pose_model=spot)
    setter = Setter(world)
    for state, leave in (("active", node.trigger_deactivate), ("inactive", node.trigger_cleanup)):
        ((successful, why),) = setter(pose_model=slow_spot)
        assert not successful
        assert f"pose_model: read when the node is configured; the node is {state} now: clean it up" in why
        assert setter(pose_model=spot) == [(True, "")]  # no change
        leave()
    assert setter(pose_model=slow_spot, skeleton="coco17", image_transport="compressed") == [(True, "")] * 3
    node.configure_and_activate()
    assert node._pipeline.skeleton.name == "coco17"
    assert node.cameras[0].state().topic == "/image/compressed"


@pytest.mark.parametrize("state", ["unconfigured", "active"])
def test_the_nodes_own_dump_can_be_loaded(world: Any, spot: str, tmp_path: Path, state: str) -> None:
    """As ``ros2 param dump`` and ``ros2 param load`` do."""
    node = world.pose_node(pose_model=spot, person_class_ids="7", start=state == "active")
    assert node.state == state
    dump = {name: node.get_parameter(name).value for name in DEFAULTS}
    path = tmp_path / "dump.yaml"
    path.write_text(yaml.safe_dump({"/pose_resnet": {"ros__parameters": dump}}))
    future = world.parameter_client().load_parameter_file(str(path))
    world.until(future.done, "the answer")
    assert [result.reason for result in future.result().results if not result.successful] == []
    assert len(future.result().results) == len(DEFAULTS)


def test_a_text_that_ros_takes_for_a_number(world: Any) -> None:
    node = world.pose_node("-p", "person_class_ids:=0", "-p", "pose_model:=50", start=False)
    assert (node._settings.input.class_ids, node._settings.load.pose_model) == (("0",), "50")
    assert node.get_parameter("person_class_ids").value == "0"
    assert Setter(world)(person_class_ids=3, max_persons=2) == [(True, "")] * 2
    assert node._settings.input.class_ids == ("3",)


def test_an_integer_stands_for_a_number(world: Any) -> None:
    node = world.pose_node("-p", "max_rate_hz:=5", "-p", "detection_threshold:=1", start=False)
    assert (node._settings.input.max_rate_hz, node.get_parameter("detection_threshold").value) == (5.0, 1.0)
    assert Setter(world)(max_rate_hz=2, detection_threshold=0) == [(True, "")] * 2
    assert (node.get_parameter("max_rate_hz").value, node._settings.stream.frame.detection_threshold) == (2.0, 0.0)
    ((successful, why),) = Setter(world)(detection_threshold=2)
    assert not successful
    assert why


@pytest.mark.parametrize(
    ("argument", "says"),
    [
        ("person_class_ids:=1.5", """quote a string twice: -p person_class_ids:="'1.5'\""""),
        ("person_class_ids:=[0, 1]", """-p person_class_ids:="'0,1'\""""),
        ("pose_model:=true", """-p pose_model:="'true'\""""),
        ("tracker:=0", "none, iou or oks"),
    ],
)
def test_a_text_that_cannot_be_meant_is_refused_with_how_to_write_one(world: Any, argument: str, says: str) -> None:
    with pytest.raises(SettingsError) as caught:
        world.pose_node("-p", argument, start=False)
    assert says in str(caught.value)


def test_without_post_set_callbacks_as_on_humble_changes_are_taken_over_too(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from rclpy.node import Node

    monkeypatch.delattr(Node, "add_post_set_parameters_callback", raising=False)
    monkeypatch.delattr(Node, "add_pre_set_parameters_callback", raising=False)
    node = world.pose_node(start=False)
    assert Setter(world)(detection_threshold=0.7) == [(True, "")]
    assert node._settings.stream.frame.detection_threshold == 0.7
    ((successful, why),) = Setter(world)(max_persons=0)
    assert not successful
    assert why


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("backend", "gpu", "auto, cpu, cuda, tensorrt or openvino"),
        ("skeleton", "coco", "coco17, openpose18"),
        ("image_transport", "h264", "raw, compressed, ffmpeg or foxglove"),
        ("image_reliability", "high", "best_effort or reliable"),
        ("detection_threshold", 7.0, "a number from 0 to 1"),
        ("max_batch", 0, "an integer from 1 to 256"),
        ("flip_test", "yes", "true or false"),
    ],
)
def test_a_wrong_start_value_says_what_is_allowed(world: Any, name: str, value: Any, allowed: str) -> None:
    with pytest.raises(SettingsError, match=name) as caught:
        world.pose_node(start=False, **{name: value})
    assert allowed in str(caught.value)


def test_a_backend_that_cannot_be_had_is_refused_with_what_to_install(world: Any, spot: str) -> None:
    ort = pytest.importorskip("onnxruntime")
    for backend, provider in (("cuda", "CUDAExecutionProvider"), ("tensorrt", "TensorrtExecutionProvider")):
        if provider in ort.get_available_providers():
            continue
        node = world.pose_node(start=False, pose_model=spot, backend=backend)
        with pytest.raises(PoseError, match="install onnxruntime-gpu"):
            node.start()
        assert issubclass(BackendError, PoseError)
        world.remove(node)


def test_an_unknown_model_name_lists_the_known_ones(world: Any) -> None:
    node = world.pose_node(start=False, pose_model="pose_resnet_huge")
    with pytest.raises(PoseError, match="pose_resnet_lite"):
        node.start()


def test_a_skeleton_that_the_model_cannot_give_is_refused(world: Any, tmp_path: Path) -> None:
    import spot_model

    path = spot_model.spot_model(tmp_path / "mpii.onnx", joints=16, skeleton="mpii16")
    node = world.pose_node(start=False, pose_model=str(path), skeleton="openpose18")
    with pytest.raises(PoseError, match="openpose18"):
        node.start()

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Two cameras of one node, which share its models and its worker."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("rclpy")

from diagnostic_msgs.msg import DiagnosticArray
from pose_resnet_ros.msg import PersonArray
from rclpy.lifecycle import TransitionCallbackReturn
from sensor_msgs.msg import Image

from pose_resnet_ros.ros.camera import Camera
from pose_resnet_ros.ros.topics import CameraContext

MakeImage = Callable[..., Image]


@pytest.fixture
def node(world: Any, slow_spot: str) -> Any:
    """A node with the cameras front and rear, active."""
    node = world.pose_node(pose_model=slow_spot, start=False)
    contexts = [CameraContext(node, name, lambda: node._settings) for name in ("front", "rear")]
    node.cameras = [Camera(context, node._state) for context in contexts]
    node.start()
    return node


def test_each_has_its_own_topics_and_diagnostics(world: Any, node: Any, image_message: MakeImage) -> None:
    persons = {name: world.listen(PersonArray, f"/pose_resnet/{name}/persons") for name in ("front", "rear")}
    arrays = world.listen(DiagnosticArray, "/diagnostics")
    for number, name in enumerate(persons, start=1):
        world.publisher(Image, f"/{name}/image").publish(image_message(number=number))
        world.until(lambda name=name: persons[name], f"persons of {name}")
    assert [[message.header.stamp.sec for message in persons[name]] for name in persons] == [[1], [2]]
    arrays.clear()
    world.until(lambda: arrays, "diagnostics")
    statuses = [(status.name, status.hardware_id) for status in arrays[0].status]
    assert statuses == [
        ("pose_resnet: pose estimation front", "/front/image"),
        ("pose_resnet: pose estimation rear", "/rear/image"),
    ]


def test_a_fast_camera_takes_no_turn_of_a_slow_one(world: Any, node: Any, image_message: MakeImage) -> None:
    """Both send faster than they can be served; one of them many times faster."""
    front, rear = (world.publisher(Image, f"/{name}/image") for name in ("front", "rear"))
    counts = [0, 0]

    def sent() -> bool:
        for number in range(5):
            front.publish(image_message(number=number + 1))
        rear.publish(image_message(number=1))
        counts[:] = [camera.statistics.summary().published for camera in node.cameras]
        return max(counts) >= 12

    world.until(sent, "a dozen results", deadline_s=120.0)
    assert abs(counts[0] - counts[1]) <= 3, counts


def test_a_camera_that_stops_costs_the_other_nothing_and_both_go_with_the_node(
    world: Any, node: Any, image_message: MakeImage
) -> None:
    front, rear = (world.publisher(Image, f"/{name}/image") for name in ("front", "rear"))
    for publisher in (front, rear):
        publisher.publish(image_message())
    published = lambda: [camera.statistics.summary().published for camera in node.cameras]  # noqa: E731
    world.until(lambda: published() == [1, 1], "a result of each")
    for count in (2, 3, 4):
        front.publish(image_message(number=count))
        world.until(lambda n=count: published() == [n, 1], "the next result")
    for change in (node.trigger_deactivate, node.trigger_cleanup):
        assert change() == TransitionCallbackReturn.SUCCESS
    gc.collect()
    assert [camera.outputs for camera in node.cameras] == [[], []]
    assert world.peer.count_publishers("/pose_resnet/rear/persons") == 0

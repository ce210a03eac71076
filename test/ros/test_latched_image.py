# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""A picture published before the node began to listen, by a publisher that keeps it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("rclpy")

from pose_resnet_ros.msg import PersonArray
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image

from pose_resnet_ros.ros import latched_image

MakeImage = Callable[..., Image]
BEST_EFFORT = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


def stamps(persons: list[PersonArray]) -> list[int]:
    return [message.header.stamp.sec for message in persons]


def test_it_gives_one_result_at_each_activation(
    world: Any, spot: str, image_message: MakeImage, capfd: pytest.CaptureFixture[str]
) -> None:
    persons = world.listen(PersonArray, "/pose_resnet/persons")
    world.peer.create_publisher(Image, "/image", LATCHED).publish(image_message(number=7))
    node = world.pose_node(pose_model=spot)
    world.until(lambda: persons, "persons")
    world.spin_for(1.5)
    assert stamps(persons) == [7]
    assert node.cameras[0].statistics.summary().received == 1
    assert node.trigger_deactivate() == node.trigger_activate() == TransitionCallbackReturn.SUCCESS
    world.until(lambda: len(persons) == 2, "persons again")
    assert "incompatible QoS" not in capfd.readouterr().err


def test_it_comes_though_the_process_was_held_up(
    world: Any, spot: str, image_message: MakeImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(latched_image, "PERIOD_S", 0.1)
    persons = world.listen(PersonArray, "/pose_resnet/persons")
    world.peer.create_publisher(Image, "/image", LATCHED).publish(image_message(number=7))
    node = world.pose_node(pose_model=spot)
    world.until(lambda: node.cameras[0].input.latched._subscription, "the picture to be asked for")
    time.sleep(2 * latched_image.LOOKS * latched_image.PERIOD_S)
    world.until(lambda: persons, "persons")
    assert stamps(persons) == [7]


@pytest.mark.parametrize("first", ["picture", "camera"])
def test_beside_a_camera_nothing_comes_twice(world: Any, spot: str, image_message: MakeImage, first: str) -> None:
    """Whether the publisher that keeps its last picture is a camera, or was there before one."""
    persons = world.listen(PersonArray, "/pose_resnet/persons")
    if first == "picture":
        world.peer.create_publisher(Image, "/image", LATCHED).publish(image_message(number=1))
    node = world.pose_node(pose_model=spot)
    camera = world.publisher(Image, qos=LATCHED if first == "camera" else BEST_EFFORT)
    world.until(lambda: first == "camera" or persons, "the picture that was there")
    world.until(
        lambda: node.cameras[0].input.latched._subscription is None and node.cameras[0].input.latched._asked, "the end of asking"
    )
    for number in range(10, 20):
        camera.publish(image_message(number=number))
        world.until(lambda n=number: persons and stamps(persons)[-1] == n, f"frame {number}")
    assert stamps(persons) == ([1] if first == "picture" else []) + list(range(10, 20))


def test_a_publisher_that_keeps_nothing_is_not_asked(world: Any, spot: str, image_message: MakeImage) -> None:
    node = world.pose_node(pose_model=spot)
    persons = world.listen(PersonArray, "/pose_resnet/persons")
    camera = world.publisher(Image)
    world.spin_for(1.2)
    assert node.cameras[0].input.latched._subscription is None
    camera.publish(image_message(number=3))
    world.until(lambda: persons, "persons")
    assert stamps(persons) == [3]

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""``max_rate_hz``: the newest frame at that rate, and the rest unread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("rclpy")

from pose_resnet_ros.msg import PersonArray
from rclpy.parameter import Parameter
from sensor_msgs.msg import Image

from pose_resnet_ros.ros import image_input
from pose_resnet_ros.ros.rate_limit import RateLimit

MakeImage = Callable[..., Image]


class Clock:
    """Time that the test sets, and a limit."""

    def __init__(self, max_hz: float) -> None:
        self.now_s, self.max_hz = 100.0, max_hz
        self.limit = RateLimit(lambda: self.max_hz, lambda: self.now_s)

    def taken(self, *times_s: float) -> list[float]:
        """When frames that arrive at these times are taken."""
        found = []
        for self.now_s in times_s:
            if self.limit.take():
                found.append(self.now_s)
        return found


def test_frames_are_taken_at_the_rate_on_average() -> None:
    times_s = [round(100 + k / 30, 4) for k in range(301)]
    assert len(Clock(10.0).taken(*times_s)) in (100, 101)
    assert len(Clock(7.0).taken(*times_s)) in (70, 71)
    assert len(Clock(0.0).taken(*times_s)) == 301
    assert len(Clock(100.0).taken(*times_s)) == 301


def test_a_pause_is_not_made_up_for() -> None:
    assert Clock(2.0).taken(100.0, 100.2, 105.0, 105.1, 105.2, 105.6) == [100.0, 105.0, 105.6]


def test_a_new_limit_holds_at_once() -> None:
    clock = Clock(0.1)
    assert clock.taken(100.0, 101.0) == [100.0]
    assert clock.limit.due_in_s == pytest.approx(9.0)
    clock.max_hz = 0.0
    assert clock.limit.is_due
    clock.max_hz = 2.0
    assert clock.taken(101.0, 101.1, 101.6) == [101.0, 101.6]


@pytest.mark.parametrize("tells_receipt", [True, False], ids=["unread", "as on humble"])
def test_the_node_takes_the_newest_at_the_rate(
    world: Any, spot: str, image_message: MakeImage, monkeypatch: pytest.MonkeyPatch, tells_receipt: bool
) -> None:
    monkeypatch.setattr(image_input, "_TELLS_RECEIPT", tells_receipt and image_input._TELLS_RECEIPT)
    node = world.pose_node(pose_model=spot, max_rate_hz=0.001)
    (camera,) = node.cameras
    publisher = world.publisher(Image)
    published = lambda: camera.statistics.summary().published  # noqa: E731
    publisher.publish(image_message(number=1))
    world.until(published, "the first result")
    for number in (2, 3, 4):
        publisher.publish(image_message(number=number))
        if image_input._TELLS_RECEIPT:
            world.spin_for(0.1)
        else:
            world.until(lambda n=number: camera.statistics.received == n, f"frame {number} to be read")
    assert published() == 1
    assert camera.statistics.received == (1 if image_input._TELLS_RECEIPT else 4)
    assert camera.state().is_waiting == image_input._TELLS_RECEIPT
    node.set_parameters([Parameter("max_rate_hz", value=0.0)])
    if not image_input._TELLS_RECEIPT:
        publisher.publish(image_message(number=5))
    world.until(lambda: published() == 2, "the newest, once the limit is gone")


def test_a_frame_that_waits_is_taken_when_it_is_due(world: Any, spot: str, image_message: MakeImage) -> None:
    """Nothing else happens then: the timer alone wakes the executor."""
    node = world.pose_node(pose_model=spot, max_rate_hz=1.0)
    publisher = world.publisher(Image)
    received = world.listen(PersonArray, "/pose_resnet/persons")
    publisher.publish(image_message(number=1))
    world.until(lambda: received, "the first result")
    for number in (2, 3):  # nobody reads in between, however long that takes
        publisher.publish(image_message(number=number))
    world.until(lambda: len(received) == 2, "the second result")
    assert [message.header.stamp.sec for message in received] == [1, 3]
    assert node.cameras[0].statistics.summary().unread == 1

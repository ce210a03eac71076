# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""A recording that is played into the node, with its clock, and again from the start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("rosbags")
import bag_files
from builtin_interfaces.msg import Time
from pose_resnet_ros.msg import PersonArray
from rclpy.serialization import deserialize_message
from rosbags.highlevel import AnyReader
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Image


class Player:
    """What `ros2 bag play --clock` does, one image for each result."""

    def __init__(self, world: Any, bag: Path) -> None:
        self._world = world
        self._bag = bag
        self._results = world.listen(PersonArray, "/pose_resnet/persons")
        self._images = world.publisher(Image)
        self._clock = world.peer.create_publisher(Clock, "/clock", 1)

    def play(self) -> list[PersonArray]:
        results = []
        with AnyReader([self._bag]) as reader:
            for _, log_ns, raw in reader.messages():
                seen = len(self._results)
                self._clock.publish(Clock(clock=Time(sec=log_ns // 10**9, nanosec=log_ns % 10**9)))
                self._images.publish(deserialize_message(bytes(raw), Image))
                self._world.until(lambda seen=seen: len(self._results) > seen, "a result")
                results.append(self._results[-1])
        return results


@pytest.mark.parametrize("use_sim_time", [True, False])
def test_a_recording_is_served_again_and_again(world: Any, spot: str, tmp_path: Path, use_sim_time: bool) -> None:
    bag = bag_files.write_bag(tmp_path / "bag", {bag_files.TOPIC: [bag_files.image(n) for n in range(4)]})
    world.pose_node(pose_model=spot, use_sim_time=use_sim_time)
    player = Player(world, bag)
    first, second = player.play(), player.play()
    for results in (first, second):
        headers = [(r.header.stamp.sec, r.header.stamp.nanosec) for r in results]
        expected = [bag_files.header(n).stamp for n in range(4)]
        assert headers == [(stamp.sec, stamp.nanosec) for stamp in expected]
    assert [r.persons[0].track_id for r in first] == [-1, 1, 1, 1]
    assert [r.persons[0].track_id for r in second] == [-1, 2, 2, 2]  # time went back: nobody is known any more

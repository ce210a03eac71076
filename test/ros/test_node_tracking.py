# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Track ids out of the running node."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("rclpy")
from pose_resnet_ros.msg import PersonArray
from sensor_msgs.msg import Image
from std_srvs.srv import Trigger


class Stream:
    """A pose node, and the image stream into it, one result for each image."""

    def __init__(self, world: Any, image_message: Any, **parameters: Any) -> None:
        self.world, self._image_message = world, image_message
        self.results = world.listen(PersonArray, "/pose_resnet/persons")
        self.node = world.pose_node(**parameters)
        self._publisher = world.publisher(Image)

    def track_id(self, stamp_s: int) -> int:
        """The id of the one person in an image of that stamp."""
        seen = len(self.results)
        self._publisher.publish(self._image_message(number=stamp_s))
        self.world.until(lambda: len(self.results) > seen, f"the result of stamp {stamp_s}")
        return self.results[-1].persons[0].track_id

    def reset(self) -> Trigger.Response:
        client = self.world.peer.create_client(Trigger, "/pose_resnet/reset_tracking")
        self.world.until(client.service_is_ready, "the reset service")
        answer = client.call_async(Trigger.Request())
        self.world.until(answer.done, "the answer")
        return answer.result()


def test_ids_last_and_a_reset_makes_everybody_new(world: Any, spot: str, image_message: Any) -> None:
    stream = Stream(world, image_message, pose_model=spot, tracking__max_age_ms=2000.0)
    assert [stream.track_id(stamp) for stamp in (1, 2, 3)] == [-1, 1, 1]
    assert stream.reset().success
    assert [stream.track_id(stamp) for stamp in (4, 5)] == [-1, 2]


def test_time_that_jumps_back_makes_everybody_new(world: Any, spot: str, image_message: Any) -> None:
    stream = Stream(world, image_message, pose_model=spot, tracking__max_age_ms=2000.0, tracking__confirm_hits=1)
    assert [stream.track_id(stamp) for stamp in (100, 101, 7, 8)] == [1, 1, 2, 2]


def test_a_stamp_a_little_too_early_makes_nobody_new(world: Any, spot: str, image_message: Any) -> None:
    stream = Stream(world, image_message, pose_model=spot, smoothing__enabled=True)

    def stamped(number: int) -> Image:
        message = image_message()
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(number * 10**6, 10**9)
        return message

    stream._image_message = stamped
    assert [stream.track_id(ms) for ms in (1000, 1100, 1200, 1195, 1300)] == [-1, 1, 1, 1, 1]
    summary = stream.node.cameras[0].statistics.summary()
    assert (summary.steps_back, summary.time_jumps) == (1, 0)


def test_between_detections_a_jump_back_or_a_reset_is_a_detection(
    world: Any, spot: str, image_message: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = Stream(world, image_message, pose_model=spot, detector_interval=1000)
    detector, calls = stream.node._pipeline.detector, []
    detect = detector.detect_batch
    monkeypatch.setattr(detector, "detect_batch", lambda *given, **named: calls.append(1) or detect(*given, **named))

    def detections(*numbers: int) -> int:
        before = len(calls)
        for number in numbers:
            stream.track_id(number)
        return len(calls) - before

    assert detections(100, 101, 102) == 1
    assert detections(5, 6) == 1
    assert detections(9, 10) == 1  # two seconds without an image
    assert stream.reset().success
    assert detections(11, 12) == 1


def test_images_without_stamps_are_tracked_by_the_time_of_receipt(world: Any, spot: str, image_message: Any) -> None:
    stream = Stream(world, image_message, pose_model=spot, tracking__confirm_hits=1, tracking__max_age_ms=60000.0)
    stream._image_message = lambda number: _unstamped(image_message())
    assert [stream.track_id(0) for _ in range(3)] == [1, 1, 1]


def test_none_tracks_nobody(world: Any, spot: str, image_message: Any) -> None:
    stream = Stream(world, image_message, pose_model=spot, tracker="none")
    assert [stream.track_id(stamp) for stamp in (1, 2, 3)] == [-1, -1, -1]


def test_reset_of_an_inactive_node_says_so(world: Any, spot: str, image_message: Any) -> None:
    world.pose_node(pose_model=spot, autostart=False)
    client = world.peer.create_client(Trigger, "/pose_resnet/reset_tracking")
    world.until(client.service_is_ready, "the reset service")
    answer = client.call_async(Trigger.Request())
    world.until(answer.done, "the answer")
    assert not answer.result().success
    assert "not active" in answer.result().message


def _unstamped(message: Image) -> Image:
    message.header.stamp.sec = message.header.stamp.nanosec = 0
    return message

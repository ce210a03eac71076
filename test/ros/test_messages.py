# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("rclpy")

from builtin_interfaces.msg import Time
from std_msgs.msg import Header

from pose_resnet_ros.core.skeletons import skeleton_named
from pose_resnet_ros.core.types import Detections, People
from pose_resnet_ros.ros import messages
from pose_resnet_ros.ros.codecs.compressed import compressed_to_bgr
from pose_resnet_ros.ros.codecs.image import image_to_bgr

HEADER = Header(stamp=Time(sec=3, nanosec=4), frame_id="camera")
SKELETON = skeleton_named("coco17")


def people(count: int) -> People:
    numbers = np.arange(count, dtype=np.float32)
    boxes = np.stack([numbers, numbers + 10, numbers + 20, numbers + 50], axis=1)
    scores = np.full((count, 17), 0.1, np.float32)
    scores[:, 0], scores[:, 1], scores[:, 2] = 1.5, 0.5, -0.25
    points = np.arange(count * 34, dtype=np.float32).reshape(count, 17, 2)
    return People(boxes, np.full(count, 1.01, np.float32), points, scores, np.arange(count, dtype=np.int32) - 1)


@pytest.mark.parametrize("count", [0, 1, 5])
def test_person_array(count: int) -> None:
    message = messages.person_array(HEADER, people(count), SKELETON, image_wh=(640, 480), keypoint_threshold=0.2)
    assert message.header == HEADER
    assert (message.skeleton, message.image_width, message.image_height) == ("coco17", 640, 480)
    assert [person.track_id for person in message.persons] == list(range(-1, count - 1))
    for row, person in enumerate(message.persons):
        assert person.score == 1.0
        assert person.pose_score == 0.75  # of 1.5, cut to 1, and 0.5; the others are below the threshold
        assert (person.bbox.center.position.x, person.bbox.center.position.y) == (row + 10.0, row + 30.0)
        assert (person.bbox.size_x, person.bbox.size_y) == (20.0, 40.0)
        assert [keypoint.name for keypoint in person.keypoints] == list(SKELETON.joint_names)
        assert [keypoint.x for keypoint in person.keypoints] == [34.0 * row + 2 * k for k in range(17)]
        assert [keypoint.y for keypoint in person.keypoints] == [34.0 * row + 2 * k + 1 for k in range(17)]
        assert [keypoint.score for keypoint in person.keypoints[:3]] == [1.0, 0.5, 0.0]


@pytest.mark.parametrize("count", [0, 1, 5])
def test_detection_array(count: int) -> None:
    detections = Detections(people(count).boxes_xyxy, np.full(count, 0.5, np.float32))
    message = messages.detection_array(HEADER, detections, track_ids=np.arange(count) * 4 - 1)
    assert message.header == HEADER
    assert [detection.id for detection in message.detections] == ["", "3", "7", "11", "15"][:count]
    for row, detection in enumerate(message.detections):
        assert detection.header == HEADER
        assert [(result.hypothesis.class_id, result.hypothesis.score) for result in detection.results] == [("person", 0.5)]
        assert (detection.bbox.center.position.x, detection.bbox.size_y) == (row + 10.0, 40.0)


def test_skeleton_message() -> None:
    message = messages.skeleton_message(SKELETON)
    assert (message.name, message.joint_names) == ("coco17", list(SKELETON.joint_names))
    assert list(zip(message.edge_from, message.edge_to, strict=True)) == list(SKELETON.edges)


@pytest.mark.parametrize("size_wh", [(2, 1), (7, 5), (640, 480)])
def test_image_message_and_back(size_wh: tuple[int, int]) -> None:
    width, height = size_wh
    bgr = np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8)
    message = messages.image_message(HEADER, bgr)
    assert (message.header, message.encoding, message.step) == (HEADER, "bgr8", 3 * width)
    np.testing.assert_array_equal(image_to_bgr(message), bgr)
    np.testing.assert_array_equal(image_to_bgr(messages.image_message(HEADER, bgr[:, ::-1])), bgr[:, ::-1])


def test_jpeg_message_and_back() -> None:
    bgr = np.zeros((40, 60, 3), np.uint8)
    bgr[:, 30:] = (200, 100, 50)
    message = messages.jpeg_message(HEADER, bgr, quality=95)
    assert (message.header, message.format) == (HEADER, "bgr8; jpeg compressed bgr8")
    assert np.abs(compressed_to_bgr(message).astype(int) - bgr).mean() < 3
    assert len(message.data) > len(messages.jpeg_message(HEADER, bgr, quality=5).data)

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""``~/annotations`` of the running node."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("foxglove_msgs")
from foxglove_msgs import msg as foxglove
from pose_resnet_ros.msg import PersonArray
from rclpy.parameter import Parameter
from rclpy.serialization import serialize_message
from sensor_msgs.msg import Image

from pose_resnet_ros.ros import annotation_output

TOPIC = "/pose_resnet/annotations"


def test_the_people_of_an_image_with_its_stamp(world: Any, spot: str, image_message: Callable[..., Image]) -> None:
    persons = world.listen(PersonArray, "/pose_resnet/persons")
    annotations = world.listen(foxglove.ImageAnnotations, TOPIC)
    node = world.pose_node(pose_model=spot, tracking__confirm_hits=1, keypoint_threshold=0.2)
    images = world.publisher(Image)
    world.until(lambda: world.peer.count_publishers(TOPIC), "the topic")
    images.publish(image_message(number=4))
    world.until(lambda: persons and annotations, "persons and annotations")
    (message,), (person,) = annotations, persons[0].persons
    assert message.timestamp == message.points[0].timestamp == persons[0].header.stamp
    joints = next(part for part in message.points if part.type == foxglove.PointsAnnotation.POINTS)
    nose = person.keypoints[0]
    assert (joints.points[0].x, joints.points[0].y) == pytest.approx((nose.x + 0.5, nose.y + 0.5))
    assert [text.text for text in message.texts] == ["#1"]
    assert len(serialize_message(message)) < 5000

    node.set_parameters([Parameter("draw_skeletons", value=False), Parameter("draw_ids", value=False)])
    images.publish(image_message(number=5))
    world.until(lambda: len(annotations) == 2, "annotations")
    assert [part.type for part in annotations[1].points] == [foxglove.PointsAnnotation.LINE_LOOP]
    assert annotations[1].texts == []


def test_nothing_is_made_while_nobody_subscribes(
    world: Any, spot: str, image_message: Callable[..., Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(annotation_output, "image_annotations", None)  # a call fails
    persons = world.listen(PersonArray, "/pose_resnet/persons")
    node = world.pose_node(pose_model=spot)
    world.publisher(Image).publish(image_message())
    world.until(lambda: persons, "persons")
    world.spin_for(0.2)
    assert not node.cameras[0].statistics.summary().errors


def test_without_the_package_there_is_no_topic(world: Any, spot: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(annotation_output, "foxglove", None)
    world.pose_node(pose_model=spot)
    assert world.peer.count_publishers(TOPIC) == 0


def test_an_older_package_has_fewer_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before 3.2.5 neither a timestamp of the whole nor metadata: stood in for by a type of ROS's own without such fields."""
    from geometry_msgs import msg as geometry_msgs

    monkeypatch.setattr(annotation_output, "foxglove", geometry_msgs)
    assert annotation_output.make("Point", x=1.0, y=2.0, metadata=[]) == geometry_msgs.Point(x=1.0, y=2.0)

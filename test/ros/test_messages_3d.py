# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Persons in 3D as real ROS messages."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("rclpy")
from std_msgs.msg import Header
from visualization_msgs.msg import Marker, MarkerArray

from pose_resnet_ros.core.depth import People3D
from pose_resnet_ros.core.draw import colour_of_id
from pose_resnet_ros.core.skeletons import COCO17
from pose_resnet_ros.core.types import People
from pose_resnet_ros.ros.messages import LABEL_HEIGHT_M, color_of, detection_array_3d, marker_array, person_array_3d, pose_array

HEADER = Header(frame_id="camera_optical")
HEADER.stamp.sec = 7
NAMES = ["/pose/bones", "/pose/joints", "/pose/labels"]


def scene(persons: int) -> tuple[People, People3D]:
    """Persons at 1 m, 2 m ...; joint k of each lies at x = k / 10."""
    ids = np.arange(1, persons + 1, dtype=np.int32)
    people = People(
        np.zeros((persons, 4), np.float32),
        np.full(persons, 0.75, np.float32),
        np.zeros((persons, 17, 2), np.float32),
        np.full((persons, 17), 1.5, np.float32),
        ids,
    )
    joints = np.zeros((persons, 17, 3), np.float32)
    joints[..., 0] = np.arange(17) / 10
    joints[..., 2] = ids[:, None]
    positions = np.stack([np.zeros(persons), np.zeros(persons), ids], axis=1).astype(np.float32)
    return people, People3D(joints, np.ones((persons, 17), bool), positions, np.ones(persons, bool))


def markers_of(people: People, people_3d: People3D, camera: str = "") -> MarkerArray:
    return marker_array(HEADER, people, people_3d, COCO17, keypoint_threshold=0.2, namespace="/pose", camera=camera)


@pytest.mark.parametrize("persons", [0, 1, 3])
def test_persons_row_by_row(persons: int) -> None:
    message = person_array_3d(HEADER, *scene(persons), COCO17, velocities_xyz=np.ones((persons, 3)))
    assert message.header == HEADER
    assert message.skeleton == "coco17"
    assert [p.track_id for p in message.persons] == list(range(1, persons + 1))
    assert [p.position.z for p in message.persons] == list(range(1, persons + 1))
    assert [[k.name for k in p.keypoints] for p in message.persons] == [list(COCO17.joint_names)] * persons


def test_one_joint_in_full() -> None:
    people, people_3d = scene(1)
    people_3d.joint_valid[0, 3] = False
    message = person_array_3d(HEADER, people, people_3d, COCO17, velocities_xyz=np.ones((1, 3)))
    joint = message.persons[0].keypoints[3]
    assert (joint.name, joint.y, joint.z, joint.score, joint.depth_valid) == ("left_ear", 0.0, 1.0, 1.0, False)
    assert joint.x == pytest.approx(0.3)


def test_velocities_that_are_not_known_are_zero_and_not_valid() -> None:
    velocities = np.array([[0.5, -1.0, 2.0], [np.nan] * 3])
    moving, new = person_array_3d(HEADER, *scene(2), COCO17, velocities_xyz=velocities).persons
    assert (moving.velocity.x, moving.velocity.y, moving.velocity.z, moving.velocity_valid) == (0.5, -1.0, 2.0, True)
    assert (new.velocity.x, new.velocity.y, new.velocity.z, new.velocity_valid) == (0.0, 0.0, 0.0, False)


def test_detections_are_boxes_around_the_sure_joints() -> None:
    people, people_3d = scene(3)
    people_3d.position_valid[1] = False
    people_3d.joints_xyz[0, 5] = (0.2, -0.5, 1.5)
    people.keypoint_scores[0, 16] = 0.1  # at x = 1.6
    message = detection_array_3d(HEADER, people, people_3d, keypoint_threshold=0.2)
    assert message.header == HEADER
    assert [detection.id for detection in message.detections] == ["1", "3"]
    first = message.detections[0]
    assert first.header == HEADER
    center, size = first.bbox.center.position, first.bbox.size
    assert (size.x, size.y, size.z) == pytest.approx((1.5, 0.5, 0.5))
    assert (center.x, center.y, center.z) == pytest.approx((0.75, -0.25, 1.25))
    assert first.bbox.center.orientation.w == 1.0
    (result,) = first.results
    assert (result.hypothesis.class_id, result.hypothesis.score) == ("person", 0.75)
    assert (result.pose.pose.position.x, result.pose.pose.position.z) == (0.0, 1.0)


def test_a_detection_without_a_sure_joint_is_a_point() -> None:
    people, people_3d = scene(1)
    people.keypoint_scores[:] = 0.0
    (detection,) = detection_array_3d(HEADER, people, people_3d, keypoint_threshold=0.2).detections
    assert (detection.bbox.center.position.z, detection.bbox.size.x, detection.bbox.size.z) == (1.0, 0.0, 0.0)


def test_poses_are_the_persons_whose_place_is_known() -> None:
    _, people_3d = scene(3)
    people_3d.position_valid[1] = False
    message = pose_array(HEADER, people_3d)
    assert [pose.position.z for pose in message.poses] == [1, 3]
    assert [pose.orientation.w for pose in message.poses] == [1, 1]
    assert message.header == HEADER


def test_nobody_clears_the_screen() -> None:
    markers = markers_of(*scene(0)).markers
    assert [(m.action, m.ns) for m in markers] == [(Marker.DELETEALL, name) for name in NAMES]


def test_no_marker_occurs_twice() -> None:
    """RViz's "Duplicate Marker Check" counts the removals, too, and reports an error."""
    markers = markers_of(*scene(2)).markers
    assert len({(m.ns, m.id) for m in markers}) == len(markers)


def test_the_label_is_above_the_highest_joint() -> None:
    """On the bones, in their colour, it could not be read."""
    people, people_3d = scene(1)
    people_3d.joints_xyz[0, 3, 1] = -0.5  # y points down
    point = markers_of(people, people_3d).markers[-1].pose.position
    assert (point.x, point.z) == pytest.approx((0.3, 1.0))
    assert point.y == pytest.approx(-0.5 - LABEL_HEIGHT_M)


def test_bones_joints_and_label_of_each_person() -> None:
    markers = markers_of(*scene(2)).markers[3:]
    assert [(m.ns, m.id) for m in markers] == [(name, row) for row in (0, 1) for name in NAMES]
    bones, joints, label = markers[:3]
    assert len(bones.points) == 2 * len(COCO17.edges)
    assert len(joints.points) == 17
    assert (label.text, label.pose.position.z) == ("1", 1.0)
    for marker in markers:
        assert marker.header == HEADER
        assert marker.scale.z > 0
        assert marker.color.a == 1
        assert (marker.lifetime.sec, marker.lifetime.nanosec) == (2, 0)  # nanosec must be below a second
    assert bones.color != markers[3].color


def test_the_label_of_one_of_several_cameras_names_it() -> None:
    """RViz shows all cameras' persons in one scene, and person 1 of one need not be person 1 of another."""
    assert markers_of(*scene(1), camera="front").markers[-1].text == "front 1"


def test_unsure_and_unmeasured_joints_are_not_drawn() -> None:
    people, people_3d = scene(1)
    people.keypoint_scores[0, 0] = 0.1
    people_3d.joint_valid[0, 15] = False
    bones, joints, _ = markers_of(people, people_3d).markers[3:]
    assert len(joints.points) == 15
    assert len(bones.points) == 2 * sum(0 not in edge and 15 not in edge for edge in COCO17.edges)


def test_a_person_without_a_place_is_not_drawn_and_one_without_an_id_has_no_label() -> None:
    people, people_3d = scene(2)
    people_3d.position_valid[0] = False
    people.track_ids[1] = -1
    assert [m.ns for m in markers_of(people, people_3d).markers[3:]] == NAMES[:2]


@pytest.mark.parametrize("track_id", [-1, 5, 6])
def test_a_persons_colour_is_that_of_the_annotated_image(track_id: int) -> None:
    colour = color_of(track_id)
    assert [round(255 * value) for value in (colour.b, colour.g, colour.r)] == list(colour_of_id(track_id))

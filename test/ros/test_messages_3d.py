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
from pose_resnet_ros.ros.messages import color_of, marker_array, person_array_3d, pose_array

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


def markers_of(people: People, people_3d: People3D) -> MarkerArray:
    return marker_array(HEADER, people, people_3d, COCO17, keypoint_threshold=0.2, namespace="/pose")


@pytest.mark.parametrize("persons", [0, 1, 3])
def test_persons_row_by_row(persons: int) -> None:
    message = person_array_3d(HEADER, *scene(persons), COCO17)
    assert message.header == HEADER
    assert message.skeleton == "coco17"
    assert [p.track_id for p in message.persons] == list(range(1, persons + 1))
    assert [p.position.z for p in message.persons] == list(range(1, persons + 1))
    assert [[k.name for k in p.keypoints] for p in message.persons] == [list(COCO17.joint_names)] * persons


def test_one_joint_in_full() -> None:
    people, people_3d = scene(1)
    people_3d.joint_valid[0, 3] = False
    joint = person_array_3d(HEADER, people, people_3d, COCO17).persons[0].keypoints[3]
    assert (joint.name, joint.y, joint.z, joint.score, joint.depth_valid) == ("left_ear", 0.0, 1.0, 1.0, False)
    assert joint.x == pytest.approx(0.3)


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
        assert marker.lifetime.sec + marker.lifetime.nanosec > 0
    assert bones.color != markers[3].color


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

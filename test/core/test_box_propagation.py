# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Boxes follow their persons' keypoints."""

from __future__ import annotations

import numpy as np
import pytest

from pose_resnet_ros.core.box_propagation import KeyframePoses, propagate
from pose_resnet_ros.core.types import Detections, People

BOX = np.array([[10, 20, 30, 60]], np.float32)
JOINTS = np.array([[[15, 25], [25, 25], [15, 55], [25, 55]]], np.float32)
MOVE = np.array([5, -3], np.float32)


def people(keypoints_xy: np.ndarray, scores: list[float], box: np.ndarray = BOX) -> People:
    return People.untracked(
        Detections(box, np.ones(len(box), np.float32)), keypoints_xy, np.array([scores] * len(box), np.float32)
    )


def propagated(keypoints_xy: np.ndarray, scores: list[float], *, had: list[float] | None = None):
    keyframe = KeyframePoses.of(people(JOINTS, had or [1, 1, 1, 1]), keypoint_threshold=0.2)
    return propagate(keyframe, people(keypoints_xy, scores), keypoint_threshold=0.2)


def test_a_box_moves_with_the_joints():
    boxes, lost = propagated(JOINTS + MOVE, [1, 1, 1, 1])
    assert boxes == pytest.approx(BOX + np.tile(MOVE, 2), abs=0.01)
    assert lost.tolist() == [False]


def test_a_box_grows_with_the_joints_around_their_mean():
    mean = np.array([20, 40])
    boxes, _ = propagated((JOINTS - mean) * 1.5 + mean, [1, 1, 1, 1])
    assert boxes == pytest.approx(np.array([[5, 10, 35, 70]]), abs=0.01)


def test_growth_has_limits():
    mean = np.array([20, 40])
    boxes, _ = propagated((JOINTS - mean) * 9 + mean, [1, 1, 1, 1])
    assert boxes == pytest.approx(np.array([[0, 0, 40, 80]]), abs=0.01)


def test_joints_that_became_unsure_do_not_count():
    moved = JOINTS + MOVE
    moved[0, 3] = 1000
    boxes, lost = propagated(moved, [1, 1, 1, 0.1])
    assert boxes == pytest.approx(BOX + np.tile(MOVE, 2), abs=0.01)
    assert not lost.any()


def test_who_has_less_than_half_of_the_joints_left_is_lost():
    assert propagated(JOINTS, [1, 1, 0, 0])[1].tolist() == [False]
    assert propagated(JOINTS, [1, 0, 0, 0])[1].tolist() == [True]


def test_who_had_hardly_any_sure_joint_keeps_the_box():
    boxes, lost = propagated(JOINTS + 50, [1, 1, 1, 1], had=[1, 1, 0, 0])
    assert boxes.tolist() == BOX.tolist()
    assert not lost.any()


def test_joints_in_one_point_move_the_box_and_leave_its_size():
    point = np.full((1, 4, 2), 20, np.float32)
    keyframe = KeyframePoses.of(people(point, [1, 1, 1, 1]), keypoint_threshold=0.2)
    boxes, _ = propagate(keyframe, people(point + 7, [1, 1, 1, 1]), keypoint_threshold=0.2)
    assert boxes.tolist() == (BOX + 7).tolist()


def test_nobody_and_many():
    nobody = People.empty(4)
    boxes, lost = propagate(KeyframePoses.of(nobody, keypoint_threshold=0.2), nobody, keypoint_threshold=0.2)
    assert (boxes.shape, lost.shape) == ((0, 4), (0,))
    three = people(np.concatenate([JOINTS, JOINTS + 1, JOINTS + 2]), [1, 1, 1, 1], np.repeat(BOX, 3, axis=0))
    keyframe = KeyframePoses.of(three, keypoint_threshold=0.2)
    assert keyframe.rows(np.array([2, 0])).keypoints_xy[0].tolist() == (JOINTS[0] + 2).tolist()
    assert propagate(keyframe, three, keypoint_threshold=0.2)[0].tolist() == [BOX[0].tolist()] * 3

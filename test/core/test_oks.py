# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Similarity of poses, its suppression and rescoring."""

import literal
import numpy as np
import pytest

from pose_resnet_ros.core.boxes import oks_matrix, oks_nms
from pose_resnet_ros.core.skeletons import COCO17
from pose_resnet_ros.core.types import People

SIGMAS = np.array(COCO17.oks_sigmas)


@pytest.mark.parametrize(("count", "others"), [(0, 0), (0, 3), (1, 1), (4, 7)])
def test_similarity_against_the_literal_one(count, others):
    rng = np.random.default_rng(1)
    a, b = rng.uniform(0, 40, (count, 17, 2)), rng.uniform(0, 40, (others, 17, 2))
    area_a, area_b = rng.uniform(500, 4000, count), rng.uniform(500, 4000, others)
    expected = [
        [literal.oks(pose, other, area, other_area, SIGMAS) for other, other_area in zip(b, area_b, strict=True)]
        for pose, area in zip(a, area_a, strict=True)
    ]
    result = oks_matrix(a, b, areas=area_a, other_areas=area_b, sigmas=SIGMAS)
    np.testing.assert_allclose(result, np.reshape(expected, (count, others)), atol=1e-12)


def test_a_pose_is_like_itself_and_one_joint_away_by_hand():
    pose = np.zeros((1, 17, 2))
    moved = pose.copy()
    moved[0, 0] = (3, 4)  # the nose, 5 px: exp(-25 / (2 * 0.026)^2 / 10000 / 2) = exp(-0.46228)
    areas = np.array([10_000.0])
    result = oks_matrix(pose, np.concatenate([pose, moved]), areas=areas, other_areas=np.repeat(areas, 2), sigmas=SIGMAS)
    np.testing.assert_allclose(result, [[1, (16 + 0.629847) / 17]], atol=1e-5)


def test_suppression_keeps_the_best_of_a_heap():
    rng = np.random.default_rng(0)
    pose = rng.uniform(0, 200, (1, 17, 2))
    poses = np.concatenate([pose, pose + 500, pose + 0.5])
    kept = oks_nms(poses, np.array([0.5, 0.1, 0.8]), areas=np.full(3, 20_000.0), sigmas=SIGMAS)
    assert kept.tolist() == [2, 1]
    assert oks_nms(poses[:0], np.zeros(0), areas=np.zeros(0), sigmas=SIGMAS).tolist() == []


def test_rescoring_by_hand():
    joints = np.array([[0.9, 0.3, 0.2, -0.1], [0.1, 0.0, 0.2, 0.2]])
    people = People(np.zeros((2, 4)), np.array([0.5, 0.7]), np.zeros((2, 4, 2)), joints, np.full(2, -1))
    np.testing.assert_allclose(people.rescored(0.2), [0.5 * 0.6, 0])
    assert People.empty(17).rescored(0.2).shape == (0,)

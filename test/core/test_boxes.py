# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Boxes: conversions, the crop's view, overlap and suppression."""

import literal
import numpy as np
import pytest

from pose_resnet_ros.core import boxes

XYXY = np.array([[10, 20, 40, 80], [-5.5, 0, 5.5, 1]], np.float32)
XYWH = np.array([[10, 20, 30, 60], [-5.5, 0, 11, 1]], np.float32)
CENTRE_SIZE = np.array([[25, 50, 30, 60], [0, 0.5, 11, 1]], np.float32)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_conversions_and_their_inverses(count):
    np.testing.assert_array_equal(boxes.xyxy_from_xywh(XYWH[:count]), XYXY[:count])
    np.testing.assert_array_equal(boxes.xywh_from_xyxy(XYXY[:count]), XYWH[:count])
    np.testing.assert_array_equal(boxes.xyxy_from_centre_size(CENTRE_SIZE[:count]), XYXY[:count])
    np.testing.assert_array_equal(boxes.centre_size_from_xyxy(XYXY[:count]), CENTRE_SIZE[:count])


def test_area_of_a_box_inside_out_is_zero():
    np.testing.assert_array_equal(boxes.areas(np.array([[0, 0, 2, 3], [5, 5, 4, 9.0]])), [6, 0])
    assert boxes.areas(np.zeros((0, 4))).shape == (0,)


def test_sound_boxes_are_finite_and_have_area():
    nan, inf = np.nan, np.inf
    rows = [
        [0, 0, 1, 1],
        [0, 0, 0, 1],
        [0, 0, 1, 0],
        [2, 0, 1, 1],
        [nan, 0, 1, 1],
        [0, 0, inf, 1],
        [-inf, 0, inf, 1],
        [-3e38, 0, 3e38, 1],  # the keypoints in it would not be float32
    ]
    np.testing.assert_array_equal(boxes.is_valid(np.array(rows)), [True] + 7 * [False])
    assert boxes.is_valid(np.zeros((0, 4))).shape == (0,)


def test_clipping_to_the_image():
    clipped = boxes.clip_to_image(np.array([[-5, -5, 50, 50], [90, 10, 95, 20.0]]), width=40, height=30)
    np.testing.assert_array_equal(clipped, [[0, 0, 40, 30], [40, 10, 40, 20]])


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        # 80 x 200 at 3:4 grows to 150 x 200, times 1.25: 187.5 x 250 round (140, 150).
        ([100, 50, 180, 250], [46.25, 25, 233.75, 275]),
        # 300 x 100 grows to 300 x 400, times 1.25: 375 x 500 round (150, 50).
        ([0, 0, 300, 100], [-37.5, -200, 337.5, 300]),
    ],
)
def test_the_crops_view_by_hand(box, expected):
    view = boxes.pad_to_aspect(np.array([box], np.float32), aspect=0.75, padding=1.25)
    np.testing.assert_allclose(view, [expected], atol=0.01)


def test_padding_nobody():
    assert boxes.pad_to_aspect(np.zeros((0, 4), np.float32), aspect=0.75, padding=1.25).shape == (0, 4)


def test_iou_by_hand():
    ours = np.array([[0, 0, 10, 10], [0, 0, 0, 0.0]])
    others = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30], [0, 0, 0, 0.0]])
    np.testing.assert_allclose(boxes.iou_matrix(ours, others), [[1, 50 / 150, 0, 0], [0, 0, 0, 0]])
    assert boxes.iou_matrix(ours[:0], others).shape == (0, 4)
    assert boxes.iou_matrix(ours, others[:0]).shape == (2, 0)


def test_suppression_by_hand():
    # The second overlaps the first by 1/3, the third the second by 1/3 but the first not at all.
    rows = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [10, 0, 20, 10.0]])
    scores = np.array([0.5, 0.9, 0.7])
    assert boxes.nms(rows, scores, iou_threshold=0.3).tolist() == [1]
    assert boxes.nms(rows, scores, iou_threshold=0.34).tolist() == [1, 2, 0]
    assert boxes.nms(rows, np.array([0.9, 0.5, 0.7]), iou_threshold=0.3).tolist() == [0, 2]


def test_equal_scores_keep_the_order_of_the_input():
    rows = np.array([[0, 0, 10, 10], [0, 0, 10, 10], [50, 0, 60, 10.0]])
    assert boxes.nms(rows, np.ones(3), iou_threshold=0.5).tolist() == [0, 2]


@pytest.mark.parametrize("count", [0, 1, 2, 100])
def test_suppression_against_the_literal_one(count):
    rng = np.random.default_rng(count)
    corner, size = rng.uniform(0, 60, (count, 2)), rng.uniform(5, 40, (count, 2))
    rows = np.concatenate([corner, corner + size], axis=1)
    scores = rng.random(count)
    for threshold in (0.0, 0.2, 0.45, 1.0):
        kept = boxes.nms(rows, scores, iou_threshold=threshold)
        assert kept.tolist() == literal.nms(rows, scores, threshold)

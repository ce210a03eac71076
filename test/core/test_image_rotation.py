# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Turned images, against pixels that are looked up."""

from __future__ import annotations

import numpy as np
import pytest

from pose_resnet_ros.core.image_rotation import ImageRotation
from pose_resnet_ros.core.types import Detections, People

IMAGE = np.arange(12, dtype=np.uint8).reshape(3, 4)  # 4 wide, 3 high
WH = (4, 3)


def people(points: list, boxes: list) -> People:
    n = len(points)
    return People(
        np.array(boxes, np.float32).reshape(n, 4),
        np.ones(n, np.float32),
        np.array(points, np.float32).reshape(n, -1, 2),
        np.ones((n, len(points[0]) if n else 1), np.float32),
        np.arange(n, dtype=np.int32),
    )


def test_a_quarter_turn_clockwise_by_hand() -> None:
    assert ImageRotation(90, WH).image(IMAGE).tolist() == [[8, 4, 0], [9, 5, 1], [10, 6, 2], [11, 7, 3]]


def test_no_turn_is_the_same_array() -> None:
    assert ImageRotation(0, WH).image(IMAGE) is IMAGE


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_every_pixel_goes_home(degrees: int) -> None:
    rotation = ImageRotation(degrees, WH)
    upright = rotation.image(IMAGE)
    rows, columns = np.indices(upright.shape)
    points = np.stack([columns.ravel(), rows.ravel()], axis=1)[None].tolist()
    back = rotation.people_back(people(points, [[0, 0, 1, 1]])).keypoints_xy[0].astype(int)
    np.testing.assert_array_equal(IMAGE[back[:, 1], back[:, 0]], upright.ravel())


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_boxes_go_there_and_back_and_the_whole_image_stays_whole(degrees: int) -> None:
    rotation = ImageRotation(degrees, WH)
    boxes = Detections(np.array([[0, 0, 4, 3], [1, 0.5, 2.5, 3]], np.float32), np.ones(2, np.float32))
    there = rotation.detections(boxes)
    height, width = rotation.image(IMAGE).shape
    assert there.boxes_xyxy[0].tolist() == [0, 0, width, height]
    np.testing.assert_allclose(rotation.detections_back(there).boxes_xyxy, boxes.boxes_xyxy, atol=1e-5)
    found = people([[[0, 0]], [[0, 0]]], there.boxes_xyxy.tolist())
    np.testing.assert_allclose(rotation.people_back(found).boxes_xyxy, boxes.boxes_xyxy, atol=1e-5)


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_the_way_from_the_crop_ends_where_the_points_do(degrees: int) -> None:
    rotation = ImageRotation(degrees, WH)
    affine = np.array([[[0.5, 0.1, 3.0], [-0.2, 0.7, 1.0]]])
    crop_point = np.array([2.0, 5.0, 1.0])
    upright_point = affine[0] @ crop_point
    expected = rotation.people_back(people([[upright_point.tolist()]], [[0, 0, 1, 1]])).keypoints_xy[0, 0]
    np.testing.assert_allclose(rotation.affine_back(affine)[0] @ crop_point, expected, atol=1e-5)


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_nobody(degrees: int) -> None:
    rotation = ImageRotation(degrees, WH)
    assert len(rotation.people_back(People.empty(17))) == 0
    assert len(rotation.detections(Detections.empty())) == 0
    assert rotation.affine_back(np.zeros((0, 2, 3))).shape == (0, 2, 3)

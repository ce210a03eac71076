# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The result types: what they accept, their rows, and the lists in error messages."""

import numpy as np
import pytest

from pose_resnet_ros.core.errors import SettingsError
from pose_resnet_ros.core.types import Crops, Detections, People, names_of, option


def test_rows_by_slice_mask_and_indices():
    found = Detections(np.arange(12, dtype=np.float32).reshape(3, 4), np.array([0.1, 0.2, 0.3], np.float32))
    assert len(found) == 3
    np.testing.assert_array_equal(found[1:].scores, found[np.array([False, True, True])].scores)
    np.testing.assert_array_equal(found[np.array([2, 0])].boxes_xyxy[:, 0], [8, 0])
    with pytest.raises(TypeError, match="not the integer 0"):
        found[0]


@pytest.mark.parametrize("empty", [Detections.empty(), People.empty(17)])
def test_nobody(empty):
    assert len(empty) == 0
    assert len(empty[:]) == 0


def test_people_without_track():
    found = Detections(np.zeros((2, 4), np.float32), np.ones(2, np.float32))
    people = People.untracked(found, np.zeros((2, 17, 2), np.float32), np.zeros((2, 17), np.float32))
    assert people.track_ids.tolist() == [-1, -1]
    assert people[:1].keypoints_xy.shape == (1, 17, 2)


def test_wrong_shapes_are_named():
    with pytest.raises(ValueError, match=r"Detections.scores: expected shape \(2\), got \(3,\)"):
        Detections(np.zeros((2, 4)), np.zeros(3))
    with pytest.raises(ValueError, match=r"Detections.boxes_xyxy: expected shape \(any, 4\)"):
        Detections(np.zeros((2, 5)), np.zeros(2))
    with pytest.raises(ValueError, match=r"Crops\.image_from_crop"):
        Crops(np.zeros((1, 3, 8, 8)), np.zeros((1, 3, 3)))


def test_lists_in_messages():
    assert [names_of(["a"]), names_of(["a", "b"]), names_of(["a", "b", "c"])] == ["a", "a or b", "a, b or c"]
    assert option({"a": 1}, "a", what="letter") == 1
    with pytest.raises(SettingsError, match="unknown letter 'c'; expected a or b"):
        option({"b": 1, "a": 2}, "c", what="letter")

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Frames have the number of persons that was asked for."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from pose_resnet_ros.benchmark.scenes import recorded_images, recorded_scene, synthetic_scene
from pose_resnet_ros.core.boxes import is_valid
from pose_resnet_ros.core.errors import SettingsError
from pose_resnet_ros.core.types import Detections


class FixedDetector:
    """Always finds the same boxes."""

    selected_provider = None

    def __init__(self, boxes_xyxy: list[list[float]]) -> None:
        self._boxes = np.array(boxes_xyxy, np.float32).reshape(-1, 4)

    def detect(self, image, *, detection_threshold, nms_threshold, clock=None) -> Detections:
        return Detections(self._boxes, np.ones(len(self._boxes), np.float32))

    def close(self) -> None:
        pass


@pytest.mark.parametrize("persons", [0, 1, 32])
def test_a_synthetic_scene_has_so_many_persons(persons):
    scene = synthetic_scene(persons, width=320, height=240)
    assert scene.image.shape == (240, 320, 3)
    assert scene.image.dtype == np.uint8
    assert len(scene.boxes) == persons
    assert is_valid(scene.boxes.boxes_xyxy).all()


def test_a_synthetic_scene_is_the_same_each_time():
    first, second = (synthetic_scene(3, width=64, height=48) for _ in range(2))
    assert np.array_equal(first.image, second.image)
    assert np.array_equal(first.boxes.boxes_xyxy, second.boxes.boxes_xyxy)


def test_persons_of_a_recorded_picture_are_taken_again_a_little_moved():
    image = np.zeros((100, 200, 3), np.uint8)
    scene = recorded_scene(image, 3, detector=FixedDetector([[0, 0, 10, 20], [50, 0, 60, 20]]))
    assert scene.boxes.boxes_xyxy.tolist() == [[0, 0, 10, 20], [50, 0, 60, 20], [4, 4, 14, 24]]


def test_an_empty_recorded_picture_is_one_person_itself():
    scene = recorded_scene(np.zeros((100, 200, 3), np.uint8), 1, detector=FixedDetector([]))
    assert scene.boxes.boxes_xyxy.tolist() == [[0, 0, 200, 100]]


def test_pictures_are_spread_over_the_source(tmp_path: Path):
    for value in range(10):
        cv2.imwrite(str(tmp_path / f"{value}.png"), np.full((8, 8, 3), value, np.uint8))
    assert [image[0, 0, 0] for image in recorded_images(str(tmp_path), count=5)] == [0, 2, 4, 6, 8]
    with pytest.raises(SettingsError, match="there is no 'nowhere'"):
        recorded_images("nowhere", count=5)

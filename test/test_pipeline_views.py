# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Cameras that are mounted sideways, and a detector that looks at a part of the image."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import spot_model

from pose_resnet_ros.core.errors import ImageError, SettingsError
from pose_resnet_ros.core.types import Detections
from pose_resnet_ros.pipeline import PosePipeline, load_pipeline
from pose_resnet_ros.settings import FrameSettings

SPOT = (150, 50)  # x, y of the middle of a white square in an image of 200 x 100


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PosePipeline]:
    model = spot_model.spot_model(tmp_path_factory.mktemp("model") / "spot.onnx")
    with load_pipeline(pose_model=model, detector_model="full_frame", skeleton="coco17") as pipeline:
        yield pipeline


@pytest.fixture
def image() -> np.ndarray:
    image = np.zeros((100, 200, 3), np.uint8)
    image[SPOT[1] - 8 : SPOT[1] + 8, SPOT[0] - 8 : SPOT[0] + 8] = 255
    return image


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_results_are_in_the_image_as_it_came(pipeline: PosePipeline, image: np.ndarray, degrees: int) -> None:
    result = pipeline.run(image, settings=FrameSettings(image_rotation=degrees), keep_heatmaps=True)
    for people in (result.people, result.native):
        assert people.boxes_xyxy.tolist() == [[0, 0, 200, 100]]
        # The crop shows 250 or more pixels in 48: a cell of four is 21 image pixels, or more.
        assert np.abs(people.keypoints_xy[0, 0] - SPOT).max() < 15
    assert result.detections.boxes_xyxy.tolist() == [[0, 0, 200, 100]]
    _, _, rows, columns = result.heatmaps.shape
    row, column = divmod(int(result.heatmaps[0, 0].argmax()), columns)
    place = result.image_from_crop[0] @ (4 * column, 4 * row, 1)
    assert np.abs(place - SPOT).max() < 30
    assert rows < 48


def test_given_boxes_are_in_the_image_as_it_came(pipeline: PosePipeline, image: np.ndarray) -> None:
    box = Detections(np.array([[130, 30, 170, 70]], np.float32), np.ones(1, np.float32))
    results = [pipeline.run(image, boxes=box, settings=FrameSettings(image_rotation=degrees)) for degrees in (0, 90, 180, 270)]
    for result in results:
        assert result.people.boxes_xyxy.tolist() == [[130, 30, 170, 70]]
        assert np.abs(result.people.keypoints_xy[0, 0] - SPOT).max() < 6


def test_the_detector_looks_at_its_region_only(pipeline: PosePipeline, image: np.ndarray) -> None:
    region = {"detector_region_x": 0.5, "detector_region_y": 0.1, "detector_region_width": 0.4}
    result = pipeline.run(image, settings=FrameSettings(**region, detector_region_height=0.6))
    assert result.people.boxes_xyxy.tolist() == [[100, 10, 180, 70]]
    turned = pipeline.run(image, settings=FrameSettings(image_rotation=180, **region))
    assert turned.people.boxes_xyxy.tolist() == [[20, 0, 100, 90]]


@pytest.mark.parametrize(
    ("x", "width", "expected"),
    [(0.0, 1.0, (0, 64)), (0.5, 1.0, (32, 64)), (1.0, 1.0, (63, 64)), (0.25, 0.5, (16, 48)), (0.5, 0.01, (32, 33))],
)
def test_regions_stay_inside_and_are_never_empty(x: float, width: float, expected: tuple[int, int]) -> None:
    settings = FrameSettings(detector_region_x=x, detector_region_width=width)
    assert settings.detector_region(width=64, height=48) == (expected[0], 0, expected[1], 48)


@pytest.mark.parametrize("degrees", [45, -90, 360])
def test_other_turns_are_refused(degrees: int) -> None:
    with pytest.raises(SettingsError, match="image_rotation: expected 0, 90, 180 or 270"):
        FrameSettings(image_rotation=degrees)


def test_a_region_of_one_pixel_is_an_error_of_the_image(pipeline: PosePipeline) -> None:
    tiny = FrameSettings(detector_region_width=0.01, detector_region_height=0.01)
    with pytest.raises(ImageError, match="region is a single pixel"):
        pipeline.run(np.zeros((48, 64, 3), np.uint8), settings=tiny)

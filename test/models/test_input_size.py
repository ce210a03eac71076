# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""``detector_input``: a detector at another size than its own."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import known_models
import numpy as np
import onnx
import pytest

from pose_resnet_ros.core.errors import SettingsError
from pose_resnet_ros.core.types import Detections
from pose_resnet_ros.models.detector import PersonDetector, load_detector
from pose_resnet_ros.models.registry import find_model
from pose_resnet_ros.pipeline import load_pipeline

PICTURE = Path(__file__).parents[2] / "docs" / "images" / "street.jpg"


def detect(image: np.ndarray, input_wh: tuple[int, int] | None, *, threshold: float = 0.4) -> Detections:
    detector = PersonDetector("person_lite", input_wh=input_wh)
    try:
        return detector.detect(image, detection_threshold=threshold, nms_threshold=0.45)
    finally:
        detector.close()


def centres_of(boxes_xyxy: np.ndarray) -> np.ndarray:
    return (boxes_xyxy[:, :2] + boxes_xyxy[:, 2:]) / 2


def free_detector(path: Path) -> Path:
    """Grids of zeros, a cell for each 32 and 16 pixels of an input of any size: every score is a quarter."""
    nodes = []
    for index, stride in enumerate((32, 16)):
        kernel = f"kernel{index}"
        nodes.append(onnx.helper.make_node("Conv", ["input", kernel], [f"grid{index}"], strides=[stride] * 2))
    constants = {f"kernel{i}": np.zeros((6, 3, s, s), np.float32) for i, s in enumerate((32, 16))}
    return known_models.save(
        path,
        nodes,
        inputs={"input": ("n", 3, "height", "width")},
        outputs=["grid0", "grid1"],
        constants=constants,
        spec=known_models.DETECTOR_SPEC,
    )


def test_boxes_come_back_to_the_image_from_any_size(tmp_path: Path) -> None:
    """128x96 over a 256x192 image, in which nothing is grey margin: two image pixels are one of the network's."""
    detector = PersonDetector(free_detector(tmp_path / "free.onnx"), input_wh=(128, 96))
    assert (detector.spec.input.width, detector.spec.input.height) == (128, 96)
    image = np.zeros((192, 256, 3), np.uint8)
    found = detector.detect(image, detection_threshold=0.2, nms_threshold=1.0)
    centres = centres_of(found.boxes_xyxy)
    assert len(found) == 4 * 3 + 8 * 6
    # The first cell of 16 pixels: centre (8, 8), anchor 16x24; the last of 32: centre (112, 80), anchor 32x48.
    assert np.abs(found.boxes_xyxy - [0, -8, 32, 40]).max(axis=1).min() < 0.01
    assert np.abs(found.boxes_xyxy - [192, 112, 256, 208]).max(axis=1).min() < 0.01
    np.testing.assert_allclose(centres.max(axis=0), [240, 176], atol=0.01)


def test_the_models_own_size_said_is_the_models_own_size() -> None:
    image = cv2.imread(str(PICTURE))
    own, said = detect(image, None), detect(image, (416, 320))
    assert len(own) > 0
    np.testing.assert_array_equal(own.boxes_xyxy, said.boxes_xyxy)
    np.testing.assert_array_equal(own.scores, said.scores)


@pytest.mark.parametrize("input_wh", [(320, 256), (640, 480), (256, 448)])
def test_person_lite_at_other_sizes(input_wh: tuple[int, int]) -> None:
    """Who is found at its own size with a high score is found at others too, at the same place."""
    image = cv2.imread(str(PICTURE))
    sure, found = detect(image, None, threshold=0.7), detect(image, input_wh, threshold=0.1)
    assert len(sure) > 0
    centres = centres_of(found.boxes_xyxy)
    for box, centre in zip(sure.boxes_xyxy, centres_of(sure.boxes_xyxy), strict=True):
        apart_px = np.abs(centres - centre).max(axis=1)
        assert apart_px.min() < 0.15 * (box[3] - box[1])


def test_a_model_of_one_size_says_which_it_is(tmp_path: Path) -> None:
    path = known_models.detector(tmp_path / "fixed.onnx", [])
    PersonDetector(path, input_wh=(64, 64)).close()
    message = f"detector_input: {path} accepts 64x64 only, got 128x96: leave detector_input empty"
    with pytest.raises(SettingsError, match=re.escape(message)):
        PersonDetector(path, input_wh=(128, 96))


@pytest.mark.parametrize("input_wh", [(320, 250), (16, 32), (400, 320)])
def test_a_size_between_the_cells_is_refused(input_wh: tuple[int, int]) -> None:
    with pytest.raises(SettingsError, match=r"multiples of 32 for person_lite.*\.onnx, got"):
        PersonDetector("person_lite", input_wh=input_wh)


def test_a_size_that_would_fill_the_memory_is_refused() -> None:
    with pytest.raises(SettingsError, match="expected at most 8388608 pixels, got 64000x64000"):
        PersonDetector("person_lite", input_wh=(64_000, 64_000))


def test_full_frame_has_no_input() -> None:
    with pytest.raises(SettingsError, match="detector_input: full_frame has no input size"):
        load_detector("full_frame", input_wh=(320, 256))


def test_the_pipeline_takes_it_as_a_text() -> None:
    with load_pipeline(detector_input="320x256", backend="cpu") as pipeline:
        assert pipeline.detector.spec.input.width == 320  # type: ignore[attr-defined]
    with pytest.raises(SettingsError, match="detector_input: expected WIDTHxHEIGHT"):
        load_pipeline(detector_input="small", backend="cpu")


def test_the_bundled_files_sizes_are_free() -> None:
    model = onnx.load(find_model("person_lite").path)
    dims = model.graph.input[0].type.tensor_type.shape.dim
    assert [dim.dim_param or dim.dim_value for dim in dims] == ["N", 3, "height", "width"]

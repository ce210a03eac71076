# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import known_models
import numpy as np
import onnx
import pytest

from pose_resnet_ros.core.errors import ImageError, InferenceCancelled, ModelError
from pose_resnet_ros.core.types import Detections
from pose_resnet_ros.models.detector import FullFrame, PersonDetector, load_detector
from pose_resnet_ros.models.runtime import RunOn

IMAGE = np.full((480, 640, 3), 100, np.uint8)


def detect(path: Path, *, threshold: float = 0.3, nms: float = 0.45) -> Detections:
    return PersonDetector(path).detect(IMAGE, detection_threshold=threshold, nms_threshold=nms)


def test_nobody(tmp_path: Path) -> None:
    assert len(detect(known_models.detector(tmp_path / "d.onnx", []))) == 0


def test_the_best_comes_first_and_duplicates_go(tmp_path: Path) -> None:
    # Two neighbours on the fine grid (16x24 at 16 px apart do not touch), and one on the coarse grid over the first.
    objects = [(1, 1, 1, 1.0), (1, 2, 1, 3.0), (0, 0, 0, 0.0)]
    found = detect(known_models.detector(tmp_path / "d.onnx", objects))
    # Centres (24, 24), (40, 24) and (16, 16) less the 8 grey rows, times ten.
    expected = [[320, 40, 480, 280], [160, 40, 320, 280], [0, -160, 320, 320]]
    np.testing.assert_allclose(found.boxes_xyxy, expected, atol=0.01)
    assert (np.diff(found.scores) < 0).all()
    # The coarse box covers the second to a quarter of their union.
    assert len(detect(tmp_path / "d.onnx", nms=0.2)) == 2


def test_boxes_wholly_outside_the_image_are_dropped(tmp_path: Path) -> None:
    # A wide image: 640x120 is 12 rows of the 64; a person centred in the first row of cells lies in the grey above it.
    path = known_models.detector(tmp_path / "d.onnx", [(1, 1, 0, 3.0), (1, 1, 1, 2.0)])
    found = PersonDetector(path).detect(IMAGE[:120], detection_threshold=0.3, nms_threshold=0.45)
    assert len(found) == 1


def test_a_suppression_in_the_graph_is_told_the_size_of_the_input(tmp_path: Path) -> None:
    """As in the ONNX Model Zoo: a second input ``image_shape``, boxes y1, x1, y2, x2 in a picture of that size."""
    spec = replace(known_models.DETECTOR_SPEC, letterbox="onnx_zoo", decoder="onnx_zoo", scales=())
    constants = {
        "fractions": np.float32([[[0.25, 0.25, 0.75, 0.5]]]),
        "scores": np.float32([[[0.75]]]),
        "indices": np.float32([[0, 0, 0]]),
        "four": np.int64([1, 2]),
        "zero": np.float32([0]),
        "axes": np.int64([3]),
    }
    nodes = [
        onnx.helper.make_node("Tile", ["image_shape", "four"], ["hwhw"]),
        onnx.helper.make_node("ReduceMean", ["input"], ["mean"], axes=[1, 2, 3], keepdims=1),
        onnx.helper.make_node("Mul", ["mean", "zero"], ["nothing4"]),
        onnx.helper.make_node("Squeeze", ["nothing4", "axes"], ["nothing"]),
        onnx.helper.make_node("Mul", ["fractions", "hwhw"], ["pixels"]),
        onnx.helper.make_node("Add", ["pixels", "nothing"], ["boxes"]),
        onnx.helper.make_node("Identity", ["scores"], ["all_scores"]),
        onnx.helper.make_node("Identity", ["indices"], ["picked"]),
    ]
    path = known_models.save(
        tmp_path / "zoo.onnx",
        nodes,
        inputs={"input": ("n", 3, 64, 64), "image_shape": ("n", 2)},
        outputs=["boxes", "all_scores", "picked"],
        constants=constants,
        spec=spec,
    )
    # Of 64: y 16..48, x 16..32; less the 8 grey rows, times ten.
    np.testing.assert_allclose(detect(path).boxes_xyxy, [[160, 80, 320, 400]], atol=0.01)


RTDETR_SPEC = replace(known_models.DETECTOR_SPEC, letterbox="stretched", decoder="rtdetr", scales=(), class_count=80)


def test_rtdetr_is_told_its_size_in_integers_and_nobody_is_suppressed(tmp_path: Path) -> None:
    found = detect(known_models.rtdetr(tmp_path / "d.onnx", spec=RTDETR_SPEC))
    np.testing.assert_allclose(found.boxes_xyxy, [[160, 120, 320, 360]] * 2, atol=0.01)  # shares of 640x480
    np.testing.assert_allclose(found.scores, [0.9, 0.8])


def test_rtdetr_s_logits(tmp_path: Path) -> None:
    logits = np.full((1, 2, 3), -9.0)
    logits[0, :, 2] = 0.0, 2.0
    answers = {"logits": logits, "pred_boxes": np.array([[[0.5, 0.5, 0.5, 0.5], [0.25, 0.25, 0.1, 0.2]]])}
    spec = replace(RTDETR_SPEC, decoder="rtdetr_logits", class_count=3, person_class=2)
    found = detect(known_models.constant_answers(tmp_path / "d.onnx", answers, spec=spec))
    np.testing.assert_allclose(found.boxes_xyxy, [[128, 72, 192, 168], [160, 120, 480, 360]], atol=0.01)


def test_an_input_that_the_decoder_has_no_values_for_is_refused(tmp_path: Path) -> None:
    path = known_models.rtdetr(tmp_path / "d.onnx", spec=replace(RTDETR_SPEC, decoder="yolox_nms"))
    with pytest.raises(
        ModelError, match=r"d\.onnx: .*decoder 'yolox_nms' has values for 0 .*the file needs 1: 'orig_target_sizes' \(any, 2\)"
    ):
        PersonDetector(path)


@pytest.mark.parametrize(
    ("change", "answers"),
    [
        ({}, {"only": np.zeros((1, 6, 2, 2), np.float32)}),
        ({}, {"a": np.zeros((1, 6, 2, 2), np.float32), "b": np.zeros((1, 6, 4, 5), np.float32)}),
        ({"decoder": "yolox", "scales": ()}, {"rows": np.zeros((1, 7, 6), np.float32)}),
        ({"decoder": "yolox_nms", "scales": ()}, {"rows": np.zeros((1, 6, 2, 2), np.float32)}),
        ({"decoder": "magic"}, {"rows": np.zeros((1, 7, 6), np.float32)}),
        ({"letterbox": "magic"}, {"rows": np.zeros((1, 7, 6), np.float32)}),
    ],
    ids=["one grid", "odd grid", "too few cells", "another rank", "unknown decoder", "unknown letterbox"],
)
def test_outputs_that_do_not_fit_the_description_are_refused(
    tmp_path: Path, change: dict[str, object], answers: dict[str, np.ndarray]
) -> None:
    spec = replace(known_models.DETECTOR_SPEC, **change)
    path = known_models.constant_answers(tmp_path / "odd.onnx", answers, spec=spec)
    with pytest.raises(ModelError, match=r"odd\.onnx: the file does not fit its description"):
        PersonDetector(path)


def test_a_start_that_is_cancelled_is_no_fault_of_the_file(tmp_path: Path) -> None:
    run_on = RunOn(backend="cpu")
    run_on.canceller.cancel()
    with pytest.raises(InferenceCancelled):
        PersonDetector(known_models.detector(tmp_path / "d.onnx", []), run_on=run_on)


def test_a_pose_network_is_no_detector(tmp_path: Path) -> None:
    path = known_models.pose_net(tmp_path / "pose.onnx")
    with pytest.raises(ModelError, match=r"pose\.onnx is a pose model \('known_pose'\); expected a detector model"):
        PersonDetector(path)


def test_other_layouts_of_an_image_are_refused(tmp_path: Path) -> None:
    detector = PersonDetector(known_models.detector(tmp_path / "d.onnx", []))
    with pytest.raises(ImageError):
        detector.detect(np.zeros((4, 4), np.uint8), detection_threshold=0.5, nms_threshold=0.5)


def test_full_frame_is_a_detector_without_a_network() -> None:
    detector = load_detector("full_frame")
    assert isinstance(detector, FullFrame)
    found = detector.detect(IMAGE, detection_threshold=0.9, nms_threshold=0.5)
    np.testing.assert_array_equal(found.boxes_xyxy, [[0, 0, 640, 480]])
    assert detector.selected_provider is None


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_network_that_gives_nothing_finite_is_refused(tmp_path: Path, value: float) -> None:
    """It would load, and find nobody for ever."""
    grids = known_models.yolo_grids([])
    grids["grid1"][0, 0, 1, 2] = value
    path = known_models.constant_answers(tmp_path / "d.onnx", grids, spec=known_models.DETECTOR_SPEC)
    with pytest.raises(ModelError, match=r"d\.onnx gives values that are not finite: its weights are damaged"):
        PersonDetector(path)

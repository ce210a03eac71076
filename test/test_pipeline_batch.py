# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Several images at once: the same results as one by one, in shared batches where the networks can take them."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import cv2
import known_models
import numpy as np
import onnx
import pytest
from onnx import helper
from spot_model import spot_model

from pose_resnet_ros.core.errors import ImageError
from pose_resnet_ros.core.types import Detections
from pose_resnet_ros.models.runtime import OnnxModel
from pose_resnet_ros.pipeline import PipelineResult, PosePipeline, load_pipeline
from pose_resnet_ros.settings import FrameSettings

STREET = cv2.imread(str(Path(__file__).parents[1] / "docs" / "images" / "street.jpg"))
GREY = np.full((96, 128, 3), 100, np.uint8)
BOXES = Detections(np.array([[63, 105, 131, 247], [278, 108, 366, 287]], np.float32), np.array([0.9, 0.4], np.float32))

# Images, settings and given boxes: other sizes and rotations, an image without anybody, boxes given for some.
CASES: tuple[tuple[np.ndarray, FrameSettings, Detections | None], ...] = (
    (STREET, FrameSettings(), None),
    (np.ascontiguousarray(np.rot90(STREET)), FrameSettings(image_rotation=90, keypoint_threshold=0.1), None),
    (GREY, FrameSettings(), None),
    (cv2.resize(STREET, None, fx=0.7, fy=0.7), FrameSettings(detector_region_x=0.3, max_persons=2), None),
    (STREET, FrameSettings(flip_test=True), BOXES),
    (STREET, FrameSettings(), Detections.empty()),
    (np.ascontiguousarray(np.rot90(STREET, 2)), FrameSettings(image_rotation=180, flip_test=True), None),
)


@pytest.fixture(scope="module")
def pipeline() -> Iterator[PosePipeline]:
    with load_pipeline(backend="cpu", threads=1) as loaded:
        yield loaded


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many inputs each call of a network got."""
    seen: list[int] = []
    run = OnnxModel.run

    def counted(model: OnnxModel, tensor: np.ndarray, **others: np.ndarray) -> list[np.ndarray]:
        seen.append(len(tensor))
        return run(model, tensor, **others)

    monkeypatch.setattr(OnnxModel, "run", counted)
    return seen


def together(pipeline: PosePipeline, cases: Sequence[tuple], **given: bool) -> list[PipelineResult]:
    images, settings, boxes = zip(*cases, strict=True)
    return pipeline.run_batch(images, settings=settings, boxes=boxes, **given)


def one_by_one(pipeline: PosePipeline, cases: Sequence[tuple], **given: bool) -> list[PipelineResult]:
    return [pipeline.run(image, settings=settings, boxes=boxes, **given) for image, settings, boxes in cases]


def at_once(pipeline: PosePipeline, cases: Sequence[tuple], *, threads: int) -> list[PipelineResult]:
    def run(case: tuple) -> PipelineResult:
        image, settings, boxes = case
        return pipeline.run(image, settings=settings, boxes=boxes)

    with ThreadPoolExecutor(threads) as executor:
        return list(executor.map(run, cases))


def require_equal(results: Sequence[PipelineResult], expected: Sequence[PipelineResult]) -> None:
    assert [len(result.people) for result in results] == [len(result.people) for result in expected]
    for result, alone in zip(results, expected, strict=True):
        np.testing.assert_allclose(result.detections.boxes_xyxy, alone.detections.boxes_xyxy, atol=0.01)
        np.testing.assert_allclose(result.detections.scores, alone.detections.scores, atol=1e-4)
        np.testing.assert_allclose(result.people.keypoints_xy, alone.people.keypoints_xy, atol=0.01)
        np.testing.assert_allclose(result.people.keypoint_scores, alone.people.keypoint_scores, atol=1e-4)


def test_results_are_those_of_one_by_one(pipeline: PosePipeline) -> None:
    results = together(pipeline, CASES, keep_heatmaps=True)
    expected = one_by_one(pipeline, CASES, keep_heatmaps=True)
    require_equal(results, expected)
    counts = [len(result.people) for result in results]
    assert min(counts[0], counts[1], counts[6]) >= 3
    assert (counts[2], counts[4], counts[5]) == (0, 2, 0)
    for result, alone in zip(results, expected, strict=True):
        np.testing.assert_allclose(result.heatmaps, alone.heatmaps, atol=1e-4)
        np.testing.assert_allclose(result.image_from_crop, alone.image_from_crop)
    assert results[4].detections is BOXES


def test_results_are_those_of_one_by_one_where_threads_share_the_pipeline(pipeline: PosePipeline) -> None:
    require_equal(at_once(pipeline, CASES * 3, threads=3), one_by_one(pipeline, CASES) * 3)


def test_images_share_the_batches_of_both_networks(pipeline: PosePipeline, batches: list[int]) -> None:
    cases = [(image, replace(settings, verify_persons=False), boxes) for image, settings, boxes in CASES[:4]]
    results = together(pipeline, cases)
    assert batches == [4, sum(len(result.people) for result in results)]
    assert {id(result.stage_ms) for result in results} == {id(results[0].stage_ms)}


def test_a_flip_test_is_for_those_who_ask_for_it(pipeline: PosePipeline, batches: list[int]) -> None:
    plain, flipped = (STREET, FrameSettings(), BOXES[:1]), (STREET, FrameSettings(flip_test=True), BOXES)
    together(pipeline, [plain, flipped, plain])
    assert batches == [2, 2, 2]  # both who do not; then the other two, and mirrored


def test_no_images_no_results(pipeline: PosePipeline, batches: list[int]) -> None:
    assert pipeline.run_batch([]) == []
    assert batches == []


def test_nobody_anywhere_is_no_run_of_the_pose_network(pipeline: PosePipeline, batches: list[int]) -> None:
    results = pipeline.run_batch([GREY, GREY[:48]])
    assert batches == [2]
    assert [result.people.keypoints_xy.shape for result in results] == [(0, 18, 2)] * 2


def test_an_image_that_cannot_be_used_is_an_error_before_anything_runs(pipeline: PosePipeline, batches: list[int]) -> None:
    with pytest.raises(ImageError, match="expected a BGR image"):
        pipeline.run_batch([GREY, GREY[:, :, 0]])
    with pytest.raises(ImageError, match=r"box 0 .* has no area"):
        pipeline.run_batch([GREY, GREY], boxes=[None, Detections(np.zeros((1, 4), np.float32), np.ones(1, np.float32))])
    assert batches == []


@pytest.mark.parametrize("what", ["settings", "boxes"])
def test_each_image_needs_its_own(pipeline: PosePipeline, what: str) -> None:
    with pytest.raises(ValueError, match="zip"):
        pipeline.run_batch([GREY, GREY], **{what: [FrameSettings() if what == "settings" else None]})


def test_a_detector_of_a_fixed_batch_is_run_one_by_one(tmp_path: Path, batches: list[int]) -> None:
    grids = known_models.yolo_grids([(0, 0, 0, 2.0)])
    detector = known_models.constant_answers(tmp_path / "fixed.onnx", grids, spec=known_models.DETECTOR_SPEC, batch=1)
    with load_pipeline(pose_model=spot_model(tmp_path / "spot.onnx"), detector_model=detector, backend="cpu") as pipeline:
        batches.clear()
        results = pipeline.run_batch([GREY, STREET, GREY])
        assert batches == [1, 1, 1, 3]
        require_equal(results, [pipeline.run(image) for image in (GREY, STREET, GREY)])


def test_a_detector_made_for_one_image_is_found_out_and_run_one_by_one(
    tmp_path: Path, batches: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    """Its batch axis is free in name only: it gives one answer, however many images there are."""
    path = known_models.detector(tmp_path / "one.onnx", [(0, 0, 0, 2.0)])
    model = onnx.load(path)
    mean = next(node for node in model.graph.node if node.op_type == "ReduceMean")
    mean.attribute[0].CopyFrom(helper.make_attribute("axes", [0, 1, 2, 3]))
    onnx.save(model, path)
    with load_pipeline(pose_model=spot_model(tmp_path / "spot.onnx"), detector_model=path, backend="cpu") as pipeline:
        batches.clear()
        with caplog.at_level(logging.WARNING):
            results = pipeline.run_batch([GREY, STREET])
        assert batches == [2, 1, 1, 2]
        assert "one.onnx: several images are run one by one" in caplog.text
        batches.clear()
        require_equal(results, pipeline.run_batch([GREY, STREET]))
        assert batches == [1, 1, 2]


def test_the_fused_graph_takes_one_image_at_a_time(tmp_path: Path, batches: list[int]) -> None:
    with load_pipeline(pose_model=spot_model(tmp_path / "spot.onnx"), backend="cpu", fused_graph=True) as pipeline:
        batches.clear()
        results = together(pipeline, CASES)
        assert batches == [5]  # the detector's
        expected = one_by_one(pipeline, CASES)
        require_equal(results, expected)
        require_equal(at_once(pipeline, CASES, threads=3), expected)

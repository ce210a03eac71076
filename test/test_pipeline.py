# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import known_models
import numpy as np
import pytest

from pose_resnet_ros.core.errors import ImageError, InferenceCancelled, SettingsError
from pose_resnet_ros.core.types import Detections, People
from pose_resnet_ros.models.stages import STAGES
from pose_resnet_ros.pipeline import PosePipeline, load_pipeline
from pose_resnet_ros.settings import FrameSettings

IMAGE = np.full((480, 640, 3), 100, np.uint8)
BOX = Detections(np.array([[100, 50, 180, 250]], np.float32), np.array([0.8], np.float32))


def given(count: int) -> Detections:
    """Boxes 80 x 200, the k-th at (100 + 10 k, 50)."""
    corners = [[100 + 10 * k, 50, 180 + 10 * k, 250] for k in range(count)]
    return Detections(np.array(corners, np.float32).reshape(-1, 4), np.full(count, 0.8, np.float32))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def pipeline(folder: Path):
    pose = known_models.pose_net(folder / "pose.onnx")
    # Person A at cell (0, 0) of the coarse grid, B at (2, 3) of the fine one; an unsure C at (0, 1), a quarter of A.
    objects = [(0, 0, 0, 2.0), (1, 2, 3, 1.0), (1, 0, 1, -0.2)]
    detector = known_models.detector(folder / "detector.onnx", objects)
    with load_pipeline(pose_model=pose, detector_model=detector, skeleton="coco17", max_batch=4, backend="cpu") as loaded:
        yield loaded


def test_keypoints_of_a_given_box_are_where_the_reference_says(pipeline: PosePipeline) -> None:
    result = pipeline.run(IMAGE, boxes=BOX)
    # Box xywh (100, 50, 80, 200): 187.5 px wide when padded, so a cell of the 48 is 3.90625 px, around the centre (140, 150).
    expected = [(140 + (x + 0.25 - 24) * 3.90625, 150 + (y + 0.25 - 32) * 3.90625) for x, y in known_models.PEAKS_XY]
    np.testing.assert_allclose(result.people.keypoints_xy[0], expected, atol=0.01)
    np.testing.assert_allclose(result.people.keypoint_scores, np.full((1, 17), 0.9), atol=1e-6)
    np.testing.assert_array_equal(result.people.boxes_xyxy, BOX.boxes_xyxy)
    np.testing.assert_array_equal(result.people.box_scores, BOX.scores)


@pytest.mark.parametrize("count", [0, 1, 3, 4, 5, 11])
def test_each_box_has_its_row_whatever_the_batch(pipeline: PosePipeline, count: int) -> None:
    result = pipeline.run(IMAGE, boxes=given(count), keep_heatmaps=True)
    assert result.people.keypoints_xy.shape == (count, 17, 2)
    assert result.heatmaps is not None
    assert result.heatmaps.shape == (count, 17, 64, 48)
    assert result.image_from_crop is not None
    assert result.image_from_crop.shape == (count, 2, 3)
    first = pipeline.run(IMAGE, boxes=given(1)).people.keypoints_xy[0]
    for k in range(count):
        np.testing.assert_allclose(result.people.keypoints_xy[k], first + np.array([10 * k, 0]), atol=0.01)


def test_detections_lie_in_the_image(pipeline: PosePipeline) -> None:
    result = pipeline.run(IMAGE, settings=FrameSettings(detection_threshold=0.5, verify_persons=False))
    # 640x480 in 64x64: a tenth of the size, 8 rows of grey above. A: centre (16, 16) - (0, 8), 32x48; B: (40, 56), 16x24.
    expected = [[0, -160, 320, 320], [320, 360, 480, 600]]
    np.testing.assert_allclose(result.detections.boxes_xyxy, expected, atol=0.01)
    np.testing.assert_allclose(result.detections.scores, 1 / (1 + np.exp([-2.0, -1.0])), atol=1e-4)
    assert result.people.keypoints_xy.shape == (2, 17, 2)
    assert tuple(result.stage_ms) == STAGES


def test_thresholds_and_the_limit_take_effect_at_once(pipeline: PosePipeline) -> None:
    def count(**settings: float) -> int:
        return len(pipeline.run(IMAGE, settings=FrameSettings(verify_persons=False, **settings)).people)

    assert count(detection_threshold=0.9) == 0
    assert count(detection_threshold=0.8) == 1
    assert count(detection_threshold=0.4) == 3
    assert count(detection_threshold=0.4, nms_threshold=0.05) == 2
    assert count(detection_threshold=0.4, max_persons=1) == 1


def test_detector_and_keypoints_score_a_person_together(pipeline: PosePipeline) -> None:
    """The known detector's scores 0.881, 0.731 and 0.450, each with the known keypoints' 0.9: the root of the product."""

    def scores(threshold: float, **settings: bool) -> list[float]:
        result = pipeline.run(IMAGE, settings=FrameSettings(detection_threshold=threshold, **settings), keep_heatmaps=True)
        rows = len(result.people), len(result.native), len(result.heatmaps), len(result.image_from_crop)
        assert rows == (len(result.detections),) * 4
        np.testing.assert_array_equal(result.people.box_scores, result.detections.scores)
        return np.round(result.people.box_scores.astype(float), 3).tolist()

    assert scores(0.6) == [0.890, 0.811, 0.637]
    assert scores(0.6, verify_persons=False) == [0.881, 0.731]
    assert scores(0.85) == [0.890]
    assert scores(0.68) == [0.890, 0.811]  # the third lies under two thirds of 0.68: its keypoints are not asked
    assert scores(0.95) == []


def test_what_has_no_joint_is_nobody(folder: Path) -> None:
    """A detector that is sure of a person, and a pose network that sees none of its joints: a ghost."""
    blind = known_models.pose_net(folder / "blind.onnx", score=0.05)
    detector = known_models.detector(folder / "sure.onnx", [(0, 0, 0, 4.0)])
    with load_pipeline(pose_model=blind, detector_model=detector, skeleton="coco17", backend="cpu") as loaded:
        assert len(loaded.run(IMAGE).people) == 0
        assert len(loaded.run(IMAGE, settings=FrameSettings(verify_persons=False)).people) == 1
        assert len(loaded.run(IMAGE, boxes=BOX).people) == 1  # given persons are not doubted


def test_two_boxes_of_one_skeleton_are_one_person(folder: Path) -> None:
    """A spot, where a blob finder puts all joints, in two boxes that overlap too little for the detector (IoU 0.25)."""
    image = np.zeros((480, 640, 3), np.uint8)
    image[140:180, 60:100, 2] = 255
    blob = known_models.blob_finder(folder / "one_blob.onnx")
    detector = known_models.detector(folder / "two_boxes.onnx", [(0, 0, 0, 3.0), (1, 0, 1, 2.0)])
    with load_pipeline(pose_model=blob, detector_model=detector, skeleton="native", backend="cpu") as loaded:
        both = loaded.run(image, settings=FrameSettings(verify_persons=False)).people
        np.testing.assert_allclose(both.keypoints_xy[0], both.keypoints_xy[1], atol=12)
        (kept,) = loaded.run(image).people.boxes_xyxy
    np.testing.assert_array_equal(kept, both.boxes_xyxy[0])


def test_nobody_gives_an_empty_result(pipeline: PosePipeline) -> None:
    result = pipeline.run(IMAGE, settings=FrameSettings(detection_threshold=1.0, verify_persons=False), keep_heatmaps=True)
    assert len(result.people) == len(result.native) == len(result.detections) == 0
    assert result.people.keypoints_xy.shape == (0, 17, 2)
    assert "pose" not in result.stage_ms


def test_a_spot_in_the_picture_is_found_where_it_is(folder: Path) -> None:
    image = np.zeros((240, 320, 3), np.uint8)
    image[93:96, 203:206, 2] = 255  # red: the first channel of an RGB network
    boxes = Detections(np.array([[150, 40, 250, 160]], np.float32), np.ones(1, np.float32))
    with load_pipeline(
        pose_model=known_models.blob_finder(folder / "blob.onnx"), detector_model="full_frame", skeleton="native"
    ) as pipeline:
        points = pipeline.run(image, boxes=boxes).people.keypoints_xy[0]
    # A cell is 125 / 48 = 2.6 px wide, its value is that of the pixels to the right of and below its place.
    np.testing.assert_allclose(points, np.full((17, 2), (204, 94)), atol=3.0)


def test_the_flip_test_averages_with_the_mirrored_crop(folder: Path) -> None:
    spec = replace(known_models.POSE_SPEC, name="flipped")
    with load_pipeline(
        pose_model=known_models.pose_net(folder / "flip.onnx", spec=spec), detector_model="full_frame", skeleton="coco17"
    ) as pipeline:
        kept = pipeline.run(IMAGE, settings=FrameSettings(flip_test=True), boxes=BOX, keep_heatmaps=True).heatmaps
    assert kept is not None
    # The network's answer is fixed, so its mirrored answer is the same map: mirrored back, eyes swapped, one column right.
    nose_x, nose_y = known_models.PEAKS_XY[0]
    assert kept[0, 0, nose_y, nose_x] == pytest.approx(0.45)
    assert kept[0, 0, nose_y, 47 - nose_x + 1] == pytest.approx(0.45)
    right_eye_x, right_eye_y = known_models.PEAKS_XY[2]
    assert kept[0, 1, right_eye_y, 47 - right_eye_x + 1] == pytest.approx(0.45)


def test_output_skeletons(folder: Path) -> None:
    pose = known_models.pose_net(folder / "skeletons.onnx")
    with load_pipeline(pose_model=pose, detector_model="full_frame") as pipeline:
        result = pipeline.run(IMAGE)
        assert pipeline.skeleton.name == "openpose18"
    assert result.people.keypoints_xy.shape == (1, 18, 2)
    assert result.native.keypoints_xy.shape == (1, 17, 2)
    shoulders = result.native.keypoints_xy[0, [5, 6]]
    np.testing.assert_allclose(result.people.keypoints_xy[0, 1], shoulders.mean(axis=0), atol=0.01)
    with load_pipeline(pose_model=pose, detector_model="full_frame", skeleton="native") as pipeline:
        assert pipeline.skeleton.name == "coco17"


def test_a_skeleton_that_the_model_cannot_give_is_refused(folder: Path) -> None:
    spec = replace(known_models.POSE_SPEC, skeleton="mpii16")
    answers = {"heatmaps": known_models.heatmaps_with_peaks(known_models.PEAKS_XY[:16])}
    pose = known_models.constant_answers(folder / "mpii.onnx", answers, spec=spec)
    with pytest.raises(SettingsError, match=r"mpii16.*openpose18"):
        load_pipeline(pose_model=pose, detector_model="full_frame")
    with load_pipeline(pose_model=pose, detector_model="full_frame", skeleton="native") as pipeline:
        assert pipeline.run(IMAGE).people.keypoints_xy.shape == (1, 16, 2)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"backend": "gpu"}, "backend: expected auto, cpu, cuda, tensorrt or openvino, got 'gpu'"),
        ({"precision": "fp8"}, "precision: expected auto, fp32, fp16 or int8, got 'fp8'"),
        ({"detector_precision": ""}, "detector_precision: expected auto"),
        ({"max_batch": 0}, "max_batch: expected an integer from 1 to 256, got 0"),
        ({"threads": -1}, "threads: expected an integer from 0 to 256, got -1"),
        ({"device_id": "0"}, "device_id: expected an integer from 0 to 63, got '0'"),
    ],
)
def test_values_that_are_not_allowed_are_refused(change: dict[str, object], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        load_pipeline(**change)


def test_full_frame_takes_the_whole_image(folder: Path) -> None:
    with load_pipeline(pose_model=known_models.pose_net(folder / "full.onnx"), detector_model="full_frame") as pipeline:
        result = pipeline.run(IMAGE)
        assert set(pipeline.selected_providers) == {"pose"}
    np.testing.assert_array_equal(result.people.boxes_xyxy, [[0, 0, 640, 480]])
    assert result.people.box_scores[0] == 1


@pytest.mark.parametrize(
    "image",
    [np.zeros((0, 0, 3), np.uint8), np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3), np.float32)],
)
def test_other_layouts_of_an_image_are_refused(pipeline: PosePipeline, image: np.ndarray) -> None:
    with pytest.raises(ImageError, match="expected a BGR image"):
        pipeline.run(image)


@pytest.mark.parametrize("box", [[10, 10, 10, 50], [10, 10, 5, 50], [float("nan"), 0, 9, 9], [0, 0, float("inf"), 9]])
def test_a_given_box_without_area_is_refused(pipeline: PosePipeline, box: list[float]) -> None:
    with pytest.raises(ImageError, match=r"box 0 .* has no area"):
        pipeline.run(IMAGE, boxes=Detections(np.array([box], np.float32), np.ones(1, np.float32)))


def test_cancel_holds_until_resume(pipeline: PosePipeline) -> None:
    pipeline.cancel()
    with pytest.raises(InferenceCancelled):
        pipeline.run(IMAGE)
    pipeline.resume()
    assert len(pipeline.run(IMAGE).people) > 0


def test_both_networks_say_what_they_run_on(pipeline: PosePipeline) -> None:
    assert {name: selected.provider for name, selected in pipeline.selected_providers.items()} == {
        "detector": "CPUExecutionProvider",
        "pose": "CPUExecutionProvider",
    }


def test_pose_score_is_the_mean_of_the_sure_keypoints() -> None:
    scores = np.array([[0.2, 0.4, 1.6], [0.1, 0.0, -0.3]], np.float32)
    people = People(
        np.zeros((2, 4), np.float32), np.ones(2, np.float32), np.zeros((2, 3, 2), np.float32), scores, np.full(2, -1, np.int32)
    )
    np.testing.assert_allclose(people.pose_scores(0.2), [0.7, 0.0], atol=1e-6)
    assert People.empty(3).pose_scores(0.2).shape == (0,)


def test_the_bundled_models_are_the_default() -> None:
    with load_pipeline(backend="cpu") as pipeline:
        assert (pipeline.detector.spec.name, pipeline.pose_net.spec.name) == ("person_lite", "pose_resnet_lite")
        assert len(pipeline.run(IMAGE).people) == 0  # a grey wall
        assert pipeline.run(IMAGE, boxes=given(3)).people.keypoints_xy.shape == (3, 18, 2)


def test_results_do_not_share_memory_with_the_next_frame(pipeline: PosePipeline) -> None:
    first = pipeline.run(IMAGE, boxes=given(2), keep_heatmaps=True)
    before = first.people.keypoints_xy.copy(), first.heatmaps.copy()
    pipeline.run(IMAGE // 2, boxes=given(2)[::-1], keep_heatmaps=True)
    np.testing.assert_array_equal(first.people.keypoints_xy, before[0])
    np.testing.assert_array_equal(first.heatmaps, before[1])

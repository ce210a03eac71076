# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""One camera's images in order: boxes between detections, track ids, smoothing. A network that finds the brightest spot stands
for the pose network.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import spot_model

from pose_resnet_ros.core.errors import ModelError
from pose_resnet_ros.core.types import Detections
from pose_resnet_ros.models.detector import Detector
from pose_resnet_ros.models.pose_net import PoseNet
from pose_resnet_ros.models.runtime import RunOn
from pose_resnet_ros.pipeline import PipelineResult, PosePipeline
from pose_resnet_ros.settings import FrameSettings, SmoothingSettings, StreamSettings, TrackingSettings
from pose_resnet_ros.stream import PersonStream

WIDTH, HEIGHT = 160, 120
SMOOTH = StreamSettings(smoothing=SmoothingSettings(enabled=True))


class CountingDetector(Detector):
    """Always finds these boxes, and counts how often it was asked."""

    def __init__(self) -> None:
        self.calls = 0
        self.boxes_xyxy = np.array([[20, 20, 80, 100]], np.float32)

    def detect_batch(self, images, **_) -> list[Detections]:
        self.calls += 1
        return [Detections(self.boxes_xyxy, np.full(len(self.boxes_xyxy), 0.9, np.float32)) for _ in images]


@pytest.fixture
def detector() -> CountingDetector:
    return CountingDetector()


@pytest.fixture
def stream(detector: CountingDetector, tmp_path: Path) -> Iterator[PersonStream]:
    run_on = RunOn(backend="cpu", threads=1)
    pose_net = PoseNet(spot_model.spot_model(tmp_path / "spot.onnx"), run_on=run_on)
    with PosePipeline(detector, pose_net, skeleton="openpose18", run_on=run_on) as pipeline:
        yield PersonStream(pipeline)


def spot_at(x: int, y: int = 60, *, size: tuple[int, int] = (WIDTH, HEIGHT)) -> np.ndarray:
    image = np.zeros((size[1], size[0], 3), np.uint8)
    image[y - 6 : y + 6, x - 6 : x + 6] = 255
    return image


def every(interval: int, **given) -> StreamSettings:
    return StreamSettings(frame=FrameSettings(detector_interval=interval, **given))


def id_of(result: PipelineResult) -> int:
    """Of the one person, which both skeletons agree on."""
    assert result.people.track_ids.tolist() == result.native.track_ids.tolist()
    return int(result.people.track_ids[0])


def spot_x(result: PipelineResult) -> float:
    return float(result.native.keypoints_xy[0, 0, 0])


@pytest.mark.parametrize(("interval", "calls"), [(1, 7), (2, 4), (3, 3), (100, 1)])
def test_every_nth_image_is_a_detection(stream, detector, interval, calls):
    for _ in range(7):
        stream.run(spot_at(50), settings=every(interval))
    assert detector.calls == calls


def test_in_between_the_box_follows_the_keypoints(stream, detector):
    results = [stream.run(spot_at(x), settings=every(100)) for x in (50, 60, 70, 80, 90)]
    assert detector.calls == 1
    # The box of an image comes from the keypoints of the one before: one step behind, the size unchanged.
    left = [float(result.detections.boxes_xyxy[0, 0]) for result in results]
    assert left == pytest.approx([20, 20, 30, 40, 50], abs=3)
    widths = [float(r.detections.boxes_xyxy[0, 2] - r.detections.boxes_xyxy[0, 0]) for r in results]
    assert widths == pytest.approx([60] * 5, abs=0.01)
    assert results[-1].people.keypoints_xy[0, 0] == pytest.approx([90, 60], abs=6)
    assert results[-1].people.box_scores == pytest.approx([0.9])


def test_a_lost_person_triggers_a_detection(stream, detector):
    black = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    stream.run(spot_at(50), settings=every(100))
    stream.run(black, settings=every(100))
    assert detector.calls == 1
    stream.run(spot_at(50), settings=every(100))
    assert detector.calls == 2


def test_an_empty_image_is_not_searched_again_at_once(stream, detector):
    detector.boxes_xyxy = np.zeros((0, 4), np.float32)
    results = [stream.run(spot_at(50), settings=every(3)) for _ in range(4)]
    assert detector.calls == 2
    assert [len(result.people) for result in results] == [0, 0, 0, 0]


def test_two_boxes_that_meet_become_one(stream, detector):
    detector.boxes_xyxy = np.array([[20, 20, 80, 100], [20, 20, 80, 101]], np.float32)
    counts = [len(stream.run(spot_at(50), settings=every(100)).people) for _ in range(3)]
    assert counts == [2, 1, 1]


def test_a_box_that_left_the_image_is_gone(stream, detector):
    detector.boxes_xyxy = np.array([[100, 20, 160, 100], [-70, 0, -10, 80]], np.float32)
    counts = [len(stream.run(spot_at(130), settings=every(100)).people) for _ in range(2)]
    assert counts == [2, 1]


def test_another_view_is_a_detection(stream, detector):
    stream.run(spot_at(50), settings=every(100))
    stream.run(spot_at(50, size=(200, 120)), settings=every(100))
    stream.run(spot_at(50, size=(200, 120)), settings=every(100, image_rotation=180))
    assert detector.calls == 3


@pytest.mark.parametrize(
    ("stamps_s", "calls"),
    [
        ([10.0, 10.1, 10.2], 1),
        ([10.0, 10.0, 11.0], 1),
        ([10.0, 10.1, 10.095, 10.2], 1),  # a driver's slip
        ([10.0, 10.1, 4.0, 4.1], 2),  # a bag that loops
        ([10.0, 11.1, 11.2], 2),  # a camera that was gone for a while
    ],
)
def test_a_jump_back_and_a_gap_make_a_detection(stream, detector, stamps_s, calls):
    for stamp_s in stamps_s:
        stream.run(spot_at(50), settings=every(100), stamp_s=stamp_s)
    assert detector.calls == calls


def test_a_run_that_fails_makes_the_next_image_a_detection(stream, detector, monkeypatch):
    def broken(*_: object, **__: object) -> None:
        raise ModelError("the boxes of this image are too much for it")

    stream.run(spot_at(50), settings=every(100))
    with monkeypatch.context() as patch:
        patch.setattr(PoseNet, "estimate_batch", broken)
        with pytest.raises(ModelError):
            stream.run(spot_at(50), settings=every(100))
    stream.run(spot_at(50), settings=every(100))
    assert detector.calls == 2


def test_given_boxes_are_used_and_not_remembered(stream, detector):
    given = Detections(np.array([[0, 0, 90, 120]], np.float32), np.ones(1, np.float32))
    stream.run(spot_at(50), settings=every(100))
    result = stream.run(spot_at(50), settings=every(100), boxes=given)
    assert result.detections is given
    stream.run(spot_at(50), settings=every(100))
    assert detector.calls == 2


def test_default_tracks_and_does_not_smooth(stream):
    results = [stream.run(spot_at(x), stamp_s=0.1 * step) for step, x in enumerate((50, 60, 70))]
    assert [id_of(result) for result in results] == [-1, 1, 1]
    assert [spot_x(result) for result in results] == pytest.approx([50, 60, 70], abs=4)


def test_images_without_times_follow_one_another(stream):
    assert [id_of(stream.run(spot_at(50))) for _ in range(3)] == [-1, 1, 1]


def test_no_tracker_no_ids(stream):
    settings = StreamSettings(tracking=TrackingSettings(tracker="none"), smoothing=SmoothingSettings(enabled=True))
    results = [stream.run(spot_at(x), settings=settings, stamp_s=x / 100) for x in (50, 60, 70)]
    assert [id_of(result) for result in results] == [-1, -1, -1]
    assert spot_x(results[-1]) == pytest.approx(70, abs=4)


def test_settings_change_while_tracks_stay(stream):
    for step in range(3):
        stream.run(spot_at(50), stamp_s=0.1 * step)
    stream.run(spot_at(50), settings=SMOOTH, stamp_s=0.3)
    smoothed = stream.run(spot_at(60), settings=SMOOTH, stamp_s=0.4)
    assert id_of(smoothed) == 1
    assert 51 < spot_x(smoothed) < 58


def test_the_output_skeleton_is_smoothed_with_the_native_one(stream):
    for step, x in enumerate((50, 50, 60)):
        result = stream.run(spot_at(x), settings=SMOOTH, stamp_s=0.1 * step)
    assert result.people.keypoints_xy.shape == (1, 18, 2)
    np.testing.assert_array_equal(result.people.keypoints_xy[0, 0], result.native.keypoints_xy[0, 0])


@pytest.mark.parametrize(("third_s", "ids"), [(0.095, [1, 1]), (0.0, [1, 1]), (-0.01, [-1, 2])], ids=["5 ms", "0.1 s", "more"])
def test_only_a_long_step_back_makes_everybody_new(stream, third_s, ids):
    seen = [stream.run(spot_at(50), settings=SMOOTH, stamp_s=t) for t in (0.0, 0.1, third_s, third_s + 0.105)]
    assert [id_of(result) for result in seen] == [-1, 1, *ids]


def test_smoothing_goes_on_after_a_small_step_back(stream):
    for stamp_s in (0.0, 0.1, 0.2, 0.195):
        stream.run(spot_at(50), settings=SMOOTH, stamp_s=stamp_s)
    assert 51 < spot_x(stream.run(spot_at(60), settings=SMOOTH, stamp_s=0.3)) < 58


def test_reset_makes_everybody_new_and_unsmoothed_and_searches_the_next_image(stream, detector):
    settings = StreamSettings(frame=FrameSettings(detector_interval=100), smoothing=SmoothingSettings(enabled=True))
    for step in range(3):
        stream.run(spot_at(50), settings=settings, stamp_s=0.1 * step)
    stream.reset()
    stream.run(spot_at(60), settings=settings, stamp_s=0.3)
    after = stream.run(spot_at(60), settings=settings, stamp_s=0.4)
    assert id_of(after) == 2
    assert spot_x(after) == pytest.approx(60, abs=4)
    assert detector.calls == 2


def test_the_image_tells_who_stands_where_somebody_was(stream, detector):
    red, blue = (np.full((HEIGHT, WIDTH, 3), colour, np.uint8) for colour in ((0, 0, 255), (255, 0, 0)))
    person, nobody = detector.boxes_xyxy, np.zeros((0, 4), np.float32)
    seen = []
    for step, image in enumerate((red, red, red, None, blue, blue, None, red)):
        detector.boxes_xyxy = nobody if image is None else person
        result = stream.run(red if image is None else image, stamp_s=0.1 * step)
        seen += result.people.track_ids.tolist()
    assert seen == [-1, 1, 1, -1, 2, 1]


def test_streams_share_a_pipeline_and_nothing_else(stream, detector):
    other = PersonStream(stream._pipeline)
    assert [id_of(one.run(spot_at(50), settings=every(100))) for one in (stream, other, stream, other)] == [-1, -1, 1, 1]
    assert detector.calls == 2

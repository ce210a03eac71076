# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Between detections the boxes follow the keypoints; a network that finds the brightest spot stands for the pose network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import spot_model

from pose_resnet_ros.core.errors import ModelError
from pose_resnet_ros.core.types import Detections
from pose_resnet_ros.models.pose_net import PoseNet
from pose_resnet_ros.models.runtime import RunOn
from pose_resnet_ros.pipeline import PosePipeline
from pose_resnet_ros.sequence import ImageSequence
from pose_resnet_ros.settings import FrameSettings

WIDTH, HEIGHT = 160, 120


class CountingDetector:
    """Always finds these boxes, and counts how often it was asked."""

    selected_provider = None

    def __init__(self) -> None:
        self.calls = 0
        self.boxes_xyxy = np.array([[20, 20, 80, 100]], np.float32)

    def detect(self, image, *, detection_threshold, nms_threshold, clock=None) -> Detections:
        self.calls += 1
        return Detections(self.boxes_xyxy, np.full(len(self.boxes_xyxy), 0.9, np.float32))

    def close(self) -> None:
        pass


@pytest.fixture
def detector() -> CountingDetector:
    return CountingDetector()


@pytest.fixture
def sequence(detector: CountingDetector, tmp_path: Path) -> Iterator[ImageSequence]:
    run_on = RunOn(backend="cpu", threads=1)
    pose_net = PoseNet(spot_model.spot_model(tmp_path / "spot.onnx"), run_on=run_on)
    with PosePipeline(detector, pose_net, skeleton="native", run_on=run_on) as pipeline:
        yield ImageSequence(pipeline)


def spot_at(x: int, y: int = 60, *, size: tuple[int, int] = (WIDTH, HEIGHT)) -> np.ndarray:
    image = np.zeros((size[1], size[0], 3), np.uint8)
    image[y - 6 : y + 6, x - 6 : x + 6] = 255
    return image


def settings(interval: int, **given) -> FrameSettings:
    return FrameSettings(detector_interval=interval, **given)


@pytest.mark.parametrize(("interval", "calls"), [(1, 7), (2, 4), (3, 3), (100, 1)])
def test_every_nth_image_is_a_detection(sequence, detector, interval, calls):
    for _ in range(7):
        sequence.run(spot_at(50), settings=settings(interval))
    assert detector.calls == calls


def test_in_between_the_box_follows_the_keypoints(sequence, detector):
    results = [sequence.run(spot_at(x), settings=settings(100)) for x in (50, 60, 70, 80, 90)]
    assert detector.calls == 1
    # The box of an image comes from the keypoints of the one before: one step behind, the size unchanged.
    left = [float(result.detections.boxes_xyxy[0, 0]) for result in results]
    assert left == pytest.approx([20, 20, 30, 40, 50], abs=3)
    widths = [float(r.detections.boxes_xyxy[0, 2] - r.detections.boxes_xyxy[0, 0]) for r in results]
    assert widths == pytest.approx([60] * 5, abs=0.01)
    assert results[-1].people.keypoints_xy[0, 0] == pytest.approx([90, 60], abs=6)
    assert results[-1].people.box_scores == pytest.approx([0.9])


def test_who_is_lost_is_looked_for_in_the_next_image(sequence, detector):
    black = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    sequence.run(spot_at(50), settings=settings(100))
    sequence.run(black, settings=settings(100))
    assert detector.calls == 1
    sequence.run(spot_at(50), settings=settings(100))
    assert detector.calls == 2


def test_nobody_there_is_carried_on_too(sequence, detector):
    detector.boxes_xyxy = np.zeros((0, 4), np.float32)
    results = [sequence.run(spot_at(50), settings=settings(3)) for _ in range(4)]
    assert detector.calls == 2
    assert [len(result.people) for result in results] == [0, 0, 0, 0]


def test_two_boxes_that_meet_become_one(sequence, detector):
    detector.boxes_xyxy = np.array([[20, 20, 80, 100], [20, 20, 80, 101]], np.float32)
    counts = [len(sequence.run(spot_at(50), settings=settings(100)).people) for _ in range(3)]
    assert counts == [2, 1, 1]


def test_a_box_that_left_the_image_is_gone(sequence, detector):
    detector.boxes_xyxy = np.array([[100, 20, 160, 100], [-70, 0, -10, 80]], np.float32)
    counts = [len(sequence.run(spot_at(130), settings=settings(100)).people) for _ in range(2)]
    assert counts == [2, 1]


def test_another_view_is_a_detection(sequence, detector):
    sequence.run(spot_at(50), settings=settings(100))
    sequence.run(spot_at(50, size=(200, 120)), settings=settings(100))
    sequence.run(spot_at(50, size=(200, 120)), settings=settings(100, image_rotation=180))
    assert detector.calls == 3


def test_forgetting_makes_the_next_image_a_detection(sequence, detector):
    sequence.run(spot_at(50), settings=settings(100))
    sequence.forget()
    sequence.run(spot_at(50), settings=settings(100))
    assert detector.calls == 2


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
def test_a_jump_back_and_a_gap_make_a_detection(sequence, detector, stamps_s, calls):
    for stamp_s in stamps_s:
        sequence.run(spot_at(50), settings=settings(100), stamp_s=stamp_s)
    assert detector.calls == calls


def test_a_run_that_fails_makes_the_next_image_a_detection(sequence, detector, monkeypatch):
    def broken(*_: object, **__: object) -> None:
        raise ModelError("the boxes of this image are too much for it")

    sequence.run(spot_at(50), settings=settings(100))
    with monkeypatch.context() as patch:
        patch.setattr(PoseNet, "estimate", broken)
        with pytest.raises(ModelError):
            sequence.run(spot_at(50), settings=settings(100))
    sequence.run(spot_at(50), settings=settings(100))
    assert detector.calls == 2


def test_given_boxes_are_used_and_not_remembered(sequence, detector):
    given = Detections(np.array([[0, 0, 90, 120]], np.float32), np.ones(1, np.float32))
    sequence.run(spot_at(50), settings=settings(100))
    result = sequence.run(spot_at(50), settings=settings(100), boxes=given)
    assert result.detections is given
    sequence.run(spot_at(50), settings=settings(100))
    assert detector.calls == 2

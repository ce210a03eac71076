# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""How good the bundled person detector is.

Always on pictures drawn here; on the validation photographs and on street footage where those are at hand:
POSE_RESNET_ROS_PEOPLE: folder with annotations.json and images.tar of the training data (else ../shared/data/people).
POSE_RESNET_ROS_FOOTAGE: folder with vtest.avi (else .cache/footage, which ``make demo`` fills).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest

from pose_resnet_ros.core.types import Detections
from pose_resnet_ros.media import open_media
from pose_resnet_ros.models.detector import PersonDetector, load_detector
from pose_resnet_ros.models.registry import find_model, own_precision
from pose_resnet_ros.settings import FrameSettings
from training.coco import load_photographs, split_by_id
from training.detector.evaluation import iou, measure
from training.detector.labels import labels_of
from training.detector.measure import LOWEST_SCORE
from training.images import ImageStore

ROOT = Path(__file__).parents[1]
PEOPLE = Path(os.environ.get("POSE_RESNET_ROS_PEOPLE", ROOT.parent / "shared/data/people"))
FOOTAGE = Path(os.environ.get("POSE_RESNET_ROS_FOOTAGE", ROOT / ".cache/footage")) / "vtest.avi"
STREET = json.loads((ROOT / "test/data/street_boxes.json").read_text())
DEFAULTS = FrameSettings()

LOWEST_AP50 = 0.74
VALIDATION_IMAGES = 900


@pytest.fixture(scope="module", params=["fp32", "int8"])
def detector(request: pytest.FixtureRequest) -> Iterator[PersonDetector]:
    loaded = PersonDetector("person_lite", precision=request.param)
    yield loaded
    loaded.close()


def _detect(detector: PersonDetector, image: np.ndarray) -> Detections:
    """At the node's default thresholds."""
    return detector.detect(image, detection_threshold=DEFAULTS.detection_threshold, nms_threshold=DEFAULTS.nms_threshold)


def test_keeps_to_its_budget_and_says_where_it_comes_from(detector: PersonDetector) -> None:
    assert find_model("person_lite").path.stat().st_size <= 4_000_000
    provenance = detector.spec.provenance
    assert provenance["licence"] == "Apache-2.0"
    assert "CVPR 2011" in provenance["data"]
    assert "AP50" in provenance["accuracy"]
    assert provenance["training_commit"]


def _draw_person(image: np.ndarray, x: int, y: int, height: int) -> list[float]:
    """A simple walker with the top of the head at (x, y); returns the box."""
    scale = height / 100

    def at(right: float, down: float) -> tuple[int, int]:
        return round(x + right * scale), round(y + down * scale)

    limb = round(9 * scale)
    dark, jeans, skin, hair = (45, 30, 60), (75, 45, 30), (140, 170, 215), (30, 40, 50)
    for side in (-1, 1):
        cv2.line(image, at(4 * side, 52), at(8 * side, 92), jeans, limb + 2, cv2.LINE_AA)
        cv2.line(image, at(8 * side, 95), at(12 * side, 97), (20, 20, 20), limb - 2, cv2.LINE_AA)
        cv2.line(image, at(9 * side, 22), at(14 * side, 50), dark, limb, cv2.LINE_AA)
    body = np.array([at(-11, 18), at(11, 18), at(9, 54), at(-9, 54)])
    cv2.fillPoly(image, [body], dark, cv2.LINE_AA)
    cv2.ellipse(image, at(0, 8), (round(6 * scale), round(8 * scale)), 0, 0, 360, skin, -1, cv2.LINE_AA)
    cv2.ellipse(image, at(0, 5), (round(6.5 * scale), round(6 * scale)), 0, 180, 360, hair, -1, cv2.LINE_AA)
    return [x - 19 * scale, y, x + 19 * scale, y + 101 * scale]


def test_finds_drawn_people(detector: PersonDetector) -> None:
    noise = np.random.default_rng(0).normal(0, 12, (480, 640, 3))
    ground = np.where(np.arange(480)[:, None, None] < 200, (200, 190, 180), (120, 125, 128))
    picture = cv2.GaussianBlur(np.clip(ground + noise, 0, 255).astype(np.uint8), (0, 0), 1.2)
    boxes = [_draw_person(picture, *where) for where in ((120, 140, 110), (330, 180, 130), (540, 160, 120))]
    found = _detect(detector, cv2.GaussianBlur(picture, (0, 0), 0.8))
    assert len(found) == 3
    for box in np.array(boxes, np.float32):
        assert iou(box, found.boxes_xyxy).max() > 0.6


@pytest.mark.parametrize("size", [(640, 480), (480, 640), (1280, 720), (33, 500)])
def test_finds_nobody_where_nobody_is(detector: PersonDetector, size: tuple[int, int]) -> None:
    width, height = size
    ramp = np.linspace(0, 255, width, dtype=np.uint8)
    picture = np.repeat(np.tile(ramp, (height, 1))[..., None], 3, axis=2)
    for image in (picture, np.full_like(picture, 255), np.zeros_like(picture)):
        assert len(_detect(detector, image)) == 0


@pytest.mark.slow
@pytest.mark.skipif(not (PEOPLE / "annotations.json").exists(), reason=f"no validation photographs in {PEOPLE}")
def test_accuracy_on_a_third_of_the_validation_split() -> None:
    photographs = load_photographs(PEOPLE / "annotations.json")
    _, validation = split_by_id(photographs, validation_count=VALIDATION_IMAGES)
    labels = [labels_of(photograph) for photograph in validation[::3]]
    images = ImageStore(PEOPLE / "images.tar")
    with closing(load_detector("person_lite", precision=own_precision("person_lite"))) as detector:
        found = [
            detector.detect(images.read(label.file_name), detection_threshold=LOWEST_SCORE, nms_threshold=DEFAULTS.nms_threshold)
            for label in labels
        ]
    assert measure(found, labels).ap50 >= LOWEST_AP50


@pytest.mark.skipif(not FOOTAGE.exists(), reason=f"no street footage at {FOOTAGE}; `make demo` fetches it")
def test_finds_the_people_in_the_street(detector: PersonDetector) -> None:
    """At the node's default threshold, nearly all of the persons over 80 px that nothing hides."""
    found = 0
    for frame, image in _street_frames():
        detections = _detect(detector, image)
        for box in np.array(frame["boxes_xyxy"], np.float32):
            found += bool((iou(box, detections.boxes_xyxy) >= 0.5).any())
    persons = sum(len(frame["boxes_xyxy"]) for frame in STREET["frames"])
    assert found >= 0.85 * persons


def _street_frames() -> Iterator[tuple[dict, np.ndarray]]:
    wanted = {frame["frame"]: frame for frame in STREET["frames"]}
    with closing(open_media(str(FOOTAGE))) as media:
        for number in range(max(wanted) + 1):
            picture = media.read()
            assert picture is not None, f"{FOOTAGE}: expected more than {number} frames"
            if number in wanted:
                yield wanted[number], picture.bgr

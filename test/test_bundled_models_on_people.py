# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""What a robot meets first, with the bundled models as they come: somebody close by, cut off by the picture."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from packaged_files import packaged

from pose_resnet_ros.core.skeletons import COCO17
from pose_resnet_ros.core.types import Detections
from pose_resnet_ros.pipeline import PosePipeline, load_pipeline
from pose_resnet_ros.settings import FrameSettings

DEFAULTS = FrameSettings()
JOINT = {name: index for index, name in enumerate(COCO17.joint_names)}
FACE_AND_SHOULDERS = [JOINT[name] for name in ("nose", "left_eye", "right_eye", "left_shoulder", "right_shoulder")]
LEGS = [JOINT[f"{side}_{name}"] for side in ("left", "right") for name in ("knee", "ankle")]
# Of the astronaut, who fills her portrait from the hair to the lower border: rows at which the picture is cut.
CUTS = {"waist": 512, "chest": 400, "shoulders": 300}


@pytest.fixture(scope="module", params=["fp32", "int8"])
def pipeline(request: pytest.FixtureRequest) -> Iterator[PosePipeline]:
    with load_pipeline(skeleton="coco17", precision=request.param, detector_precision=request.param) as loaded:
        yield loaded


@pytest.fixture(scope="module")
def astronaut() -> np.ndarray:
    return cv2.imread(str(packaged("astronaut.png")))


@pytest.mark.parametrize("row", CUTS.values(), ids=CUTS.keys())
def test_somebody_near_gets_a_skeleton_of_what_is_to_be_seen(pipeline: PosePipeline, astronaut: np.ndarray, row: int) -> None:
    shown = Detections(np.array([[0, 0, 400, row]], np.float32), np.ones(1, np.float32))
    scores = pipeline.run(astronaut[:row], boxes=shown).people.keypoint_scores[0]
    assert (scores[FACE_AND_SHOULDERS] >= DEFAULTS.keypoint_threshold).all(), scores
    assert (scores[LEGS] < DEFAULTS.keypoint_threshold).all(), scores


@pytest.mark.parametrize("name", ["chelsea.png", "coffee.png", "motorcycle_left.png", "rocket.jpg"])
def test_nobody_is_found_where_nobody_is(pipeline: PosePipeline, name: str) -> None:
    """A cat, a cup on a table, a motorcycle in a garage, a rocket."""
    assert len(pipeline.run(cv2.imread(str(packaged(name)))).people) == 0


def test_the_portrait_is_found(pipeline: PosePipeline, astronaut: np.ndarray) -> None:
    people = pipeline.run(astronaut).people
    assert len(people) >= 1
    nose = people.keypoints_xy[0, JOINT["nose"]]
    assert np.linalg.norm(nose - (220, 125)) < 40  # marked by hand

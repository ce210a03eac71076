# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Whatever boxes another detector gives: keypoints that are finite, or an ImageError."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from spot_model import spot_model

from pose_resnet_ros.core.boxes import is_valid
from pose_resnet_ros.core.draw import draw_people
from pose_resnet_ros.core.errors import ImageError
from pose_resnet_ros.core.types import Detections
from pose_resnet_ros.models.detector import FullFrame
from pose_resnet_ros.models.pose_net import PoseNet
from pose_resnet_ros.models.runtime import RunOn
from pose_resnet_ros.pipeline import PosePipeline
from pose_resnet_ros.settings import FrameSettings

IMAGE = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
NUMBERS = st.floats(-100, 200, width=32) | st.floats(width=32) | st.sampled_from((0.0, 1e-40, 1e30, -3e38, 3e38))


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PosePipeline]:
    run_on = RunOn(backend="cpu", threads=1)
    net = PoseNet(spot_model(tmp_path_factory.mktemp("boxes") / "spot.onnx"), run_on=run_on)
    with PosePipeline(FullFrame(), net, skeleton="openpose18", run_on=run_on) as made:
        yield made


@given(
    corners=st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS), max_size=3),
    rotation=st.sampled_from((0, 90, 180, 270)),
    flip_test=st.booleans(),
)
def test_keypoints_of_any_boxes_are_finite(
    pipeline: PosePipeline, corners: list[tuple[float, ...]], rotation: int, flip_test: bool
) -> None:
    boxes = np.array(corners, np.float32).reshape(-1, 4)
    found = Detections(boxes, np.ones(len(boxes), np.float32))
    settings = FrameSettings(image_rotation=rotation, flip_test=flip_test)
    try:
        people = pipeline.run(IMAGE, settings=settings, boxes=found).people
    except ImageError:
        assert not is_valid(boxes).all()
        return
    assert np.isfinite(people.keypoints_xy).all()
    draw_people(IMAGE, people, pipeline.skeleton)

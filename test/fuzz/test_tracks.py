# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Whatever persons and times come one after the other: ids that differ, and finite keypoints."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pose_resnet_ros.core.appearance import appearance_of
from pose_resnet_ros.core.filters import KeypointSmoother
from pose_resnet_ros.core.skeletons import skeleton_named
from pose_resnet_ros.core.tracking import PoseTracker
from pose_resnet_ros.core.types import People

SKELETON = skeleton_named("coco17")
IMAGE = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
STEPS = st.sampled_from((0.0, 0.033, -0.005, -3600.0, 1e9, 5.0)) | st.floats(-10, 10)
SIZES = st.sampled_from((1e-3, 1.0, 20.0, 1e4, 1e15))
PLACES = st.floats(-100, 100) | st.sampled_from((0.0, 1e6, -1e15))


@st.composite
def frames(draw: st.DrawFn) -> People:
    """Sound boxes, as the pipeline gives them, of any size and anywhere; keypoints around them."""
    corners = draw(st.lists(st.tuples(PLACES, PLACES, SIZES, SIZES), max_size=4))
    boxes = np.array([(x, y, x + w, y + h) for x, y, w, h in corners], np.float32).reshape(-1, 4)
    boxes = boxes[(boxes[:, 2:] > boxes[:, :2]).all(axis=1)]
    shape = (len(boxes), len(SKELETON))
    rng = np.random.default_rng(draw(st.integers(0, 9)))
    points = boxes[:, None, :2] + rng.random((*shape, 2)) * (boxes[:, None, 2:] - boxes[:, None, :2])
    scores = rng.choice(np.array([-1, 0, 0.5, 1, 9], np.float32), shape)
    box_scores = rng.random(len(boxes)).astype(np.float32)
    return People(boxes, box_scores, points.astype(np.float32), scores, np.full(len(boxes), -1, np.int32))


@given(st.lists(st.tuples(frames(), STEPS), max_size=8), st.sampled_from(("iou", "oks")), st.sampled_from((0.0, 0.2, 1.0)))
def test_ids_differ_and_keypoints_are_finite(
    sequence: list[tuple[People, float]], similarity: str, min_similarity: float
) -> None:
    tracker, smoother = PoseTracker(oks_sigmas=SKELETON.oks_sigmas), KeypointSmoother()
    stamp_s = 1.7e9
    for people, step_s in sequence:
        stamp_s += step_s
        appearance = appearance_of(IMAGE, people.boxes_xyxy)
        given_ids = tracker.update(
            people, stamp_s=stamp_s, appearance=appearance, similarity=similarity, min_similarity=min_similarity
        )
        ids = given_ids[given_ids >= 0].tolist()
        assert len(set(ids)) == len(ids)
        assert len(given_ids) == len(people)
        assert np.isfinite(smoother.update(people, given_ids, stamp_s=stamp_s)).all()

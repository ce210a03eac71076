# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Whatever another detector sends: a wrong detection costs itself alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("vision_msgs")
from vision_msgs.msg import Detection2D, Detection2DArray, ObjectHypothesisWithPose

from pose_resnet_ros.core.boxes import is_valid
from pose_resnet_ros.ros.external_detections import detections_from_message, seen_class_ids


@st.composite
def detections(draw: st.DrawFn) -> Detection2D:
    number = st.floats(-50, 50) | st.floats()
    detection = Detection2D()
    detection.bbox.center.position.x, detection.bbox.center.position.y = draw(number), draw(number)
    detection.bbox.center.theta = draw(st.just(0.0) | number)
    detection.bbox.size_x, detection.bbox.size_y = draw(number), draw(number)
    for _ in range(draw(st.integers(0, 2))):
        result = ObjectHypothesisWithPose()
        result.hypothesis.class_id = draw(st.sampled_from(("person", "dog")) | st.text(max_size=3))
        result.hypothesis.score = draw(st.floats(0, 1) | st.floats())
        detection.results.append(result)
    return detection


def good() -> Detection2D:
    result = ObjectHypothesisWithPose()
    result.hypothesis.class_id, result.hypothesis.score = "person", 0.75
    detection = Detection2D(results=[result])
    detection.bbox.size_x, detection.bbox.size_y = 20.0, 40.0
    return detection


@given(st.lists(detections(), max_size=5), st.floats(0, 1))
def test_a_wrong_detection_costs_itself_alone(others: list[Detection2D], threshold: float) -> None:
    message = Detection2DArray(detections=[*others, good()])
    seen_class_ids(message)
    found = detections_from_message(message, class_ids=("person",), detection_threshold=threshold)
    assert is_valid(found.boxes_xyxy).all()
    assert (found.scores >= np.float32(threshold)).all()
    assert (np.diff(found.scores) <= 0).all()
    assert [-10, -20, 10, 20] in found.boxes_xyxy.tolist() or threshold > 0.75

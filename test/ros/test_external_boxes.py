# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Somebody else's boxes, as plain objects with the fields of vision_msgs."""

from __future__ import annotations

import math
from types import SimpleNamespace as Object

import numpy as np
import pytest

pytest.importorskip("rclpy")

from pose_resnet_ros.ros.external_detections import detections_from_message, seen_class_ids

PERSON = ("person", "0")


def detection(*hypotheses: tuple[str, float], box: tuple[float, ...] = (50, 60, 20, 40), theta: float = 0.0) -> Object:
    """box: centre x, centre y, width, height."""
    x, y, width, height = box
    results = [Object(hypothesis=Object(class_id=i, score=s)) for i, s in hypotheses]
    bbox = Object(center=Object(position=Object(x=x, y=y), theta=theta), size_x=width, size_y=height)
    return Object(results=results, bbox=bbox)


def read(*detections: Object, threshold: float = 0.4) -> tuple[list, list]:
    message = Object(detections=list(detections))
    found = detections_from_message(message, class_ids=PERSON, detection_threshold=threshold)
    return found.boxes_xyxy.tolist(), found.scores.astype(float).round(4).tolist()


def test_nobody() -> None:
    assert read() == ([], [])


def test_centre_and_size_become_corners() -> None:
    assert read(detection(("person", 0.9))) == ([[40, 40, 60, 80]], [0.9])


def test_best_score_first_and_the_threshold_counts() -> None:
    found = read(detection(("0", 0.5)), detection(("person", 0.39)), detection(("0", 0.8), box=(5, 5, 2, 2)))
    assert found == ([[4, 4, 6, 6], [40, 40, 60, 80]], [0.8, 0.5])


def test_only_accepted_classes_count_also_among_several_hypotheses() -> None:
    assert read(detection(("dog", 0.9)), detection(("dog", 0.95), ("person", 0.6)))[1] == [0.6]
    assert read(detection()) == ([], [])


def test_a_turned_box_becomes_the_upright_one_around_it() -> None:
    boxes, _ = read(detection(("person", 0.9), theta=math.pi / 2))
    np.testing.assert_allclose(boxes, [[30, 50, 70, 70]], atol=0.01)


def test_boxes_that_cannot_be_cropped_are_left_out() -> None:
    bad = [(50, 60, 0, 40), (50, 60, 20, -1), (math.nan, 60, 20, 40), (50, math.inf, 20, 40)]
    assert read(*(detection(("person", 0.9), box=box) for box in bad), detection(("person", math.nan))) == ([], [])


def test_class_ids_of_a_message() -> None:
    message = Object(detections=[detection(("dog", 0.9), ("2", 0.1)), detection(("2", 0.3))])
    assert seen_class_ids(message) == ["2", "dog"]


def test_a_box_turned_by_infinity_costs_itself_alone() -> None:
    assert read(detection(("person", 0.9), theta=math.inf), detection(("person", 0.8)))[1] == [0.8]


def test_a_score_that_is_not_finite_does_not_hide_another_one() -> None:
    for bad in (math.nan, math.inf):
        assert read(detection(("person", bad), ("person", 0.6)))[1] == [0.6]


def test_scores_and_boxes_too_large_for_float32_are_left_out() -> None:
    huge = detection(("person", 0.9), box=(0, 0, 1e300, 40))
    assert read(detection(("person", 1e300)), huge, detection(("person", 0.5)))[1] == [0.5]

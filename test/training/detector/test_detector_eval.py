# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""AP50, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from pose_resnet_ros.core.types import Detections
from training.detector.evaluation import iou, measure
from training.detector.labels import BoxLabels

NOBODY = np.zeros((0, 4), np.float32)
LEFT, RIGHT, SHORT = [0, 0, 30, 60], [100, 0, 130, 60], [200, 0, 220, 40]
AWAY = [300, 0, 330, 60]


def _found(*rows: list[float]) -> Detections:
    """Rows of x1, y1, x2, y2, score."""
    array = np.array(rows, np.float32).reshape(-1, 5)
    return Detections(array[:, :4], array[:, 4])


def _label(*boxes: list[float], ignored: list[list[float]] | None = None) -> BoxLabels:
    corners = np.array(boxes, np.float32).reshape(-1, 4)
    return BoxLabels("x.jpg", corners, np.array(ignored or [], np.float32).reshape(-1, 4))


def test_all_found() -> None:
    result = measure([_found([*LEFT, 0.9], [*RIGHT, 0.8])], [_label(LEFT, RIGHT)])
    assert result.ap50 == 1.0
    assert result.at(0.85) == (1.0, 0.5)
    assert result.at(0.95) == (1.0, 0.0)


def test_half_found_with_a_false_one_in_front() -> None:
    # Precision at recall 0.5 is 1/2; nothing beyond: recalls 0.00 to 0.50 are 51 of the 101 points.
    result = measure([_found([*AWAY, 0.9], [*LEFT, 0.8])], [_label(LEFT, RIGHT)])
    assert result.ap50 == pytest.approx(0.5 * 51 / 101)
    assert result.at(0.5) == (0.5, 0.5)


def test_a_second_box_on_the_same_person_is_false() -> None:
    result = measure([_found([*LEFT, 0.9], [*LEFT, 0.8])], [_label(LEFT)])
    assert result.precision.tolist() == [1.0, 0.5]


def test_short_persons_and_regions_to_ignore_do_not_count() -> None:
    rows = [[*LEFT, 0.5], [*SHORT, 0.9], [305, 10, 325, 55, 0.8], [400, 0, 420, 30, 0.7]]
    result = measure([_found(*rows)], [_label(LEFT, SHORT, ignored=[AWAY])])
    assert result.ap50 == 1.0
    assert len(result.scores) == 1
    assert measure([_found(*rows)], [_label(LEFT, SHORT)], counted_above_px=0).ap50 < 1.0


def test_scores_are_ranked_over_all_photographs() -> None:
    result = measure([_found([*AWAY, 0.9]), _found([*LEFT, 0.8])], [_label(LEFT), _label(LEFT)])
    assert result.precision.tolist() == [0.0, 0.5]


def test_nothing_found_and_nobody_there() -> None:
    assert measure([_found()], [_label(LEFT)]).ap50 == 0.0
    assert measure([_found()], [_label()]).ap50 == 0.0


def test_iou() -> None:
    others = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30]], np.float32)
    np.testing.assert_allclose(iou(np.array([0, 0, 10, 10], np.float32), others), [1, 1 / 3, 0])
    assert iou(np.array([0, 0, 10, 10], np.float32), NOBODY).shape == (0,)

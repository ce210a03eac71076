# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The figures of the tracking benchmark, on scenes of a few frames that can be counted by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pytest

from benchmarks.track_metrics import TrackMetrics, measure
from benchmarks.tracking import TRACKS, between, truth_of


def boxes(**left_edges: float) -> dict[str, np.ndarray]:
    return {name: np.array([x, 0, x + 10, 20.0]) for name, x in left_edges.items()}


def figures(*frames: tuple[dict[str, np.ndarray], dict[str, np.ndarray]]) -> TrackMetrics:
    truth: Sequence[dict[str, np.ndarray]] = [persons for persons, _ in frames]
    return measure(truth, [tracked for _, tracked in frames], least_iou=0.5)


def test_all_right() -> None:
    frame = boxes(anna=0, ben=100), boxes(i1=1, i2=99)
    assert figures(frame, frame) == TrackMetrics(1.0, 0, 0, 0, 1.0, 0, 2)


def test_nobody_at_all() -> None:
    assert figures((boxes(), boxes())) == TrackMetrics(0.0, 0, 0, 0, 0.0, 0, 0)


def test_ids_exchanged_half_way() -> None:
    before, after = boxes(i1=0, i2=100), boxes(i2=0, i1=100)
    persons = boxes(anna=0, ben=100)
    # The best that one id a person can do is two of the four boxes: 2 * 2 / (4 + 4).
    assert figures((persons, before), (persons, after)) == TrackMetrics(0.5, 2, 2, 0, 1.0, 0, 2)


def test_a_gap_with_a_new_id_after_it() -> None:
    anna = boxes(anna=0)
    found = figures((anna, boxes(i1=0)), (anna, boxes()), (anna, boxes(i2=0)), (anna, boxes(i2=0)))
    # i2 has two of the four: 2 * 2 / (4 + 3).
    assert found == TrackMetrics(pytest.approx(4 / 7), 1, 0, 1, 0.75, 0, 2)


def test_a_box_on_nobody_and_a_person_without_a_box() -> None:
    found = figures((boxes(anna=0), boxes(i1=50)), (boxes(anna=0), boxes(i2=0)))
    assert found == TrackMetrics(pytest.approx(0.5), 0, 0, 0, 0.5, 1, 2)


def test_whoever_has_an_id_keeps_it_where_another_box_lies_better() -> None:
    anna = boxes(anna=0)
    assert figures((anna, boxes(i1=0)), (anna, boxes(i1=3, i2=0))).switches == 0


def test_drawn_boxes_are_joined_by_straight_lines_inside_the_image() -> None:
    line = between({"5": [0, 0, 10, 20], "9": [8, -4, 18, 16]}, [15, 100])
    assert list(line) == [5, 6, 7, 8, 9]
    assert line[7].tolist() == [4, 0, 14, 18]
    assert line[9].tolist() == [8, 0, 15, 16]


def test_the_street_is_drawn_without_holes() -> None:
    drawn = json.loads(TRACKS.read_text())
    for part in drawn["parts"].values():
        first, last = part["frames"]
        for name, boxes_of in part["persons"].items():
            frames = [int(frame) for frame in boxes_of]
            assert frames == sorted(frames), name
            assert first <= frames[0] <= frames[-1] <= last, name
            assert max(np.diff(frames)) <= 11, name
            assert all(x1 < x2 and y1 < y2 for x1, y1, x2, y2 in boxes_of.values()), name
        assert len(truth_of(part, drawn["image_size"])) == last - first + 1

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Track ids over frames that are written by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pose_resnet_ros.core.tracking import PoseTracker
from pose_resnet_ros.core.types import People

SIGMAS = (0.05, 0.05)


def people_at(*left_edges: float, top: float = 0.0) -> People:
    """Persons of 20 x 40 px with two keypoints, at these x."""
    n = len(left_edges)
    x = np.array(left_edges, np.float32).reshape(-1)
    boxes = np.stack([x, np.full(n, top), x + 20, np.full(n, top + 40)], axis=1).astype(np.float32)
    points = np.stack([boxes[:, :2] + [10, 5], boxes[:, :2] + [10, 35]], axis=1).astype(np.float32).reshape(n, 2, 2)
    return People(boxes, np.ones(n, np.float32), points, np.full((n, 2), 0.9, np.float32), np.full(n, -1, np.int32))


class Tracking:
    """A tracker and its settings."""

    def __init__(self, **settings: Any) -> None:
        self.tracker, self._settings = PoseTracker(oks_sigmas=SIGMAS), settings

    def update(self, people: People, **given: Any) -> np.ndarray:
        return self.tracker.update(people, **self._settings, **given)


def ids(tracker: Tracking, people: People, stamp_s: float) -> list[int]:
    return tracker.update(people, stamp_s=stamp_s).tolist()


def at_once(**settings: Any) -> Tracking:
    """Numbers a person on the first sight."""
    return Tracking(confirm_hits=1, **settings)


@pytest.mark.parametrize("kind", ["iou", "oks"])
def test_ids_follow_persons_and_not_rows(kind: str) -> None:
    tracker = at_once(similarity=kind)
    assert ids(tracker, people_at(), 0.0) == []
    assert ids(tracker, people_at(0, 100, 200), 0.1) == [1, 2, 3]
    assert ids(tracker, people_at(201, 1, 101), 0.2) == [3, 1, 2]


def test_the_people_are_untouched() -> None:
    people = people_at(0, 50)
    assert at_once().update(people, stamp_s=0.0).dtype == np.int32
    assert people.track_ids.tolist() == [-1, -1]


def test_a_new_person_is_numbered_when_seen_often_enough_in_a_row() -> None:
    tracker = Tracking(confirm_hits=3)
    assert [ids(tracker, people_at(0), t) for t in (0.0, 0.1)] == [[-1], [-1]]
    assert ids(tracker, people_at(), 0.2) == []  # missed once: counting begins again
    assert [ids(tracker, people_at(0), t) for t in (0.3, 0.4, 0.5)] == [[-1], [-1], [1]]


def test_an_id_survives_a_short_occlusion_and_not_a_long_one() -> None:
    tracker = at_once(max_age_s=1.0)
    assert ids(tracker, people_at(0), 0.0) == [1]
    assert ids(tracker, people_at(), 0.5) == []
    assert ids(tracker, people_at(0), 1.0) == [1]
    assert ids(tracker, people_at(0), 2.001) == [2]


def test_a_walker_is_found_again_where_the_walk_leads() -> None:
    tracker = at_once()
    for step in range(20):  # 40 px a second
        assert ids(tracker, people_at(4.0 * step), 0.1 * step) == [1]
    # 0.8 s later it is 32 px on: no overlap at all with the box last seen at 76.
    assert ids(tracker, people_at(76 + 32), 1.9 + 0.8) == [1]


def test_two_who_cross_keep_their_ids() -> None:
    tracker = at_once()
    seen = [ids(tracker, people_at(5.0 * step, 200 - 5.0 * step), 0.1 * step) for step in range(41)]
    assert seen == [[1, 2]] * 41


def test_the_assignment_is_the_best_in_total() -> None:
    tracker = at_once(min_similarity=0.0)
    ids(tracker, people_at(0, 10), 0.0)
    # The nearest pair is (track 1, x=8); taking it would leave track 2 without the person at x=-9, which does not touch it.
    assert ids(tracker, people_at(8, -9), 0.1) == [2, 1]


def test_pairs_too_unlike_are_new_persons() -> None:
    tracker = at_once(min_similarity=0.5)
    ids(tracker, people_at(0), 0.0)
    assert ids(tracker, people_at(8), 0.1) == [2]  # overlap 12/28 = 0.43


def test_a_stamp_that_jumps_back_resets_and_ids_are_never_used_twice() -> None:
    tracker = at_once()
    assert ids(tracker, people_at(0), 100.0) == [1]
    assert ids(tracker, people_at(0), 3.0) == [2]
    assert ids(tracker, people_at(0), 3.1) == [2]


def test_reset_forgets_everybody() -> None:
    tracker = at_once()
    ids(tracker, people_at(0), 5.0)
    tracker.tracker.reset()
    assert ids(tracker, people_at(0), 5.1) == [2]


def test_equal_stamps_are_no_division_by_zero() -> None:
    tracker = at_once()
    assert [ids(tracker, people_at(float(x)), 0.0) for x in range(3)] == [[1]] * 3


def test_oks_tells_persons_of_one_box_apart_by_their_joints() -> None:
    tracker = at_once(similarity="oks")
    people = people_at(0, 0)
    people.keypoints_xy[1] += [6, 0]
    assert ids(tracker, people, 0.0) == [1, 2]
    assert ids(tracker, people[np.array([1, 0])], 0.1) == [2, 1]


def test_oks_gate_by_hand() -> None:
    # Box 20 x 40: 0.53 * 800 = 424; all joints 4 px off with sigma 0.05: exp(-16 / (2 * 424 * 0.01)) = 0.1516.
    for gate, found in ((0.15, 1), (0.153, 2)):
        tracker = at_once(similarity="oks", min_similarity=gate)
        ids(tracker, people_at(0), 0.0)
        assert ids(tracker, people_at(4), 0.0) == [found]


# What two persons may look like; the tracker knows no more of appearance than how alike two rows are.
COAT, JACKET = [1.0, 0.0], [0.0, 1.0]


def dressed(tracker: Tracking, people: People, clothes: list[list[float]], stamp_s: float) -> list[int]:
    appearance = np.array(clothes).reshape(-1, 2)
    return tracker.update(people, stamp_s=stamp_s, appearance=appearance).tolist()


def test_two_who_cross_behind_one_another_keep_their_ids() -> None:
    """While they overlap the detector sees the one in front only."""
    tracker = at_once()
    for step in range(40):
        left, right = 5.0 * step, 190 - 5.0 * step
        if abs(left - right) < 15:
            assert ids(tracker, people_at(left), 0.1 * step) == [1]
        else:
            assert ids(tracker, people_at(left, right), 0.1 * step) == [1, 2]


@pytest.mark.parametrize("clothes", [True, False])
def test_two_who_meet_and_turn_back_are_told_apart_by_their_clothes(clothes: bool) -> None:
    """By place alone they would have walked on, past one another."""
    tracker = at_once()
    appearance = [COAT, JACKET] if clothes else [COAT, COAT]
    for step in range(19):  # until they touch, at 90 and 100
        assert dressed(tracker, people_at(5.0 * step, 190 - 5.0 * step), appearance, 0.1 * step) == [1, 2]
    dressed(tracker, people_at(), [], 1.9)
    assert dressed(tracker, people_at(80, 105), appearance, 2.5) == ([1, 2] if clothes else [2, 1])


def test_somebody_else_at_the_place_of_a_lost_person_is_new() -> None:
    tracker = at_once()
    assert dressed(tracker, people_at(0), [COAT], 0.0) == [1]
    assert dressed(tracker, people_at(), [], 0.1) == []
    assert dressed(tracker, people_at(0), [JACKET], 0.2) == [2]
    assert dressed(tracker, people_at(0, 4), [JACKET, COAT], 0.3) == [2, 1]


def test_a_lost_person_is_looked_for_farther_the_longer_it_is_gone() -> None:
    # 40 px high: 0.5 heights and one more each second; 30 px away is too far after 0.2 s, and not after 0.5 s.
    for gone_s, found in ((0.2, 2), (0.5, 1)):
        tracker = at_once()
        ids(tracker, people_at(0), 0.0)
        ids(tracker, people_at(), 0.1)
        assert ids(tracker, people_at(30), gone_s) == [found]


def test_a_dropped_frame_is_no_end() -> None:
    """Time counts, not frames: 60 px a second, and 0.3 s without an image."""
    tracker = at_once()
    for step in range(10):
        ids(tracker, people_at(6.0 * step), 0.1 * step)
    assert ids(tracker, people_at(54 + 18), 0.9 + 0.3) == [1]


def test_who_leaves_and_comes_back_late_is_new() -> None:
    tracker = at_once()
    assert ids(tracker, people_at(0), 0.0) == [1]
    assert ids(tracker, people_at(), 1.0) == []
    assert ids(tracker, people_at(0), 2.1) == [2]


def test_clothes_are_not_learnt_while_somebody_stands_before_them() -> None:
    tracker = at_once()
    dressed(tracker, people_at(0), [COAT], 0.0)
    for step in range(1, 20):  # the box shows the other's jacket
        assert dressed(tracker, people_at(0, 8), [JACKET, JACKET], 0.1 * step)[0] in (1, 2)
    assert dressed(tracker, people_at(0, 60), [COAT, JACKET], 2.0)[0] == 1


def test_appearance_may_come_and_go() -> None:
    tracker = at_once()
    assert ids(tracker, people_at(0), 0.0) == [1]
    assert dressed(tracker, people_at(0), [COAT], 0.1) == [1]
    assert ids(tracker, people_at(0), 0.2) == [1]

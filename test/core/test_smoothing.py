# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""One-Euro smoothing: its lag, its quiet, and what it leaves alone."""

from __future__ import annotations

import math

import numpy as np

from pose_resnet_ros.core.filters import KeypointSmoother
from pose_resnet_ros.core.types import People

SIZE_PX = 100.0


def people_at(x: float, *, track_id: int = 1) -> People:
    """One person of 100 px with one keypoint at (x, 0)."""
    return People(
        np.array([[0, 0, 40, SIZE_PX]], np.float32),
        np.ones(1, np.float32),
        np.array([[[x, 0.0]]], np.float32),
        np.array([[1.7]], np.float32),
        np.array([track_id], np.int32),
    )


class Smoothing:
    """A smoother and its settings."""

    def __init__(self, **settings: float) -> None:
        self.smoother, self._settings = KeypointSmoother(), settings

    def update(self, people: People, *, stamp_s: float) -> np.ndarray:
        return self.smoother.update(people, people.track_ids, stamp_s=stamp_s, **self._settings)


def test_lag_at_a_steady_speed_is_the_stated_one() -> None:
    filter_ = Smoothing(min_cutoff_hz=1.0, beta=5.0)
    speed = 150.0  # px/s: 1.5 sizes a second
    for step in range(300):
        smoothed = filter_.update(people_at(speed * step / 30), stamp_s=step / 30)
    lag_s = 1 / (2 * math.pi * (1.0 + 5.0 * 1.5))
    np.testing.assert_allclose(smoothed[0, 0], [speed * (299 / 30 - lag_s), 0], atol=0.01)


def test_second_value_by_hand() -> None:
    filter_ = Smoothing(min_cutoff_hz=1.0, beta=0.0)
    filter_.update(people_at(0), stamp_s=0.0)
    smoothed = filter_.update(people_at(10), stamp_s=0.1)
    np.testing.assert_allclose(smoothed[0, 0, 0], 10 * 0.3858695, atol=0.001)  # 1 / (1 + 1 / (0.2 pi)) = 0.38587


def test_jitter_of_a_still_joint_shrinks() -> None:
    noise = np.random.default_rng(0).normal(0, 2.0, 600)
    filter_ = Smoothing(min_cutoff_hz=0.5, beta=0.5)
    out = [filter_.update(people_at(50 + n), stamp_s=i / 30)[0, 0, 0] for i, n in enumerate(noise)]
    assert np.std(out[60:]) < 0.5 * np.std(noise[60:])


def test_the_input_is_untouched() -> None:
    filter_ = Smoothing()
    filter_.update(people_at(0), stamp_s=0.0)
    people = people_at(10)
    smoothed = filter_.update(people, stamp_s=0.1)
    assert people.keypoints_xy[0, 0, 0] == 10
    assert smoothed.dtype == np.float32


def test_untracked_persons_and_empty_frames_pass_through() -> None:
    filter_ = Smoothing()
    for stamp_s, x in ((0.0, 0.0), (0.1, 10.0)):
        smoothed = filter_.update(people_at(x, track_id=-1), stamp_s=stamp_s)
    assert smoothed[0, 0, 0] == 10
    assert len(filter_.update(People.empty(1), stamp_s=0.2)) == 0


def test_tracks_do_not_mix() -> None:
    filter_ = Smoothing()
    filter_.update(people_at(0, track_id=1), stamp_s=0.0)
    assert filter_.update(people_at(10, track_id=2), stamp_s=0.1)[0, 0, 0] == 10


def test_a_gap_a_jump_back_and_a_reset_start_afresh() -> None:
    filter_ = Smoothing()
    filter_.update(people_at(0), stamp_s=10.0)
    assert filter_.update(people_at(10), stamp_s=11.5)[0, 0, 0] == 10
    assert filter_.update(people_at(20), stamp_s=3.0)[0, 0, 0] == 20
    filter_.smoother.reset()
    assert filter_.update(people_at(30), stamp_s=3.1)[0, 0, 0] == 30


def test_frames_without_stamps_are_not_frozen() -> None:
    filter_ = Smoothing()
    assert [filter_.update(people_at(x), stamp_s=0.0)[0, 0, 0] for x in (0, 10, 20)] == [0, 10, 20]

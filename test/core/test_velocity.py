# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Velocities of tracked persons from their positions."""

from __future__ import annotations

import numpy as np
import pytest

from pose_resnet_ros.core.velocity import VelocityEstimator

IDS = np.array([3], np.int32)
VALID = np.array([True])
WALK = np.array([0.5, 0.0, -1.2])  # m/s


def walk(
    estimator: VelocityEstimator, stamps_s: np.ndarray, *, noise_m: float = 0.0, velocity: np.ndarray = WALK
) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    positions = [velocity * t + rng.normal(0, noise_m, 3) for t in stamps_s]
    return [
        estimator.update(1e9 + t, IDS, p[None].astype(np.float32), VALID)[0] for t, p in zip(stamps_s, positions, strict=True)
    ]


def test_a_straight_walk_also_at_uneven_times() -> None:
    stamps_s = np.array([0.0, 0.1, 0.13, 0.3, 0.5, 0.52, 0.9, 1.4, 2.0])
    found = walk(VelocityEstimator(), stamps_s)
    assert np.isnan(found[:3]).all()  # too short a time
    np.testing.assert_allclose(found[3:7], np.tile(WALK, (4, 1)), atol=1e-3)


def test_noise_of_the_depth_is_evened_out() -> None:
    found = np.array(walk(VelocityEstimator(), np.arange(0, 3, 1 / 30), noise_m=0.03))[30:]
    assert np.abs(found - WALK).max() < 0.1  # from one image to the next it would be 1.3 m/s (0.03 m * sqrt(2) * 30 Hz)


def test_a_turn_is_followed_within_the_window() -> None:
    estimator = VelocityEstimator()
    walk(estimator, np.arange(0, 2, 0.1))
    back = [WALK * (1.9 - (t - 1.9)) for t in np.arange(2, 4, 0.1)]
    found = [estimator.update(1e9 + 2 + k / 10, IDS, p[None], VALID)[0] for k, p in enumerate(back)]
    np.testing.assert_allclose(found[-1], -WALK, atol=1e-3)


@pytest.mark.parametrize(("ids", "valid"), [([-1], [True]), ([3], [False])])
def test_nothing_is_known_without_a_track_or_a_position(ids: list[int], valid: list[bool]) -> None:
    estimator = VelocityEstimator()
    for k in range(10):
        found = estimator.update(k / 10, np.array(ids), np.zeros((1, 3)), np.array(valid))
        assert np.isnan(found).all()
        assert found.shape == (1, 3)


def test_each_person_has_its_own_and_may_be_missing_for_a_while() -> None:
    estimator = VelocityEstimator()
    for k in range(10):
        rows = [1, 2] if k % 2 else [2]
        positions = np.array([[0.1 * k * row, 0, 5] for row in rows])
        found = estimator.update(k / 10, np.array(rows), positions, np.ones(len(rows), bool))
    np.testing.assert_allclose(found, [[1, 0, 0], [2, 0, 0]], atol=1e-9)


def test_time_that_goes_back_and_a_long_absence_begin_anew() -> None:
    estimator = VelocityEstimator()
    walk(estimator, np.arange(5, 6, 0.1))
    assert np.isnan(walk(estimator, np.arange(0, 0.2, 0.1))).all()
    walk(estimator, np.arange(1, 2, 0.1))
    assert np.isnan(walk(estimator, np.arange(8, 8.2, 0.1))).all()
    assert estimator.update(1e9 + 20, np.zeros(0, np.int32), np.zeros((0, 3)), np.zeros(0, bool)).shape == (0, 3)
    assert not estimator._tracks  # nothing piles up


def test_the_same_time_twice_is_no_division_by_zero() -> None:
    estimator = VelocityEstimator()
    with np.errstate(all="raise"):
        for _ in range(5):
            assert np.isnan(estimator.update(1.0, IDS, np.zeros((1, 3)), VALID)).all()

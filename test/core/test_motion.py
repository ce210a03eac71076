# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The box filter on walks that are written by hand."""

from __future__ import annotations

import numpy as np
import pytest

from pose_resnet_ros.core.filters import BoxMotion


def box(x: float, *, width: float = 20, height: float = 40) -> np.ndarray:
    return np.array([x, 0, x + width, height], np.float32)


def walked(speed_px_s: float, *, seconds: float = 5.0) -> BoxMotion:
    """A person of 40 px who walked to the right from x = 0, seen ten times a second."""
    motion = BoxMotion(box(0), 0.0)
    for step in range(1, round(10 * seconds) + 1):
        motion.predict(0.1 * step)
        motion.correct(box(speed_px_s * 0.1 * step))
    return motion


def test_a_new_box_stays_where_it_is() -> None:
    motion = BoxMotion(box(7), 1.0)
    motion.predict(3.0)
    np.testing.assert_array_equal(motion.box_xyxy, [7, 0, 27, 40])
    assert motion.moved_px.tolist() == [0, 0]


def test_a_steady_walk_goes_on_at_its_speed() -> None:
    motion = walked(30)
    motion.predict(6.0)
    assert motion.box_xyxy == pytest.approx([180, 0, 200, 40], abs=0.1)
    assert motion.moved_px == pytest.approx([30, 0], abs=0.1)
    assert motion.velocity_px_s == pytest.approx([30, 0], abs=0.1)


def test_first_correction_by_hand() -> None:
    # After 1 s: variance of the place 0.05^2 + 0.5^2 + 0.5^2 / 4 = 0.315, of place and velocity 0.5^2 + 0.5^2 / 2 = 0.375;
    # gains 0.315 / 0.3175 and 0.375 / 0.3175; seen 10 px farther.
    motion = BoxMotion(box(0), 0.0)
    motion.predict(1.0)
    motion.correct(box(10))
    assert motion.box_xyxy[0] == pytest.approx(9.921, abs=0.001)
    assert motion.velocity_px_s[0] == pytest.approx(11.811, abs=0.001)


def test_steps_of_time_add_up() -> None:
    one, many = walked(30), walked(30)
    one.predict(7.0)
    for stamp in (5.5, 6.0, 6.0, 7.0):
        many.predict(stamp)
    np.testing.assert_allclose(one.box_xyxy, many.box_xyxy, atol=1e-6)
    np.testing.assert_allclose(one.moved_px, many.moved_px, atol=1e-6)


def test_size_follows_what_is_seen_and_does_not_grow_by_itself() -> None:
    motion = BoxMotion(box(0), 0.0)
    for step in range(1, 21):
        motion.predict(0.1 * step)
        motion.correct(box(0, width=20 + step, height=40 + 2 * step))
    before = np.diff(motion.box_xyxy.reshape(2, 2), axis=0)[0]
    assert 30 < before[0] < 40
    assert 60 < before[1] < 80
    motion.predict(4.0)
    np.testing.assert_allclose(np.diff(motion.box_xyxy.reshape(2, 2), axis=0)[0], before)

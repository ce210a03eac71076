# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import numpy as np

from training.detector.posts import draw_posts

GRAY = 128


def _drawn(seed: int, height: float) -> np.ndarray:
    image = np.full((200, 300, 3), GRAY, np.uint8)
    draw_posts(image, height, np.random.default_rng(seed))
    return (image != GRAY).any(axis=2)


def test_posts_and_fences_are_about_as_high_as_asked() -> None:
    heights = []
    for seed in range(30):
        changed = _drawn(seed, 60.0)
        rows = np.flatnonzero(changed.any(axis=1))
        if len(rows) and rows[0] > 0 and rows[-1] < 199 and len(rows) < 80:  # all in the picture, hardly slanting
            heights.append(np.ptp(rows) + 1)
    assert len(heights) >= 5
    assert 58 <= np.median(heights) <= 80  # round ends and a slope add some


def test_both_single_posts_and_fences_are_drawn() -> None:
    drawn = [np.flatnonzero(_drawn(seed, 60.0).any(axis=0)) for seed in range(30)]
    widths = [np.ptp(columns) for columns in drawn if len(columns)]
    assert min(widths) < 12
    assert max(widths) > 60


def test_the_same_seed_draws_the_same() -> None:
    np.testing.assert_array_equal(_drawn(7, 40.0), _drawn(7, 40.0))

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Colours of clothes on painted persons."""

from __future__ import annotations

import numpy as np
import pytest

from pose_resnet_ros.core.looks import likeness, looks_of

RED, BLUE, BLACK, WHITE = (0, 0, 255), (255, 0, 0), (0, 0, 0), (255, 255, 255)


def dressed(*clothes: tuple[tuple[int, int, int], tuple[int, int, int]]) -> tuple[np.ndarray, np.ndarray]:
    """Image and boxes of persons of 20 x 40 px side by side: what they wear above and below."""
    image = np.zeros((40, 20 * len(clothes), 3), np.uint8)
    for i, (above, below) in enumerate(clothes):
        image[:20, 20 * i : 20 * (i + 1)] = above
        image[20:, 20 * i : 20 * (i + 1)] = below
    return image, np.array([[20 * i, 0, 20 * (i + 1), 40] for i in range(len(clothes))], np.float32)


def test_each_row_sums_to_one() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    looks = looks_of(noise, np.array([[0, 0, 20, 40], [-30, -10, 100, 90]], np.float32))
    np.testing.assert_allclose(looks.sum(axis=1), 1)
    assert (looks >= 0).all()


def test_nobody_has_no_looks() -> None:
    looks = looks_of(np.zeros((4, 4, 3), np.uint8), np.zeros((0, 4), np.float32))
    assert len(looks) == 0
    assert likeness(looks, looks).shape == (0, 0)


def test_alike_by_halves() -> None:
    looks = looks_of(*dressed((RED, BLACK), (RED, BLACK), (RED, WHITE), (BLUE, WHITE), (BLACK, RED)))
    assert likeness(looks[:1], looks)[0] == pytest.approx([1, 1, 0.5, 0, 0])


def test_a_little_more_light_changes_a_little() -> None:
    grey = [((v, v, v), (v, v, v)) for v in (50, 60, 110)]
    alike = likeness(*[looks_of(*dressed(*grey))] * 2)[0]
    assert 0.9 < alike[1] < 1
    assert alike[2] < 0.5


def test_the_background_beside_a_person_does_not_count() -> None:
    image, boxes = dressed((RED, BLACK), (RED, BLACK))
    image[:, 20:24] = image[:, 36:] = WHITE
    looks = looks_of(image, boxes)
    assert likeness(looks, looks)[0, 1] == pytest.approx(1)


def test_a_box_beyond_the_border_looks_like_the_border() -> None:
    looks = looks_of(np.full((40, 40, 3), RED, np.uint8), np.array([[500, 0, 520, 40], [0, 0, 20, 40]]))
    assert likeness(looks, looks)[0, 1] == pytest.approx(1)

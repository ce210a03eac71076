# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Colours of clothes on painted persons."""

from __future__ import annotations

import numpy as np
import pytest

from pose_resnet_ros.core.appearance import appearance_of, appearance_similarity

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
    appearance = appearance_of(noise, np.array([[0, 0, 20, 40], [-30, -10, 100, 90]], np.float32))
    np.testing.assert_allclose(appearance.sum(axis=1), 1)
    assert (appearance >= 0).all()


def test_nobody_has_no_looks() -> None:
    appearance = appearance_of(np.zeros((4, 4, 3), np.uint8), np.zeros((0, 4), np.float32))
    assert len(appearance) == 0
    assert appearance_similarity(appearance, appearance).shape == (0, 0)


def test_alike_by_halves() -> None:
    appearance = appearance_of(*dressed((RED, BLACK), (RED, BLACK), (RED, WHITE), (BLUE, WHITE), (BLACK, RED)))
    assert appearance_similarity(appearance[:1], appearance)[0] == pytest.approx([1, 1, 0.5, 0, 0])


def test_a_little_more_light_changes_a_little() -> None:
    grey = [((v, v, v), (v, v, v)) for v in (50, 60, 110)]
    alike = appearance_similarity(*[appearance_of(*dressed(*grey))] * 2)[0]
    assert 0.9 < alike[1] < 1
    assert alike[2] < 0.5


def test_the_background_beside_a_person_does_not_count() -> None:
    image, boxes = dressed((RED, BLACK), (RED, BLACK))
    image[:, 20:24] = image[:, 36:] = WHITE
    appearance = appearance_of(image, boxes)
    assert appearance_similarity(appearance, appearance)[0, 1] == pytest.approx(1)


def test_a_box_beyond_the_border_looks_like_the_border() -> None:
    appearance = appearance_of(np.full((40, 40, 3), RED, np.uint8), np.array([[500, 0, 520, 40], [0, 0, 20, 40]]))
    assert appearance_similarity(appearance, appearance)[0, 1] == pytest.approx(1)

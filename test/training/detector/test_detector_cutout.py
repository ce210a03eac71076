# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Persons cut out of photographs."""

from __future__ import annotations

import cv2
import numpy as np

from training.detector.cutout import cut_out

BOX = np.array([60, 20, 100, 120], np.float32)


def _photo(*, tall: bool) -> np.ndarray:
    """A red ellipse that fills the box on green ground, or a red disc in its middle only."""
    photo = np.full((140, 160, 3), (60, 160, 60), np.uint8)
    photo += np.random.default_rng(0).integers(0, 20, photo.shape).astype(np.uint8)
    cv2.ellipse(photo, (80, 70 if tall else 58), (20, 50 if tall else 20), 0, 0, 360, (30, 30, 200), -1)
    return photo


def test_follows_the_outline() -> None:
    person = cut_out(_photo(tall=True), BOX)
    assert person.has_outline
    assert person.alpha.shape == person.image.shape[:2]
    red = person.image[..., 2] > 150
    assert person.alpha[red].mean() > 0.95
    assert person.alpha[~red].mean() < 0.1
    # The cut starts 8 px (0.08 of 100) left of and above the box, and is searched at half size: 2 px of slack.
    np.testing.assert_allclose(person.box, [8, 8, 48, 108], atol=2.5)


def test_takes_a_rectangle_where_the_outline_is_too_small_for_the_box() -> None:
    person = cut_out(_photo(tall=False), BOX)
    assert not person.has_outline
    np.testing.assert_allclose(person.box, [8, 8, 48, 108], atol=0.01)
    assert person.alpha.max() == 1.0
    assert person.alpha[0].max() < 0.2


def test_takes_a_rectangle_where_the_box_fills_the_photograph() -> None:
    photo = _photo(tall=True)[20:120, 60:100]
    assert not cut_out(photo, np.array([0, 0, 40, 100], np.float32)).has_outline


def test_resizing_scales_the_box_and_pasting_keeps_it() -> None:
    person = cut_out(_photo(tall=True), BOX)
    height, width = person.alpha.shape
    half = person.resized((width // 2, height // 2))
    np.testing.assert_allclose(half.box, person.box * ([width // 2 / width, height // 2 / height] * 2), atol=0.01)
    ground = np.zeros((200, 200, 3), np.uint8)
    half.paste(ground, 30, 40)
    rows, columns = np.nonzero(ground[..., 2] > 100)
    extent = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    np.testing.assert_allclose(extent, half.box + np.array([30, 40, 30, 40]), atol=2.5)
    assert (ground[:, :25] == 0).all()

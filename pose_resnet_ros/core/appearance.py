# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Appearance features: the colours of a person's clothes, which tell two persons apart after they have crossed.

A histogram of colours for the upper and one for the lower half of each box, from a small grid of pixels in its middle, where
little of the background is. Pixels are shared between neighbouring bins, so that a little more light changes a little and no
more.
"""

from __future__ import annotations

import numpy as np

COLUMNS, ROWS_OF_HALF = 8, 12
PIXELS_OF_HALF = COLUMNS * ROWS_OF_HALF
MIDDLE = (0.25, 0.75)  # of the box's width
HEIGHT = (0.1, 0.9)  # of the box's height
# Bin centres: intensity, red minus green, yellow minus blue; clothes are mostly grey, so the middle is finer.
INTENSITY = np.array([0.0, 40, 80, 130, 190, 255])
RED_GREEN = np.array([-60.0, -20, 0, 20, 60])
YELLOW_BLUE = np.array([-60.0, -30, -8, 8, 30])


def appearance_of(image: np.ndarray, boxes_xyxy: np.ndarray) -> np.ndarray:
    """(N, L) float64 histograms, each row of sum 1; image: (H, W, 3) uint8 BGR, boxes_xyxy: (N, 4) pixels in it.

    A box beyond the border looks like the border.
    """
    boxes = np.asarray(boxes_xyxy, np.float64)
    x = _spread(boxes[:, 0], boxes[:, 2], COLUMNS, MIDDLE, last=image.shape[1] - 1)
    y = _spread(boxes[:, 1], boxes[:, 3], 2 * ROWS_OF_HALF, HEIGHT, last=image.shape[0] - 1)
    pixels = image[y[:, :, None], x[:, None, :]].reshape(2 * len(boxes), PIXELS_OF_HALF, 3)
    pixels = pixels.astype(np.float64)
    blue, green, red = pixels[..., 0], pixels[..., 1], pixels[..., 2]
    shares = (
        _shares(pixels.mean(axis=2), INTENSITY),
        _shares(red - green, RED_GREEN),
        _shares((red + green) / 2 - blue, YELLOW_BLUE),
    )
    colours = shares[1][..., :, None] * shares[2][..., None, :]
    colours = colours.reshape(*pixels.shape[:2], len(RED_GREEN) * len(YELLOW_BLUE))
    histograms = np.matmul(shares[0].transpose(0, 2, 1), colours)  # summed over the pixels
    return histograms.reshape(len(boxes), 2 * len(INTENSITY) * colours.shape[2]) / (2 * PIXELS_OF_HALF)


def appearance_similarity(appearance: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(N, L), (M, L) -> (N, M): Bhattacharyya coefficient, 1 for the same colours, 0 for none in common."""
    return np.sqrt(appearance) @ np.sqrt(others).T


def _spread(begin: np.ndarray, end: np.ndarray, count: int, part: tuple[float, float], *, last: int) -> np.ndarray:
    """(N, count) whole pixels, evenly over that part of each span."""
    places = part[0] + (part[1] - part[0]) * (np.arange(count) + 0.5) / count
    return np.clip(begin[:, None] + (end - begin)[:, None] * places, 0, last).astype(np.intp)


def _shares(values: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """(..., B): how much each bin has of a value; a value between two centres belongs to both, by its distance."""
    place = np.interp(values, centres, np.arange(len(centres)))
    return np.maximum(1 - np.abs(place[..., None] - np.arange(len(centres))), 0)

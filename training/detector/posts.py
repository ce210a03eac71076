# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Posts and fences for the background of training canvases: upright, as high as persons, and nobody.

The photographs hardly show any, so a detector that never met one takes it for somebody who stands there.
"""

from __future__ import annotations

import cv2
import numpy as np

FENCE_SHARE = 0.5
SUBPIXEL_BITS = 3  # of OpenCV's fixed-point coordinates


def draw_posts(image: np.ndarray, height: float, rng: np.random.Generator) -> None:
    """Draw one post, or a fence of them with rails, about ``height`` pixels high, anywhere into a (H, W, 3) picture."""
    thickness = max(1.0, height * rng.uniform(0.02, 0.12))
    step = thickness * rng.uniform(2.0, 6.0)
    count = int(rng.integers(3, 16)) if rng.random() < FENCE_SHARE else 1
    left, foot = rng.uniform(0, image.shape[1]), rng.uniform(0.3, 1.1) * image.shape[0]
    slope = rng.uniform(-0.15, 0.15)
    colour = np.clip(rng.uniform(10, 240) + rng.normal(0, 15, 3), 0, 255)
    for number in range(count):
        x = left + number * step
        y = foot + slope * number * step
        _bar(image, (x, y), (x, y - height), thickness, colour)
        _bar(image, (x + thickness / 4, y), (x + thickness / 4, y - height), thickness / 3, 0.7 * colour)
    if count > 1:
        for share in rng.uniform(0.05, 1.0, 2):
            start = (left, foot - share * height)
            end = (left + (count - 1) * step, start[1] + slope * (count - 1) * step)
            _bar(image, start, end, thickness * rng.uniform(0.5, 1.0), colour)


def _bar(image: np.ndarray, start: tuple[float, float], end: tuple[float, float], thickness: float, colour: np.ndarray) -> None:
    points = [tuple(round(v * (1 << SUBPIXEL_BITS)) for v in point) for point in (start, end)]
    cv2.line(image, *points, colour.tolist(), max(1, round(thickness)), cv2.LINE_AA, SUBPIXEL_BITS)

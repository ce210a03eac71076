# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Pictures of more than 8 bits, of which the message does not say how many they use."""

from __future__ import annotations

import cv2
import numpy as np

DARKEST, BRIGHTEST = 0.5, 99.5  # percentiles; a few dead or glaring pixels do not count
_SAMPLE = 50_000  # pixels that they are taken from


def to_eight_bits(values: np.ndarray) -> np.ndarray:
    """(H, W[, C]) uint16 to uint8, all channels alike: the darkest becomes 0 and the brightest 255, and nothing is spread
    beyond the values that it has.

    Sensors of 10 to 14 bits leave the upper bits empty, and thermal cameras use a narrow band somewhere in the middle; by
    the full range of 16 bits one would be black and the other flat.
    """
    every = _odd(round((values.shape[0] * values.shape[1] / _SAMPLE) ** 0.5))
    darkest, brightest = np.percentile(values[::every, ::every], (DARKEST, BRIGHTEST))
    black = int(darkest)
    return cv2.convertScaleAbs(np.maximum(values, black) - black, alpha=255.0 / max(brightest - black, 255))


def _odd(number: int) -> int:
    """Through an odd step every colour of a Bayer pattern is seen."""
    return number | 1

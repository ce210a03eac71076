# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Decoding of RTMPose's output: each joint's place as two one-dimensional distributions.

Source: mmpose, codecs/simcc_label.py and codecs/utils/post_processing.py ``get_simcc_maximum``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

SIMCC_SPLIT_RATIO = 2.0  # bins for one pixel, in every RTMPose


def simcc_shapes(joints: int, input_wh: tuple[int, int]) -> tuple[tuple[int, int], ...]:
    """The outputs' shapes without N: of another input size or number of bins the keypoints would have a wrong scale."""
    return tuple((joints, int(SIMCC_SPLIT_RATIO * size)) for size in input_wh)


def decode_simcc(outputs: Sequence[np.ndarray], *, input_wh: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """The two peaks, divided by the bins for one pixel; the score is the lower of the two.

    outputs: one for x and one for y, as ``simcc_shapes`` -> points (N, K, 2) float32 in
    crop pixels, scores (N, K) float32. Unlike mmpose, a joint without a positive value keeps its place
    (there: -1, -1).
    """
    along_x, along_y = outputs[:2]
    bins_xy = np.stack([along_x.argmax(axis=2), along_y.argmax(axis=2)], axis=2)
    values = np.minimum(along_x.max(axis=2), along_y.max(axis=2))
    return (bins_xy / SIMCC_SPLIT_RATIO).astype(np.float32), np.nan_to_num(values).astype(np.float32, copy=False)


def merge_flipped_simcc(
    outputs: Sequence[np.ndarray], flipped: Sequence[np.ndarray], *, flip_order: np.ndarray
) -> list[np.ndarray]:
    """The flip test's mean: outputs for the input and for the mirrored input -> outputs of the same shapes.

    Left and right joints are swapped back (``Skeleton.flip_order``), and x is mirrored.
    Source: mmpose, models/utils/tta.py ``flip_vectors``.
    """
    back = flipped[0][:, flip_order, ::-1], flipped[1][:, flip_order]
    return [0.5 * (output + other) for output, other in zip(outputs, back, strict=True)]

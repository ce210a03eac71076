# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""DARK: the sub-cell place of a peak from the log of the smoothed heatmap (Zhang et al., CVPR 2020).

Source of the formulas: mmpose, codecs/utils/refinement.py ``refine_keypoints_dark`` and post_processing.py
``gaussian_blur``. Only the 5 x 5 cells round each peak need the smoothed values themselves; of the rest of
the map its smoothed maximum is enough.
"""

from __future__ import annotations

import numpy as np

_REACH = 2  # the second derivatives look two cells away
_FLOOR = 1e-10  # below this the log is cut


def dark_offsets(heatmaps: np.ndarray, columns: np.ndarray, rows: np.ndarray, *, kernel: int) -> np.ndarray:
    """One Newton step from each peak on the log of the smoothed map.

    heatmaps (N, K, Hh, Wh), columns and rows (N, K) of the peaks -> (N, K, 2) in cells, x and y; kernel: the
    odd side of the Gaussian window. No step where 1 < x < Wh-2 and 1 < y < Hh-2 does not hold, nor where the
    Hessian is singular.
    """
    count, joints, height, width = heatmaps.shape
    if not count:
        return np.zeros((0, joints, 2))
    weights = gaussian_kernel(kernel)
    blurred = _blurred_around(heatmaps, columns, rows, weights)  # (N, K, 5, 5)
    with np.errstate(divide="ignore", invalid="ignore"):  # an empty map; its NaN or infinity ends as "no step"
        rescale = heatmaps.max(axis=(2, 3)) / _blurred_maximum(heatmaps, weights)
        step = _newton_step(np.log(np.maximum(blurred * rescale[..., None, None], _FLOOR)))
    inside = (columns > 1) & (columns < width - 2) & (rows > 1) & (rows < height - 2)
    return np.where(inside[..., None] & np.isfinite(step), step, 0.0)


def gaussian_kernel(size: int) -> np.ndarray:
    """(size,) weights that sum to 1.

    The spread is what ``cv2.GaussianBlur`` takes for sigma 0: 2.0 for 11, 2.9 for 17.
    """
    sigma = 0.3 * ((size - 1) / 2 - 1) + 0.8
    weights = np.exp(-((np.arange(size) - (size - 1) / 2) ** 2) / (2 * sigma**2))
    return weights / weights.sum()


def _blurred_around(heatmaps: np.ndarray, columns: np.ndarray, rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The smoothed map at the 5 x 5 cells round each place, (N, K, 5, 5) float64; outside the map is 0."""
    margin = _REACH + len(weights) // 2
    padded = np.pad(heatmaps, ((0, 0), (0, 0), (margin, margin), (margin, margin)))
    person, joint = np.ogrid[: heatmaps.shape[0], : heatmaps.shape[1]]
    window = np.arange(2 * margin + 1)
    patches = padded[
        person[..., None, None],
        joint[..., None, None],
        rows[..., None, None] + window[:, None],
        columns[..., None, None] + window,
    ]
    band = _band(2 * _REACH + 1, len(window), weights)
    return band @ patches.astype(np.float64) @ band.T


def _blurred_maximum(heatmaps: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The maximum of each smoothed map, (N, K); smoothing is two products with banded matrices."""
    height, width = heatmaps.shape[2:]
    radius = len(weights) // 2
    down = _band(height, height + 2 * radius, weights)[:, radius : radius + height].astype(heatmaps.dtype)
    across = _band(width, width + 2 * radius, weights)[:, radius : radius + width].astype(heatmaps.dtype)
    return (down @ (heatmaps @ across.T)).max(axis=(2, 3)).astype(np.float64)


def _band(rows: int, columns: int, weights: np.ndarray) -> np.ndarray:
    """(rows, columns) matrix whose row r holds the weights from column r on."""
    matrix = np.zeros((rows, columns))
    for row in range(rows):
        matrix[row, row : row + len(weights)] = weights
    return matrix


def _newton_step(log_map: np.ndarray) -> np.ndarray:
    """-inverse(Hessian) @ gradient at the centre of (N, K, 5, 5): (N, K, 2), not finite where singular."""

    def at(dx: int, dy: int) -> np.ndarray:
        return log_map[..., _REACH + dy, _REACH + dx]

    dx, dy = (at(1, 0) - at(-1, 0)) / 2, (at(0, 1) - at(0, -1)) / 2
    dxx = (at(2, 0) - 2 * at(0, 0) + at(-2, 0)) / 4
    dyy = (at(0, 2) - 2 * at(0, 0) + at(0, -2)) / 4
    dxy = (at(1, 1) - at(1, -1) - at(-1, 1) + at(-1, -1)) / 4
    determinant = dxx * dyy - dxy**2
    return np.stack([dxy * dy - dyy * dx, dxy * dx - dxx * dy], axis=2) / determinant[..., None]

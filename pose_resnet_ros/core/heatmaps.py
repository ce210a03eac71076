# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""From the pose network's output to points in the crop: the named decoders, and the flip test.

A decoder takes the network's outputs and its input size, and returns points (N, K, 2) float32 in crop pixels
and their scores (N, K) float32, the raw peaks. Heatmap cell i lies on crop pixel i * w / Wh (4i in these
nets): no half-pixel offset. Peaks are as decoded even where a map has no positive value, where the reference
code jumps to a corner: an unsure joint keeps its place and its low score. A map with NaN counts as score 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from pose_resnet_ros.core.dark import dark_offsets
from pose_resnet_ros.core.simcc import SIMCC_SPLIT_RATIO, decode_simcc

Points = tuple[np.ndarray, np.ndarray]
Decoder = Callable[..., Points]


def peaks(heatmaps: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Column, row and value of each map's maximum (the first in reading order): three (N, K)."""
    count, joints, height, width = heatmaps.shape
    flat = heatmaps.reshape(count, joints, height * width)
    places = flat.argmax(axis=2)
    values = np.take_along_axis(flat, places[..., None], axis=2)[..., 0]
    return places % width, places // width, np.nan_to_num(values).astype(np.float32, copy=False)


def slopes(heatmaps: np.ndarray, columns: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Right minus left and lower minus upper neighbour; on the border, where one is missing, meaningless.

    heatmaps (N, K, Hh, Wh), columns and rows (N, K) -> two (N, K).
    """
    count, joints, height, width = heatmaps.shape
    person, joint = np.ogrid[:count, :joints]
    x, y = np.clip(columns, 1, width - 2), np.clip(rows, 1, height - 2)
    across = heatmaps[person, joint, rows, x + 1] - heatmaps[person, joint, rows, x - 1]
    down = heatmaps[person, joint, y + 1, columns] - heatmaps[person, joint, y - 1, columns]
    return across, down


def microsoft_offsets(heatmaps: np.ndarray, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """A quarter cell towards the higher neighbours, only where 1 < x < Wh-1 and 1 < y < Hh-1 both hold.

    Source: microsoft/human-pose-estimation.pytorch, lib/core/inference.py. -> (N, K, 2).
    """
    height, width = heatmaps.shape[2:]
    inside = (columns > 1) & (columns < width - 1) & (rows > 1) & (rows < height - 1)
    return 0.25 * np.sign(np.stack(slopes(heatmaps, columns, rows), axis=2)) * inside[..., None]


def mmpose_offsets(heatmaps: np.ndarray, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The quarter cell with each axis on its own: x where 1 < x < Wh-1, 0 < y; y where 1 < y < Hh-1, 0 < x.

    Source: mmpose, codecs/utils/refinement.py ``refine_keypoints``. -> (N, K, 2).
    """
    height, width = heatmaps.shape[2:]
    inside_x = (columns > 1) & (columns < width - 1) & (rows > 0)
    inside_y = (rows > 1) & (rows < height - 1) & (columns > 0)
    shift = 0.25 * np.sign(np.stack(slopes(heatmaps, columns, rows), axis=2))
    return shift * np.stack([inside_x, inside_y], axis=2)


def decode_heatmaps(outputs: Sequence[np.ndarray], *, input_wh: tuple[int, int], offsets: Callable[..., np.ndarray]) -> Points:
    """Peak plus sub-cell offset, scaled to crop pixels. ``outputs[0]``: (N, K, Hh, Wh)."""
    heatmaps = outputs[0]
    height, width = heatmaps.shape[2:]
    columns, rows, scores = peaks(heatmaps)
    step = offsets(heatmaps, columns, rows)
    step[~np.isfinite(step)] = 0  # a map with NaN has no slope
    cells = np.stack([columns, rows], axis=2) + step
    return (cells * (input_wh[0] / width, input_wh[1] / height)).astype(np.float32), scores


DECODERS: dict[str, Decoder] = {
    "microsoft": partial(decode_heatmaps, offsets=microsoft_offsets),
    "mmpose": partial(decode_heatmaps, offsets=mmpose_offsets),
    "dark": partial(decode_heatmaps, offsets=partial(dark_offsets, kernel=11)),
    "dark17": partial(decode_heatmaps, offsets=partial(dark_offsets, kernel=17)),
    "simcc": partial(decode_simcc, split_ratio=SIMCC_SPLIT_RATIO),
}


def mirrored(tensor: np.ndarray) -> np.ndarray:
    """The flip test's second input: (N, 3, h, w) mirrored along the width, contiguous."""
    return np.ascontiguousarray(tensor[..., ::-1])


def merge_flipped(heatmaps: np.ndarray, flipped: np.ndarray, *, flip_order: np.ndarray) -> np.ndarray:
    """The flip test's mean: (N, K, Hh, Wh) of the input and of the mirrored input -> (N, K, Hh, Wh).

    The second is mirrored back, its left and right joints swapped (``Skeleton.flip_order``) and moved one
    column to the right, which makes up for the even width; column 0 keeps its value. Source:
    microsoft/human-pose-estimation.pytorch, lib/core/function.py (SHIFT_HEATMAP).
    """
    back = flipped[:, flip_order, :, ::-1]
    merged = heatmaps + np.concatenate([back[..., :1], back[..., :-1]], axis=3)
    merged *= 0.5
    return merged

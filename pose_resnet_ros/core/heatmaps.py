# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""From the pose network's output to points in the crop: the named decoders, and the flip test.

Heatmap cell i lies on crop pixel i * w / Wh (4i in these nets): no half-pixel offset. Peaks are as decoded even where a map has
no positive value, where the reference code jumps to a corner: an unsure joint keeps its place and its low score. A map with NaN
counts as score 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np

Points = tuple[np.ndarray, np.ndarray]
Shape = tuple[int | None, ...]

SIMCC_SPLIT_RATIO = 2.0  # bins for one pixel, in every RTMPose
_REACH = 2  # the second derivatives look two cells away
DARK_KERNELS = {"dark": 11, "dark17": 17}  # by decoder, the side of its Gaussian window in cells


@dataclass(frozen=True)
class PoseDecoder:
    """How to read the outputs of a pose network, for N crops of K joints.

    decode: (outputs, input_wh=) -> points (N, K, 2) float32 in crop pixels and their scores (N, K) float32, the raw peaks.
    merge_flipped: (outputs, outputs for the mirrored crops, flip_order=) -> the flip test's mean, shaped as ``outputs``.
    output_shapes: (K, input_wh) -> the shape of each output without N; None stands for any size above 1.
    has_heatmaps: the first output is a map for each joint, which can be drawn and published.
    """

    decode: Callable[..., Points]
    merge_flipped: Callable[..., list[np.ndarray]]
    output_shapes: Callable[[int, tuple[int, int]], tuple[Shape, ...]]
    has_heatmaps: bool = True


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


def dark_offsets(heatmaps: np.ndarray, columns: np.ndarray, rows: np.ndarray, *, kernel: int) -> np.ndarray:
    """One Newton step from each peak on the log of the smoothed map (DARK: Zhang et al., CVPR 2020).

    Sources: mmpose, codecs/utils/refinement.py ``refine_keypoints_dark`` and post_processing.py ``gaussian_blur``. Its scaling of
    the smoothed map adds a constant to the log, which the derivatives do not see.
    heatmaps (N, K, Hh, Wh), columns and rows (N, K) of the peaks -> (N, K, 2) in cells, x and y; kernel: the
    odd side of the Gaussian window. No step where 1 < x < Wh-2 and 1 < y < Hh-2 does not hold or the Hessian is singular; nor,
    unlike mmpose, where the smoothed map is not positive or the step leaves the cells that it depends on: in nearly empty maps
    such steps end far outside the image.
    """
    height, width = heatmaps.shape[2:]
    smoothed = smoothing(height, kernel)[rows] @ heatmaps @ smoothing(width, kernel)[columns].swapaxes(2, 3)  # (N, K, 5, 5)
    with np.errstate(divide="ignore", invalid="ignore"):  # the log of 0 or less: ends as "no step"
        step = _newton_step(np.log(smoothed.astype(np.float64)))
        is_short = np.square(step).sum(axis=2) < longest_step(kernel) ** 2
    inside = (columns > 1) & (columns < width - 2) & (rows > 1) & (rows < height - 2)
    return np.where((inside & is_short)[..., None], step, 0.0)


def longest_step(kernel: int) -> int:
    """Cells; what lies further from the peak has no influence on the step."""
    return _REACH + kernel // 2


def gaussian_kernel(size: int) -> np.ndarray:
    """(size,) weights that sum to 1.

    The spread is what ``cv2.GaussianBlur`` takes for sigma 0: 2.0 for 11, 2.9 for 17.
    """
    sigma = 0.3 * ((size - 1) / 2 - 1) + 0.8
    weights = np.exp(-((np.arange(size) - (size - 1) / 2) ** 2) / (2 * sigma**2))
    return weights / weights.sum()


@lru_cache
def smoothing(size: int, kernel: int) -> np.ndarray:
    """(size, 5, size) float32, read-only: for each cell of an axis, the weights that smooth the cells -2 to 2 from it.

    Beyond the map is 0.
    """
    cells, radius = np.arange(size), kernel // 2
    distance = cells - (cells[:, None, None] + np.arange(-_REACH, _REACH + 1)[:, None])
    weights = gaussian_kernel(kernel)[np.clip(distance + radius, 0, kernel - 1)]
    table = np.where(np.abs(distance) <= radius, weights, 0).astype(np.float32)
    table.flags.writeable = False  # shared by all calls
    return table


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


def _heatmap_decoder(offsets: Callable[..., np.ndarray]) -> PoseDecoder:
    return PoseDecoder(
        decode=partial(decode_heatmaps, offsets=offsets),
        merge_flipped=lambda outputs, flipped, flip_order: [merge_flipped(outputs[0], flipped[0], flip_order=flip_order)],
        output_shapes=lambda joints, input_wh: ((joints, None, None),),
    )


def simcc_shapes(joints: int, input_wh: tuple[int, int]) -> tuple[tuple[int, int], ...]:
    """The outputs' shapes without N: of another input size or number of bins the keypoints would have a wrong scale."""
    return tuple((joints, int(SIMCC_SPLIT_RATIO * size)) for size in input_wh)


def decode_simcc(outputs: Sequence[np.ndarray], *, input_wh: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """RTMPose's output, each joint's place as two distributions: the two peaks, divided by the bins for one pixel.

    The score is the lower of the two. Source: mmpose, codecs/utils/post_processing.py ``get_simcc_maximum``.

    outputs: one for x and one for y, as ``simcc_shapes`` -> points (N, K, 2) float32 in crop pixels, scores (N, K) float32.
    Unlike mmpose, a joint without a positive value keeps its place (there: -1, -1).
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


DECODERS: dict[str, PoseDecoder] = {
    "microsoft": _heatmap_decoder(microsoft_offsets),
    "mmpose": _heatmap_decoder(mmpose_offsets),
    **{name: _heatmap_decoder(partial(dark_offsets, kernel=kernel)) for name, kernel in DARK_KERNELS.items()},
    "simcc": PoseDecoder(decode_simcc, merge_flipped_simcc, simcc_shapes, has_heatmaps=False),
}

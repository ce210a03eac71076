# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Boxes as arrays: conversions, padding for the crop; overlap of boxes, similarity of poses, suppression by either.

``boxes_xyxy`` is (N, 4) with x1, y1, x2, y2 in pixels; ``boxes_xywh`` is COCO's top-left corner and size.
Sides are x2 - x1: nothing here counts pixels, so there is no "+ 1".
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pose_resnet_ros.core.errors import ImageError

FARTHEST_PX = float(1 << 24)  # float32 does not tell pixels apart that lie farther out
SMALLEST_PX = 0.01  # of a side: less is lost when a box is turned with its image


def xyxy_from_xywh(boxes_xywh: np.ndarray) -> np.ndarray:
    """(N, 4) top-left corner and size -> (N, 4) corners."""
    boxes = np.asarray(boxes_xywh)
    return np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)


def xywh_from_xyxy(boxes_xyxy: np.ndarray) -> np.ndarray:
    """(N, 4) corners -> (N, 4) top-left corner and size."""
    boxes = np.asarray(boxes_xyxy)
    return np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)


def xyxy_from_centre_size(boxes_cxcywh: np.ndarray) -> np.ndarray:
    """(N, 4) centre and size -> (N, 4) corners."""
    boxes = np.asarray(boxes_cxcywh)
    half = boxes[:, 2:] / 2
    return np.concatenate([boxes[:, :2] - half, boxes[:, :2] + half], axis=1)


def centre_size_from_xyxy(boxes_xyxy: np.ndarray) -> np.ndarray:
    """(N, 4) corners -> (N, 4) centre and size."""
    boxes = np.asarray(boxes_xyxy)
    return np.concatenate([(boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]], axis=1)


def areas(boxes_xyxy: np.ndarray) -> np.ndarray:
    """(N,) areas; a box turned inside out has none."""
    sides = np.maximum(boxes_xyxy[:, 2:] - boxes_xyxy[:, :2], 0)
    return sides[:, 0] * sides[:, 1]


def is_valid(boxes_xyxy: np.ndarray) -> np.ndarray:
    """(N,) mask of the boxes that can be cropped: of numbers up to ``FARTHEST_PX``, with sides of at least ``SMALLEST_PX``.

    Far out a side must be some steps of float32 long, so that it is still there when the box is moved or turned.
    """
    farthest = np.abs(boxes_xyxy).max(axis=1, initial=0)
    with np.errstate(invalid="ignore", over="ignore"):  # of infinity and NaN, which the first comparison refuses
        least = np.maximum(SMALLEST_PX, 4 * np.spacing(farthest.astype(np.float32)))
        sides = boxes_xyxy[:, 2:] - boxes_xyxy[:, :2]
    return (farthest <= FARTHEST_PX) & (sides >= least[:, None]).all(axis=1)


def require_valid(boxes_xyxy: np.ndarray) -> None:
    """Raises ImageError for a box that has no area, is not finite or lies farther out than float32 counts pixels."""
    invalid = np.flatnonzero(~is_valid(boxes_xyxy))
    if len(invalid):
        raise ImageError(
            f"box {invalid[0]} (x1, y1, x2, y2) = {boxes_xyxy[invalid[0]].tolist()} has no area; expected x1 < x2 and y1 < y2,"
            f" finite, at most {FARTHEST_PX:.0f} pixels away"
        )


def touches_image(boxes_xyxy: np.ndarray, *, width: int, height: int) -> np.ndarray:
    """(N,) mask of the valid boxes that share an area with an image of that size; a person in any other cannot be seen."""
    with np.errstate(invalid="ignore"):
        overlap = (boxes_xyxy[:, :2] < (width, height)).all(axis=1) & (boxes_xyxy[:, 2:] > 0).all(axis=1)
    return is_valid(boxes_xyxy) & overlap


def clip_to_image(boxes_xyxy: np.ndarray, *, width: int, height: int) -> np.ndarray:
    """Corners moved into [0, width] x [0, height]; a box that lies outside becomes empty.

    For showing and publishing boxes. Never before a ``topdown`` crop: it would move the centre of a person at
    the border.
    """
    return np.clip(boxes_xyxy, 0, np.array([width, height, width, height], boxes_xyxy.dtype))


def pad_to_aspect(boxes_xyxy: np.ndarray, *, aspect: float, padding: float) -> np.ndarray:
    """The crop's view: one side grown until width / height is ``aspect``, then both times ``padding``.

    The centre stays; parts outside the image are kept. Source: microsoft/human-pose-estimation.pytorch,
    lib/dataset/coco.py (``_xywh2cs``, there with padding 1.25). (N, 4) -> (N, 4) float64.
    """
    centre_size = centre_size_from_xyxy(np.asarray(boxes_xyxy, np.float64))
    width, height = centre_size[:, 2], centre_size[:, 3]
    centre_size[:, 2:] = padding * np.stack([np.maximum(width, aspect * height), np.maximum(height, width / aspect)], axis=1)
    return xyxy_from_centre_size(centre_size)


def iou_matrix(boxes_xyxy: np.ndarray, others_xyxy: np.ndarray) -> np.ndarray:
    """Intersection over union: (N, 4), (M, 4) -> (N, M); 0 where the union is empty."""
    corner_min = np.maximum(boxes_xyxy[:, None, :2], others_xyxy[None, :, :2])
    corner_max = np.minimum(boxes_xyxy[:, None, 2:], others_xyxy[None, :, 2:])
    intersection = np.maximum(corner_max - corner_min, 0).prod(axis=2)
    union = areas(boxes_xyxy)[:, None] + areas(others_xyxy)[None] - intersection
    return np.divide(intersection, union, out=np.zeros_like(intersection), where=union > 0)


def nms(boxes_xyxy: np.ndarray, scores: np.ndarray, *, iou_threshold: float) -> np.ndarray:
    """Greedy non-maximum suppression.

    boxes_xyxy (N, 4), scores (N,) -> (M,) kept indices, the best score first; a box goes when it overlaps a
    better kept one by more than ``iou_threshold``. Equal scores keep the order of the input.
    """
    order = np.argsort(-scores, kind="stable")
    return order[greedy_suppression(iou_matrix(boxes_xyxy[order], boxes_xyxy[order]), threshold=iou_threshold)]


def oks_matrix(
    keypoints_xy: np.ndarray,
    others_xy: np.ndarray,
    *,
    areas: np.ndarray,
    other_areas: np.ndarray,
    sigmas: Sequence[float] | np.ndarray,
) -> np.ndarray:
    """Object keypoint similarity of each person with each other person, (N, M) float64: 1 for the same pose.

    keypoints_xy (N, K, 2), others_xy (M, K, 2); areas (N,), other_areas (M,): in square pixels, the mean of
    both counts; sigmas (K,): ``Skeleton.oks_sigmas``. Every joint counts, whatever its score. Source of this and ``oks_nms``:
    microsoft/human-pose-estimation.pytorch, lib/nms/nms.py; mmpose's evaluation agrees.
    """
    ours, others = np.asarray(keypoints_xy, np.float64), np.asarray(others_xy, np.float64)
    squared = ((ours[:, None] - others[None]) ** 2).sum(axis=3)  # (N, M, K)
    variances = (2 * np.asarray(sigmas, np.float64)) ** 2
    mean_areas = (np.asarray(areas)[:, None] + np.asarray(other_areas)[None]) / 2 + np.spacing(1)
    return np.exp(-squared / variances / mean_areas[..., None] / 2).mean(axis=2)


def oks_nms(
    keypoints_xy: np.ndarray,
    scores: np.ndarray,
    *,
    areas: np.ndarray,
    sigmas: Sequence[float] | np.ndarray,
    threshold: float = 0.9,
) -> np.ndarray:
    """Greedy suppression of persons too similar to a better one: (M,) kept indices, the best first.

    keypoints_xy (N, K, 2); scores (N,): ``People.rescored``; areas (N,): of the padded boxes
    (``pad_to_aspect``).
    """
    order = np.argsort(-scores, kind="stable")
    poses, sizes = keypoints_xy[order], areas[order]
    similarity = oks_matrix(poses, poses, areas=sizes, other_areas=sizes, sigmas=sigmas)
    return order[greedy_suppression(similarity, threshold=threshold)]


def greedy_suppression(similarity: np.ndarray, *, threshold: float) -> np.ndarray:
    """Rows that stay when each kept row removes the later ones more similar than ``threshold``.

    similarity: (N, N), rows from the best to the worst -> (M,) ascending indices.
    """
    suppresses = similarity > threshold
    alive = np.ones(len(similarity), bool)
    for row in range(len(similarity)):
        if alive[row]:
            alive[row + 1 :] &= ~suppresses[row, row + 1 :]
    return np.flatnonzero(alive)

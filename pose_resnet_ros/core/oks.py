# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Object keypoint similarity between results, and what COCO evaluation does with it.

Sources: microsoft/human-pose-estimation.pytorch, lib/nms/nms.py (similarity, suppression) and
lib/dataset/coco.py (rescoring); mmpose's evaluation agrees. Average precision itself is left to pycocotools.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pose_resnet_ros.core.boxes import greedy_suppression
from pose_resnet_ros.core.types import mean_score


def oks_matrix(
    keypoints_xy: np.ndarray,
    others_xy: np.ndarray,
    *,
    areas: np.ndarray,
    other_areas: np.ndarray,
    sigmas: Sequence[float] | np.ndarray,
) -> np.ndarray:
    """Similarity of each person with each other person, (N, M) float64: 1 for the same pose.

    keypoints_xy (N, K, 2), others_xy (M, K, 2); areas (N,), other_areas (M,): in square pixels, the mean of
    both counts; sigmas (K,): ``Skeleton.oks_sigmas``. Every joint counts, whatever its score.
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

    keypoints_xy (N, K, 2); scores (N,): after ``rescore``; areas (N,): of the padded boxes
    (``boxes.pad_to_aspect``).
    """
    order = np.argsort(-scores, kind="stable")
    poses, sizes = keypoints_xy[order], areas[order]
    similarity = oks_matrix(poses, poses, areas=sizes, other_areas=sizes, sigmas=sigmas)
    return order[greedy_suppression(similarity, threshold=threshold)]


def rescore(box_scores: np.ndarray, keypoint_scores: np.ndarray, *, keypoint_threshold: float = 0.2) -> np.ndarray:
    """Box score times the mean joint score above the threshold (0 if none is): (N,), (N, K) -> (N,)."""
    return box_scores * mean_score(keypoint_scores, keypoint_scores > keypoint_threshold)

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Box propagation: in frames without a detection the boxes follow the keypoints."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pose_resnet_ros.core.types import People

_FEWEST_JOINTS = 3  # fewer sure joints say too little about a person's size
_LOST_SHARE = 0.5
_SCALE_RANGE = (0.5, 2.0)  # what a person's size can do between two detections


@dataclass(frozen=True, eq=False)
class KeyframePoses:
    """Persons as they were when they were detected.

    boxes_xyxy: (N, 4); scores: (N,) the detector's; keypoints_xy: (N, K, 2); sure: (N, K) bool, joints above the threshold.
    """

    boxes_xyxy: np.ndarray
    scores: np.ndarray
    keypoints_xy: np.ndarray
    sure: np.ndarray

    @classmethod
    def of(cls, people: People, *, keypoint_threshold: float) -> KeyframePoses:
        sure = people.keypoint_scores > keypoint_threshold
        return cls(people.boxes_xyxy, people.box_scores, people.keypoints_xy, sure)

    def rows(self, kept: np.ndarray) -> KeyframePoses:
        """Those persons only, by index."""
        return KeyframePoses(self.boxes_xyxy[kept], self.scores[kept], self.keypoints_xy[kept], self.sure[kept])


def propagate(keyframe: KeyframePoses, people: People, *, keypoint_threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """Where the boxes are now (N, 4), and who was lost (N,) bool.

    people: the same persons, row by row, in a later image. A box moves and grows as its person's sure joints do: with their mean
    and their spread. Who had fewer than three of them keeps the box as it is; who has less than half of them left is lost.
    """
    both = keyframe.sure & (people.keypoint_scores > keypoint_threshold)
    had, left = keyframe.sure.sum(axis=1), both.sum(axis=1)
    lost = (had >= _FEWEST_JOINTS) & (left < _LOST_SHARE * had)
    moves = left >= _FEWEST_JOINTS
    before, spread_before = _mean_and_spread(keyframe.keypoints_xy, both)
    now, spread_now = _mean_and_spread(people.keypoints_xy, both)
    measured = moves & (spread_before > 0)
    growth = np.divide(spread_now, spread_before, out=np.ones_like(spread_now), where=measured)
    scale = np.clip(growth, *_SCALE_RANGE)
    shift = np.where(moves[:, None], now - scale[:, None] * before, 0.0)
    return (keyframe.boxes_xyxy * scale[:, None] + np.tile(shift, 2)).astype(np.float32), lost


def _mean_and_spread(points_xy: np.ndarray, used: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean (N, 2) of the used points and their root mean square distance (N,) from it; 0 where there is none."""
    weights = (used / np.maximum(used.sum(axis=1, keepdims=True), 1))[:, :, None]
    mean = (points_xy * weights).sum(axis=1)
    return mean, np.sqrt((((points_xy - mean[:, None]) ** 2) * weights).sum(axis=(1, 2)))

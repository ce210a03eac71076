# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Box propagation: in frames without a detection the boxes follow the keypoints."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pose_resnet_ros.core.boxes import nms, touches_image
from pose_resnet_ros.core.types import Detections, People

_FEWEST_JOINTS = 3  # fewer sure joints say too little about a person's size
_LOST_SHARE = 0.5
_SCALE_RANGE = (0.5, 2.0)  # what a person's size can do between two detections
_MAX_GAP_S = 1.0  # after a longer one people are anywhere


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
        return cls(people.boxes_xyxy, people.box_scores, people.keypoints_xy, people.visible(keypoint_threshold))

    def rows(self, kept: np.ndarray) -> KeyframePoses:
        """Those persons only, by index."""
        return KeyframePoses(self.boxes_xyxy[kept], self.scores[kept], self.keypoints_xy[kept], self.sure[kept])


class BoxPropagator:
    """One camera's boxes between two detections.

    A lost person triggers a new detection, and so does an image of another size or rotation, one that comes after a gap or
    before the last one, or a run that failed. New persons appear with the next detection.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Detect in the next image, whatever was before."""
        self._keyframe: KeyframePoses | None = None
        self._next: Detections | None = None
        self._view: tuple[int, int, int] | None = None  # width, height, rotation
        self._stamp_s = -np.inf
        self._since_detection = 0

    def take(self, view: tuple[int, int, int], *, stamp_s: float, interval: int) -> Detections | None:
        """The boxes for this image, None where persons must be detected in it. There are none for the next one until ``update``.

        view: the image's width and height, and ``image_rotation``; interval: images from one detection to the next.
        """
        follows = view == self._view and 0.0 <= stamp_s - self._stamp_s <= _MAX_GAP_S
        boxes = self._next if follows and self._since_detection < interval else None
        self._next, self._view, self._stamp_s = None, view, stamp_s
        if boxes is None:
            self._keyframe, self._since_detection = None, 0
        return boxes

    def update(self, people: People, *, keypoint_threshold: float, nms_threshold: float) -> None:
        """Find the boxes for the next image. people: of the image of the last ``take``, row by row its boxes."""
        assert self._view is not None
        keyframe = self._keyframe or KeyframePoses.of(people, keypoint_threshold=keypoint_threshold)
        self._since_detection += 1
        boxes, lost = propagate(keyframe, people, keypoint_threshold=keypoint_threshold)
        if lost.any():
            return
        width, height, _ = self._view
        kept = np.flatnonzero(touches_image(boxes, width=width, height=height))
        kept = kept[nms(boxes[kept], keyframe.scores[kept], iou_threshold=nms_threshold)]
        self._keyframe = keyframe.rows(kept)
        self._next = Detections(boxes[kept], self._keyframe.scores)


def propagate(keyframe: KeyframePoses, people: People, *, keypoint_threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """Where the boxes are now (N, 4), and who was lost (N,) bool.

    people: the same persons, row by row, in a later image. A box moves and grows as its person's sure joints do: with their mean
    and their spread. A person who had fewer than three of them keeps the box; one with less than half of them left is lost.
    """
    both = keyframe.sure & people.visible(keypoint_threshold)
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

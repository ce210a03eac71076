# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Cameras that are mounted sideways: the image is turned upright, and what is found in it is turned back."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pose_resnet_ros.core.types import Detections, People


@dataclass(frozen=True)
class ImageRotation:
    """degrees: 0, 90, 180 or 270, clockwise, that make the image upright; image_wh: size of the original image."""

    degrees: int
    image_wh: tuple[int, int]

    def image(self, image: np.ndarray) -> np.ndarray:
        """The upright image, contiguous; the same array where nothing turns."""
        return np.ascontiguousarray(np.rot90(image, -self.degrees // 90)) if self.degrees else image

    def detections(self, detections: Detections) -> Detections:
        """Detections in the original -> in the upright image."""
        forth = ImageRotation(-self.degrees % 360, self._upright_wh())
        return forth.detections_back(detections)

    def detections_back(self, detections: Detections) -> Detections:
        """Detections in the upright image -> in the original."""
        return replace(detections, boxes_xyxy=self._boxes_back(detections.boxes_xyxy)) if self.degrees else detections

    def people_back(self, people: People) -> People:
        """People in the upright image -> in the original."""
        if not self.degrees:
            return people
        matrix = self._back(edge=0).astype(people.keypoints_xy.dtype)
        points = people.keypoints_xy @ matrix[:, :2].T + matrix[:, 2]
        return replace(people, boxes_xyxy=self._boxes_back(people.boxes_xyxy), keypoints_xy=points)

    def affine_back(self, image_from_crop: np.ndarray) -> np.ndarray:
        """(N, 2, 3) crop to upright image -> crop to original."""
        matrix = self._back(edge=0)
        turned = np.einsum("ij,njk->nik", matrix[:, :2], image_from_crop)
        turned[:, :, 2] += matrix[:, 2]
        return turned

    def _upright_wh(self) -> tuple[int, int]:
        width, height = self.image_wh
        return (height, width) if self.degrees in (90, 270) else (width, height)

    def _boxes_back(self, boxes_xyxy: np.ndarray) -> np.ndarray:
        matrix = self._back(edge=1).astype(boxes_xyxy.dtype)
        corners = boxes_xyxy.reshape(-1, 2, 2) @ matrix[:, :2].T + matrix[:, 2]
        return np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)

    def _back(self, *, edge: int) -> np.ndarray:
        """(2, 3) upright -> original. edge 0: pixel centres, 0 to width - 1; edge 1: borders of boxes, 0 to width."""
        right, bottom = self.image_wh[0] - 1 + edge, self.image_wh[1] - 1 + edge
        rows = {
            0: [[1, 0, 0], [0, 1, 0]],
            90: [[0, 1, 0], [-1, 0, bottom]],
            180: [[-1, 0, right], [0, -1, bottom]],
            270: [[0, -1, right], [1, 0, 0]],
        }
        return np.array(rows[self.degrees], np.float64)

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Training canvases as a data set."""

from __future__ import annotations

import numpy as np
from torch.utils.data import Dataset

from training.detector.augment import CanvasMaker

MOST_BOXES = 64  # of either kind on one canvas: the arrays of a batch have this length


class Canvases(Dataset):
    """One canvas around each photograph, indexed by (epoch, number): the same index gives the same canvas, always.

    Items: image (h, w, 3) uint8 BGR; persons and ignored, both (MOST_BOXES, 4) float32 corners in canvas pixels, the
    unused rows zero.
    """

    def __init__(self, maker: CanvasMaker, *, seed: int = 0) -> None:
        self._maker = maker
        self._seed = seed

    def __len__(self) -> int:
        return len(self._maker.labels)

    def __getitem__(self, index: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        epoch, number = index
        canvas = self._maker.make(number, np.random.default_rng((self._seed, epoch, number)))
        return canvas.image, _padded(canvas.boxes_xyxy), _padded(canvas.ignore_xyxy)


def _padded(boxes_xyxy: np.ndarray) -> np.ndarray:
    rows = np.zeros((MOST_BOXES, 4), np.float32)
    kept = boxes_xyxy[:MOST_BOXES]
    rows[: len(kept)] = kept
    return rows

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The person boxes of one photograph, as the detector learns and is measured on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.coco import Photograph

DOUBTFUL_BELOW_SCORE = 0.5


@dataclass(frozen=True, eq=False)
class BoxLabels:
    """Pixel-edge coordinates of the photograph, x in 0..width.

    boxes_xyxy: (P, 4) float32, persons to be found; ignore_xyxy: (Q, 4) float32, neither person nor background.
    """

    file_name: str
    boxes_xyxy: np.ndarray
    ignore_xyxy: np.ndarray


def labels_of(photograph: Photograph) -> BoxLabels:
    """Boxes that carry a score under 0.5 (a machine's doubtful finds) become regions to ignore."""
    xywh = np.array([person.box_xywh for person in photograph.persons], np.float32).reshape(-1, 4)
    corners = np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1)
    doubtful = np.array([person.score < DOUBTFUL_BELOW_SCORE for person in photograph.persons], bool)
    return BoxLabels(photograph.file_name, corners[~doubtful], corners[doubtful])

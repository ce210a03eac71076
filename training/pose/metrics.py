# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""How often a limb joint is found: PCK on the hand-annotated joints."""

from __future__ import annotations

import numpy as np

LIMB_JOINTS = {"shoulders": (5, 6), "elbows": (7, 8), "wrists": (9, 10), "hips": (11, 12), "knees": (13, 14), "ankles": (15, 16)}


def pck(predicted: np.ndarray, keypoints: np.ndarray, boxes_xywh: np.ndarray, *, threshold: float = 0.1) -> dict[str, float]:
    """Share of the visibility-2 limb joints found within ``threshold`` of the box's longer side.

    predicted: (N, 17, 2); keypoints: (N, 17, 3); both in image pixels, as are boxes_xywh (N, 4).
    Keys: ``pck`` over all limb joints, and one for each pair of LIMB_JOINTS. NaN where there is no such joint.
    """
    distance = np.linalg.norm(predicted - keypoints[..., :2], axis=-1)
    found = distance <= threshold * boxes_xywh[:, None, 2:].max(-1)
    labelled = keypoints[..., 2] == 2
    groups = {"pck": tuple(range(5, 17)), **LIMB_JOINTS}
    return {
        name: float(found[:, joints][labelled[:, joints]].mean()) if labelled[:, joints].any() else float("nan")
        for name, joints in groups.items()
    }

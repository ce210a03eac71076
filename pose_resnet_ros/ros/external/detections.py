# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""``vision_msgs/Detection2DArray`` of somebody else's detector to our ``Detections``. Imports no ROS: it reads fields."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

import numpy as np

from pose_resnet_ros.core.boxes import is_sound
from pose_resnet_ros.core.types import Detections


def detections_from_message(
    message: Any, *, class_ids: Collection[str], detection_threshold: float
) -> Detections:
    """The persons in the message, the best score first.

    class_ids: the ids that mean "person" in that detector; a detection counts with the best score that it has under one of
    them. A turned box (theta) is replaced by the upright one around it; boxes that are empty or not finite are left out.
    """
    boxes, scores = [], []
    for detection in message.detections:
        score = max(
            (r.hypothesis.score for r in detection.results if r.hypothesis.class_id in class_ids),
            default=-1.0,
        )
        if score >= detection_threshold and math.isfinite(score):
            boxes.append(_corners(detection.bbox))
            scores.append(score)
    found = Detections(np.array(boxes, np.float32).reshape(-1, 4), np.array(scores, np.float32))
    found = found[is_sound(found.boxes_xyxy)]
    return found[np.argsort(-found.scores, kind="stable")]


def seen_class_ids(message: Any) -> list[str]:
    """Every class id in the message, for telling the user which ones there are."""
    return sorted({r.hypothesis.class_id for detection in message.detections for r in detection.results})


def _corners(bbox: Any) -> tuple[float, float, float, float]:
    x, y, theta = bbox.center.position.x, bbox.center.position.y, bbox.center.theta
    cos, sin = abs(math.cos(theta)), abs(math.sin(theta))
    half_w = (bbox.size_x * cos + bbox.size_y * sin) / 2
    half_h = (bbox.size_x * sin + bbox.size_y * cos) / 2
    return x - half_w, y - half_h, x + half_w, y + half_h

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""``vision_msgs/Detection2DArray`` of somebody else's detector to our ``Detections``. Imports no ROS: it reads fields."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

import numpy as np

from pose_resnet_ros.core.boxes import is_valid
from pose_resnet_ros.core.types import Detections


def detections_from_message(message: Any, *, class_ids: Collection[str], detection_threshold: float) -> Detections:
    """The persons in the message, the best score first.

    class_ids: the ids that mean "person" in that detector; a detection counts with the best score that it has under one of
    them. A turned box (theta) is replaced by the upright one around it; boxes that are empty or not finite are left out, and
    so are scores that are not finite.
    """
    scored = [(detection, _score(detection, class_ids)) for detection in message.detections]
    persons = [(_corners(detection.bbox), score) for detection, score in scored if score >= detection_threshold]
    with np.errstate(over="ignore"):  # what is too large for float32 becomes infinite, and is left out below
        boxes = np.array([box for box, _ in persons], np.float64).reshape(-1, 4).astype(np.float32)
        scores = np.array([score for _, score in persons], np.float64).astype(np.float32)
    found = Detections(boxes, scores)[is_valid(boxes) & np.isfinite(scores)]
    return found[np.argsort(-found.scores, kind="stable")]


def seen_class_ids(message: Any) -> list[str]:
    """Every class id in the message, for telling the user which ones there are."""
    return sorted({r.hypothesis.class_id for detection in message.detections for r in detection.results})


def _score(detection: Any, class_ids: Collection[str]) -> float:
    """The best finite score under one of the ids; -1 where there is none."""
    hypotheses = [result.hypothesis for result in detection.results]
    scores = [h.score for h in hypotheses if h.class_id in class_ids and math.isfinite(h.score)]
    return max(scores, default=-1.0)


def _corners(bbox: Any) -> tuple[float, float, float, float]:
    """NaN for what is not finite."""
    x, y, theta = bbox.center.position.x, bbox.center.position.y, bbox.center.theta
    theta = theta if math.isfinite(theta) else math.nan  # math.cos refuses infinity
    cos, sin = abs(math.cos(theta)), abs(math.sin(theta))
    half_w = (bbox.size_x * cos + bbox.size_y * sin) / 2
    half_h = (bbox.size_x * sin + bbox.size_y * cos) / 2
    return x - half_w, y - half_h, x + half_w, y + half_h

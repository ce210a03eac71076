# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""AP50 of person boxes, with regions to ignore."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pose_resnet_ros.core.types import Detections
from training.detector.canvas import area
from training.detector.labels import BoxLabels

MATCH_IOU = 0.5
COUNTED_ABOVE_PX = 40.0


@dataclass(frozen=True, eq=False)
class PrecisionRecall:
    """ap50; precision and recall (D,) when the detections down to ``scores`` (D,), which fall, are kept."""

    ap50: float
    scores: np.ndarray
    precision: np.ndarray
    recall: np.ndarray

    def at(self, threshold: float) -> tuple[float, float]:
        """(precision, recall) of the detections that score above the threshold."""
        kept = int(np.searchsorted(-self.scores, -threshold, side="left"))
        return (float(self.precision[kept - 1]), float(self.recall[kept - 1])) if kept else (1.0, 0.0)


def measure(
    found: Sequence[Detections], labels: Sequence[BoxLabels], *, counted_above_px: float = COUNTED_ABOVE_PX
) -> PrecisionRecall:
    """AP at IoU 0.5 of persons taller than ``counted_above_px``, over all photographs.

    As COCO does it: the best score first, each person found once; shorter persons and regions to ignore neither count nor
    punish, nor do unmatched detections that are themselves shorter.
    """
    verdicts = [_judge(mine, label, counted_above_px) for mine, label in zip(found, labels, strict=True)]
    persons = sum(int((_heights(label.boxes_xyxy) > counted_above_px).sum()) for label in labels)
    scores = np.concatenate([v[0] for v in verdicts])
    order = np.argsort(-scores, kind="stable")
    hits = np.concatenate([v[1] for v in verdicts])[order].cumsum()
    recall, precision = hits / max(persons, 1), hits / np.arange(1, len(hits) + 1)
    return PrecisionRecall(_mean_precision(precision, recall), scores[order], precision, recall)


def iou(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Overlap of one box (4,) with others (P, 4): (P,)."""
    common = _common(box, others)
    return common / np.maximum(area(box) + area(others) - common, 1e-9)


def _judge(found: Detections, label: BoxLabels, counted_above_px: float) -> tuple[np.ndarray, np.ndarray]:
    """Scores and hits (bool) of the detections that count, the best first."""
    tall = _heights(label.boxes_xyxy) > counted_above_px
    persons = label.boxes_xyxy[tall]
    spare = np.concatenate([label.boxes_xyxy[~tall], label.ignore_xyxy])
    free = np.ones(len(persons), bool)
    scores, hits = [], []
    for index in np.argsort(-found.scores, kind="stable"):
        box = found.boxes_xyxy[index]
        overlap = iou(box, persons) * free
        hit = bool((overlap >= MATCH_IOU).any())
        if hit:
            free[overlap.argmax()] = False
        if hit or not _excused(box, spare, counted_above_px):
            scores.append(found.scores[index])
            hits.append(hit)
    return np.array(scores, np.float64), np.array(hits, bool)


def _excused(box: np.ndarray, spare: np.ndarray, counted_above_px: float) -> bool:
    mostly_inside = _common(box, spare) >= 0.5 * area(box)
    return bool(box[3] - box[1] <= counted_above_px or mostly_inside.any() or (iou(box, spare) >= MATCH_IOU).any())


def _mean_precision(precision: np.ndarray, recall: np.ndarray) -> float:
    """Mean of the falling envelope of precision at 101 recalls, as pycocotools does."""
    if not len(precision):
        return 0.0
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    places = np.searchsorted(recall, np.linspace(0, 1, 101), side="left")
    return float(np.append(envelope, 0.0)[places].mean())


def _heights(boxes_xyxy: np.ndarray) -> np.ndarray:
    return boxes_xyxy[:, 3] - boxes_xyxy[:, 1]


def _common(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    return np.clip(np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2]), 0, None).prod(axis=-1)

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""COCO box AP of person detections, ranked by their score: for choosing between weights and reporting, never to learn from."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pose_resnet_ros.core.types import Detections
from training.images import ImageStore, image_source

PERSON = 1
SMALLEST_SCORE = 1e-6
Detect = Callable[[np.ndarray], Detections]


@dataclass(frozen=True)
class CheckResult:
    """ap50, ap, ap_large: COCO's; false_alarms: pictures without anybody that got a person at the threshold, of ``empty``
    such pictures; precision, recall: at the threshold, at IoU 0.5; best_threshold: the score of the best F1, ``best_f1``."""

    ap50: float
    ap: float
    ap_large: float
    false_alarms: int
    empty: int
    precision: float
    recall: float
    best_threshold: float
    best_f1: float


class BoxCheck:
    """The pictures of a COCO folder (``annotations.json`` and ``images.tar``) in which every person is boxed.

    A picture says so by ``all_persons_boxed``; where no picture does, all count.
    """

    def __init__(self, folder: Path) -> None:
        from pycocotools.coco import COCO

        with contextlib.redirect_stdout(io.StringIO()):
            self._coco = COCO(str(folder / "annotations.json"))
        images = json.loads((folder / "annotations.json").read_text())["images"]
        boxed = [image for image in images if image.get("all_persons_boxed", True)]
        self._names = {image["id"]: image["file_name"] for image in boxed}
        self._images = ImageStore(image_source(folder))

    def measure(self, detect: Detect, *, threshold: float = 0.4) -> CheckResult:
        """detect: an image (H, W, 3) uint8 BGR to its persons, down to scores too low to use."""
        found = {key: detect(self._images.read(name)) for key, name in self._names.items()}
        evaluation = self._evaluated(found)
        scores, hits, persons = _ranked(evaluation)
        kept = scores >= threshold
        empty = [key for key in self._names if not self._coco.getAnnIds(imgIds=[key])]
        best_threshold, best_f1 = _best_f1(scores, hits, persons)
        return CheckResult(
            ap50=float(evaluation.stats[1]),
            ap=float(evaluation.stats[0]),
            ap_large=float(evaluation.stats[5]),
            false_alarms=sum(bool((found[key].scores >= threshold).any()) for key in empty),
            empty=len(empty),
            precision=float(hits[kept].mean()) if kept.any() else 1.0,
            recall=float(hits[kept].sum() / max(persons, 1)),
            best_threshold=best_threshold,
            best_f1=best_f1,
        )

    def _evaluated(self, found: dict[int, Detections]):
        from pycocotools.cocoeval import COCOeval

        rows = [
            {"image_id": key, "category_id": PERSON, "bbox": [*box[:2], *(box[2:] - box[:2])], "score": score}
            for key, people in found.items()
            for box, score in zip(people.boxes_xyxy.astype(float), people.scores.astype(float), strict=True)
        ]
        # loadRes refuses an empty list.
        nothing = {"image_id": next(iter(found)), "category_id": PERSON, "bbox": [0, 0, 1, 1], "score": SMALLEST_SCORE}
        with contextlib.redirect_stdout(io.StringIO()):
            evaluation = COCOeval(self._coco, self._coco.loadRes(rows or [nothing]), "bbox")
            evaluation.params.imgIds = list(self._names)
            evaluation.evaluate()
            evaluation.accumulate()
            evaluation.summarize()
        return evaluation


def _ranked(evaluation) -> tuple[np.ndarray, np.ndarray, int]:
    """Scores (D,), hits (D,) bool at IoU 0.5 of the detections that count, the best first, and how many persons there are."""
    everything = [e for e in evaluation.evalImgs if e is not None and e["aRng"] == evaluation.params.areaRng[0]]
    scores = np.concatenate([np.asarray(e["dtScores"], float) for e in everything] or [np.zeros(0)])
    hits = np.concatenate([e["dtMatches"][0] > 0 for e in everything] or [np.zeros(0, bool)])
    counted = ~np.concatenate([e["dtIgnore"][0].astype(bool) for e in everything] or [np.zeros(0, bool)])
    persons = sum(int((np.asarray(e["gtIgnore"]) == 0).sum()) for e in everything)
    order = np.argsort(-scores[counted], kind="stable")
    return scores[counted][order], hits[counted][order], persons


def _best_f1(scores: np.ndarray, hits: np.ndarray, persons: int) -> tuple[float, float]:
    if not len(scores):
        return 1.0, 0.0
    f1 = 2 * hits.cumsum() / (np.arange(1, len(hits) + 1) + persons)
    return float(scores[f1.argmax()]), float(f1.max())

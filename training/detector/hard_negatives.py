# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Places that a detector took for persons where nobody is: ``training.detector.mine`` writes them, training shows them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from training.detector.canvas import hidden_share
from training.detector.labels import BoxLabels


@dataclass(frozen=True)
class HardNegative:
    """file_name: the picture; box_xyxy: what was taken for a person, pixels; score: the detector's.

    free_xyxy: the largest view round the box that shows none of the picture's persons.
    """

    file_name: str
    box_xyxy: tuple[float, float, float, float]
    free_xyxy: tuple[float, float, float, float]
    score: float

    def around(self, rng: np.random.Generator, width: int, height: int) -> tuple[int, int, int, int]:
        """A random view x1, y1, x2, y2 that holds the box, between the box itself and the free view."""
        share = rng.random(4)
        box, free = np.array(self.box_xyxy), np.array(self.free_xyxy)
        x1, y1, x2, y2 = box + (free - box) * share
        left, top = int(np.clip(x1, 0, width - 8)), int(np.clip(y1, 0, height - 8))
        return left, top, max(left + 8, min(width, round(x2))), max(top + 8, min(height, round(y2)))


def free_view(box: np.ndarray, label: BoxLabels, image_wh: tuple[int, int]) -> np.ndarray | None:
    """The view (4,) x1, y1, x2, y2 round a box, grown until it would touch a person; None if the box itself does."""
    taken = np.concatenate([label.boxes_xyxy, label.ignore_xyxy])
    if any(hidden_share(box, other) > 0 for other in taken):
        return None
    view = np.array([0.0, 0.0, *image_wh])
    for x1, y1, x2, y2 in taken:
        # Of the four half planes that leave this person out and keep the box, the largest.
        cuts = [(x2, 0, x2 <= box[0]), (y2, 1, y2 <= box[1]), (x1, 2, x1 >= box[2]), (y1, 3, y1 >= box[3])]
        options = []
        for value, side, keeps in cuts:
            cut = view.copy()
            cut[side] = max(cut[side], value) if side < 2 else min(cut[side], value)
            options += [cut] if keeps else []
        view = max(options, key=lambda cut: float(np.prod(cut[2:] - cut[:2])))
    return view


def save(path: Path, negatives: Sequence[HardNegative]) -> None:
    path.write_text(json.dumps([asdict(negative) for negative in negatives]))


def load(path: Path) -> list[HardNegative]:
    return [
        HardNegative(row["file_name"], tuple(row["box_xyxy"]), tuple(row["free_xyxy"]), row["score"])
        for row in json.loads(path.read_text())
    ]

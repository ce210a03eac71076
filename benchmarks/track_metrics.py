# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""How well track ids keep to persons: IDF1, identity switches and fragmentations.

Sources: Ristani et al., "Performance measures and a data set for multi-target, multi-camera tracking", 2016 (IDF1); Bernardin and
Stiefelhagen, "Evaluating multiple object tracking performance: the CLEAR MOT metrics", 2008 (the rest). The py-motmetrics library
gives the same figures.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from pose_resnet_ros.core.boxes import iou_matrix

Boxes = Mapping[str, np.ndarray]  # a person's name or a track's id -> (4,) x1, y1, x2, y2


@dataclass(frozen=True)
class TrackMetrics:
    """idf1: share of boxes under the right id, where each person has one right id at most; switches: a person's id changed;
    taken_over: to an id that another person had before; fragmentations: a person's track was interrupted; found: share of the
    persons' boxes that any id had; false_positives: boxes with an id and without a person; ids: how many were given.
    """

    idf1: float
    switches: int
    taken_over: int
    fragmentations: int
    found: float
    false_positives: int
    ids: int


def measure(truth: Sequence[Boxes], tracked: Sequence[Boxes], *, least_iou: float) -> TrackMetrics:
    """Frame by frame: who is there, and which boxes have which id. A box is a person's from ``least_iou`` on."""
    overlaps: Counter[tuple[str, str]] = Counter()
    id_of: dict[str, str] = {}
    person_of: dict[str, str] = {}
    lost: set[str] = set()
    switches = taken_over = fragmentations = found = 0
    for persons, boxes in zip(truth, tracked, strict=True):
        iou = _overlap(persons, boxes)
        names, ids = list(persons), list(boxes)
        overlaps.update((names[i], ids[j]) for i, j in np.argwhere(iou >= least_iou))
        pairs = _pairs(names, ids, iou, id_of, least_iou)
        for name, track in pairs.items():
            switched = id_of.get(name, track) != track
            switches += switched
            taken_over += switched and person_of.get(track, name) != name
            fragmentations += name in lost
            id_of[name], person_of[track] = track, name
        lost = (lost | (persons.keys() & id_of.keys())) - pairs.keys()
        found += len(pairs)
    return TrackMetrics(
        idf1=_idf1(overlaps, sum(map(len, truth)), sum(map(len, tracked))),
        switches=switches,
        taken_over=taken_over,
        fragmentations=fragmentations,
        found=found / max(1, sum(map(len, truth))),
        false_positives=sum(map(len, tracked)) - found,
        ids=len({track for boxes in tracked for track in boxes}),
    )


def _overlap(persons: Boxes, boxes: Boxes) -> np.ndarray:
    stacked = [np.array(list(group.values()), np.float64).reshape(-1, 4) for group in (persons, boxes)]
    return iou_matrix(*stacked)


def _pairs(names: list[str], ids: list[str], iou: np.ndarray, id_of: Mapping[str, str], least_iou: float) -> dict[str, str]:
    """Person -> id in one frame: whoever still has the last id keeps it, the others get the largest total overlap."""
    pairs: dict[str, str] = {}
    for i, name in enumerate(names):
        last = id_of.get(name)
        if last in ids and last not in pairs.values() and iou[i, ids.index(last)] >= least_iou:
            pairs[name] = last
    value = np.where(iou >= least_iou, iou, 0.0)
    value[[name in pairs for name in names]] = 0
    value[:, [track in pairs.values() for track in ids]] = 0
    chosen = zip(*linear_sum_assignment(value, maximize=True), strict=True)
    return pairs | {names[i]: ids[j] for i, j in chosen if value[i, j] > 0}


def _idf1(overlaps: Mapping[tuple[str, str], int], boxes_of_persons: int, boxes_with_ids: int) -> float:
    persons, ids = sorted({p for p, _ in overlaps}), sorted({i for _, i in overlaps})
    together = np.array([[overlaps.get((p, i), 0) for i in ids] for p in persons]).reshape(len(persons), len(ids))
    right = together[linear_sum_assignment(together, maximize=True)].sum()
    return 2 * float(right) / max(1, boxes_of_persons + boxes_with_ids)

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Does a keypoint's score tell what is in the picture from what is cut off? Measured on pictures cut for the purpose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pose_resnet_ros.core.boxes import xyxy_from_xywh
from pose_resnet_ros.core.types import Detections
from pose_resnet_ros.models.pose_net import PoseNet
from training.coco import Person, Photograph
from training.images import ImageStore

NOSE, SHOULDERS, HIPS, KNEES = 0, (5, 6), (11, 12), (13, 14)
CUTS = {"chest": (SHOULDERS, HIPS), "hips": (HIPS, HIPS), "knees": (KNEES, KNEES)}
"""Name to the two pairs of joints between which, halfway, the picture ends below."""
VISIBLE = 2
LEAST_HEIGHT = 60.0  # pixels of a person that is cut
LEAST_LEFT = 16  # pixels of the cut picture


@dataclass(frozen=True, eq=False)
class Presence:
    """Scores of joints that the cut left in the picture and that are to be seen, and of joints that it took away."""

    seen: np.ndarray
    cut_off: np.ndarray

    def at(self, threshold: float) -> tuple[float, float]:
        """(share of the cut-off joints that score under the threshold, share of the seen ones that reach it)."""
        return float((self.cut_off < threshold).mean()), float((self.seen >= threshold).mean())


def measure(net: PoseNet, photographs: list[Photograph], images: ImageStore) -> Presence:
    """Every large upright person with labelled joints, cut at the chest, the hips and the knees."""
    seen: list[np.ndarray] = []
    cut_off: list[np.ndarray] = []
    for photograph in photographs:
        for person in photograph.persons:
            for row in cut_rows(person):
                image = images.read(photograph.file_name)[:row]
                if row < LEAST_LEFT or image.shape[0] <= person.box_xywh[1] + 8:
                    continue
                scores = _scores(net, image, person.box_xywh)
                above = person.keypoints[:, 1] < row
                seen.append(scores[above & (person.keypoints[:, 2] == VISIBLE)])
                cut_off.append(scores[~above & (person.keypoints[:, 2] > 0)])
    return Presence(np.concatenate(seen), np.concatenate(cut_off))


def cut_rows(person: Person) -> list[int]:
    """The rows at which the picture is cut; none for a person who is small, upside down or lacks the joints."""
    if person.box_xywh[3] < LEAST_HEIGHT:
        return []
    rows = []
    for upper, lower in CUTS.values():
        points = person.keypoints[[*upper, *lower]]
        if (points[:, 2] > 0).all() and person.keypoints[NOSE, 1] < points[:, 1].min():
            rows.append(round(float(points[:, 1].mean())))
    return rows


def _scores(net: PoseNet, image: np.ndarray, box_xywh: np.ndarray) -> np.ndarray:
    """(17,) scores from the part of the box that the picture still shows."""
    left, top, width, height = (float(value) for value in box_xywh)
    shown = np.array([[left, top, width, min(height, image.shape[0] - top)]], np.float32)
    people = net.estimate(image, Detections(xyxy_from_xywh(shown), np.ones(1, np.float32))).people
    return people.keypoint_scores[0]

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Persons of a COCO-format annotation file, and the split into training and validation images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pose_resnet_ros.checked_json import (
    BOX,
    FLAG,
    KEYPOINTS,
    NAME,
    NUMBER,
    SIZE,
    WHOLE,
    Field,
    checked_rows,
    coco_lists,
    is_number,
    list_in,
    read_json,
    require_unique,
)
from pose_resnet_ros.core.errors import DataFileError

PERSON_CATEGORY = "person"
NOT_TAUGHT = np.zeros((17, 3), np.float32)
TRUSTED_DISAGREEMENT = (0.02, 0.06)
"""Of the box's longer side: up to the first a teacher is trusted fully (it then hit 0.87 of our hand-marked joints), from
the second on not at all (below 0.4)."""
_IMAGE = {"id": WHOLE, "file_name": NAME, "width": SIZE, "height": SIZE}
_ANNOTATION = {"id": WHOLE, "image_id": WHOLE, "category_id": WHOLE, "bbox": BOX}
_CATEGORY = {"id": WHOLE, "name": NAME}
_OPTIONAL = {"iscrowd": FLAG, "keypoints": KEYPOINTS, "score": NUMBER}
_POSE = {
    "annotation_id": WHOLE,
    "disagreement": NUMBER,
    "keypoints": Field(
        "34 finite numbers: x and y of COCO's 17 joints",
        lambda value: isinstance(value, list) and len(value) == 34 and all(map(is_number, value)),
    ),
}


@dataclass(frozen=True, eq=False)
class Person:
    """One annotated person.

    annotation_id: the file's; box_xywh: (4,) float32 pixels, top-left corner and size; keypoints: (17, 3) float32 x, y,
    visibility (all zero if the person has none); taught: (17, 3) float32 x, y and trust in 0..1, what a teacher says of
    the same joints (all zero without one); score: the box's, 1 for hand-made ones; is_main: the person that its image
    was annotated for, or any person of a data set that makes no such difference.
    """

    annotation_id: int
    box_xywh: np.ndarray
    keypoints: np.ndarray
    taught: np.ndarray
    score: float
    is_main: bool

    @property
    def has_keypoints(self) -> bool:
        return bool((self.keypoints[:, 2] > 0).any())

    @property
    def is_taught(self) -> bool:
        return bool(self.taught[:, 2].mean() > 0.5)


@dataclass(frozen=True, eq=False)
class Photograph:
    """One image of the data set: size in pixels, and its persons (crowd regions left out)."""

    image_id: int
    file_name: str
    width: int
    height: int
    persons: tuple[Person, ...]


def load_photographs(annotations: Path, *, teacher: Path | None = None) -> list[Photograph]:
    """Every image of a COCO-format file in the order of the ids, also those without persons.

    teacher: a file of ``training.pose.label``. Raises DataFileError, which names the place of what is wrong.
    """
    coco = coco_lists(
        read_json(annotations),
        images=_IMAGE,
        annotations=_ANNOTATION,
        optional=_OPTIONAL,
        categories=_CATEGORY,
        where=annotations,
    )
    require_unique(coco["annotations"], "id", where=f"{annotations}: annotations")
    categories = {row["id"] for row in coco["categories"] if row["name"] == PERSON_CATEGORY}
    if not categories:
        raise DataFileError(f"{annotations}: categories: expected one named '{PERSON_CATEGORY}'")
    taught = load_taught(teacher) if teacher else {}
    persons: dict[int, list[Person]] = {}
    for row in coco["annotations"]:
        if row["category_id"] in categories and not row.get("iscrowd", 0):
            persons.setdefault(row["image_id"], []).append(_person(row, taught.get(row["id"], NOT_TAUGHT)))
    return [
        Photograph(i["id"], i["file_name"], i["width"], i["height"], tuple(persons.get(i["id"], ())))
        for i in sorted(coco["images"], key=lambda image: image["id"])
    ]


def split_by_id(
    photographs: list[Photograph], *, validation_count: int
) -> tuple[list[Photograph], list[Photograph]]:
    """(training, validation): the last ``validation_count`` ids are kept for validation."""
    if not 0 < validation_count < len(photographs):
        raise ValueError(f"validation_count: expected 1 to {len(photographs) - 1}, got {validation_count}")
    return photographs[:-validation_count], photographs[-validation_count:]


def load_taught(teacher: Path) -> dict[int, np.ndarray]:
    """(17, 3) x, y, trust by annotation id. Trust falls from 1 to 0 as what the teacher says of a person and of its
    mirror image comes to differ."""
    agreed, lost = TRUSTED_DISAGREEMENT
    taught = {}
    poses = list_in(read_json(teacher), "poses", where=teacher)
    for pose in checked_rows(poses, _POSE, where=f"{teacher}: poses"):
        trust = np.clip((lost - pose["disagreement"]) / (lost - agreed), 0, 1)
        points = np.asarray(pose["keypoints"], np.float32).reshape(17, 2)
        taught[pose["annotation_id"]] = np.column_stack([points, np.full(17, trust, np.float32)])
    return taught


def _person(row: dict, taught: np.ndarray) -> Person:
    keypoints = np.asarray(row.get("keypoints") or np.zeros(51), np.float32).reshape(17, 3)
    is_main = row.get("keypoint_source", "annotated") == "annotated" and "score" not in row
    return Person(
        annotation_id=row["id"],
        box_xywh=np.asarray(row["bbox"], np.float32),
        keypoints=keypoints,
        taught=taught,
        score=float(row.get("score", 1.0)),
        is_main=is_main,
    )

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Persons of a COCO-format annotation file, and the split into training and validation images."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
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
    are_numbers,
    check,
    coco_lists,
    read_json,
    require_unique,
)
from pose_resnet_ros.core.errors import DataFileError

PERSON_CATEGORY = "person"
TRUSTED_SCORE = (0.15, 0.45)
"""Of a teacher's joint: up to the first it is not believed, from the second on fully."""
TRUSTED_AGREEMENT = (0.4, 0.9)
"""The same for the share of the teacher's views that place the joint alike."""
ABSENT_SCORE = 0.2
BORDER_SHARE = 0.06
"""A joint below ABSENT_SCORE that the teacher puts within this share of the box's longer side of a border of the image,
or beyond it, is taken for cut off."""
_IMAGE = {"id": WHOLE, "file_name": NAME, "width": SIZE, "height": SIZE}
_ANNOTATION = {"id": WHOLE, "image_id": WHOLE, "category_id": WHOLE, "bbox": BOX}
_CATEGORY = {"id": WHOLE, "name": NAME}
_SHARES = Field("17 finite numbers, one for each of COCO's joints", partial(are_numbers, count=17))
_PLACES = Field("34 finite numbers: x and y of COCO's 17 joints", partial(are_numbers, count=34))
_OPTIONAL = {"iscrowd": FLAG, "keypoints": KEYPOINTS, "score": NUMBER, "teacher_score": _SHARES, "teacher_agree": _SHARES}


@dataclass(frozen=True, eq=False)
class Person:
    """One annotated person.

    annotation_id: the file's; box_xywh: (4,) float32 pixels, top-left corner and size; keypoints: (17, 3) float32 x, y,
    visibility (all zero if the person has none); taught: (17, 3) float32 x, y and trust in 0..1, what a teacher says of
    the same joints (all zero without one); absent: (17,) bool, joints cut off by the image's border; score: the box's, 1
    for hand-made ones; is_main: the person that its image was annotated for, or any person of a data set that makes no
    such difference.
    """

    annotation_id: int
    box_xywh: np.ndarray
    keypoints: np.ndarray
    taught: np.ndarray
    absent: np.ndarray
    score: float
    is_main: bool

    @property
    def has_keypoints(self) -> bool:
        return bool((self.keypoints[:, 2] > 0).any())

    @property
    def is_taught(self) -> bool:
        return bool(self.taught[:, 2].sum() >= 3)

    @property
    def located(self) -> np.ndarray:
        """(17, 3) float32 x, y and 1 where the joint's place is known, by the label or else by the teacher."""
        labelled = self.keypoints[:, 2:] > 0
        xy = np.where(labelled, self.keypoints[:, :2], self.taught[:, :2])
        known = labelled | (self.taught[:, 2:] > 0.3)
        return np.hstack([xy, known]).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Photograph:
    """One image of the data set: size in pixels, and its persons (crowd regions left out)."""

    image_id: int
    file_name: str
    width: int
    height: int
    persons: tuple[Person, ...]


def photograph_without_people(file_name: str) -> Photograph:
    """A picture of a set that needs no annotations; its size is not known."""
    return Photograph(0, file_name, 0, 0, ())


@dataclass(frozen=True, eq=False)
class Teaching:
    """A teacher's answers for one person: xy (17, 2) image pixels, score and agreement (17,) in 0..1."""

    xy: np.ndarray
    score: np.ndarray
    agreement: np.ndarray

    @property
    def trusted(self) -> np.ndarray:
        """(17, 3) float32 x, y, trust in 0..1."""
        trust = _ramp(self.score, TRUSTED_SCORE) * _ramp(self.agreement, TRUSTED_AGREEMENT)
        return np.column_stack([self.xy, trust]).astype(np.float32)

    def cut_off(self, box_xywh: np.ndarray, image_wh: tuple[int, int]) -> np.ndarray:
        """(17,) bool: joints of a low score that the teacher puts at or beyond a border of the image."""
        margin = BORDER_SHARE * float(box_xywh[2:].max())
        at_border = ((self.xy < margin) | (self.xy > np.array(image_wh) - margin)).any(1)
        return at_border & (self.score < ABSENT_SCORE)


def load_photographs(annotations: Path, *, teacher: Path | None = None) -> list[Photograph]:
    """Every image of a COCO-format file in the order of the ids, also those without persons.

    teacher: a file of ``training.pose.label``, beside what the annotations themselves carry as ``teacher_score`` and
    ``teacher_agree``. Raises DataFileError, which names the place of what is wrong.
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
    taught = load_teaching(teacher) if teacher else {}
    sizes = {image["id"]: (image["width"], image["height"]) for image in coco["images"]}
    persons: dict[int, list[Person]] = {}
    for row in coco["annotations"]:
        if row["category_id"] in categories and not row.get("iscrowd", 0):
            teaching = taught.get(row["id"]) or _own_teaching(row)
            persons.setdefault(row["image_id"], []).append(_person(row, teaching, sizes[row["image_id"]]))
    return [
        Photograph(i["id"], i["file_name"], i["width"], i["height"], tuple(persons.get(i["id"], ())))
        for i in sorted(coco["images"], key=lambda image: image["id"])
    ]


def split_by_id(photographs: list[Photograph], *, validation_count: int) -> tuple[list[Photograph], list[Photograph]]:
    """(training, validation): the last ``validation_count`` ids are kept for validation."""
    if not 0 < validation_count < len(photographs):
        raise ValueError(f"validation_count: expected 1 to {len(photographs) - 1}, got {validation_count}")
    return photographs[:-validation_count], photographs[-validation_count:]


def load_teaching(teacher: Path) -> dict[int, Teaching]:
    """A teacher's answers by annotation id, from ``{"id": [[x, y] * 17 flat, score * 17, agreement * 17]}``.

    Raises DataFileError, which names the place of what is wrong.
    """
    rows = read_json(teacher)
    if not isinstance(rows, dict):
        raise DataFileError(f"{teacher}: expected an object with a teacher's answers by annotation id")
    taught = {}
    for key, row in rows.items():
        where = f"{teacher}: {key}"
        if not (key.isdecimal() and isinstance(row, list) and len(row) == 3):
            raise DataFileError(f"{where}: expected an annotation id with three lists: places, scores, agreement")
        for part, field in zip(row, (_PLACES, _SHARES, _SHARES), strict=True):
            check(part, field, where=where)
        taught[int(key)] = _teaching(*row)
    return taught


def _teaching(xy: list[float], score: list[float], agreement: list[float]) -> Teaching:
    points = np.asarray(xy, np.float32).reshape(-1, 2)
    return Teaching(points, np.asarray(score, np.float32), np.asarray(agreement, np.float32))


def _own_teaching(row: dict) -> Teaching | None:
    """The teacher's answers in an annotation whose keypoints are a teacher's; None in others."""
    if not (row.get("keypoints") and {"teacher_score", "teacher_agree"} <= row.keys()):
        return None
    xy = np.asarray(row["keypoints"], np.float32).reshape(17, 3)[:, :2]
    return _teaching(xy.ravel().tolist(), row["teacher_score"], row["teacher_agree"])


def _person(row: dict, teaching: Teaching | None, image_wh: tuple[int, int]) -> Person:
    box = np.asarray(row["bbox"], np.float32)
    labelled = row.get("keypoints") and "teacher_score" not in row
    keypoints = np.asarray(row["keypoints"] if labelled else np.zeros(51), np.float32).reshape(17, 3)
    unlabelled = keypoints[:, 2] == 0
    is_main = row.get("keypoint_source", "annotated") == "annotated" and "score" not in row
    return Person(
        annotation_id=row["id"],
        box_xywh=box,
        keypoints=keypoints,
        taught=teaching.trusted if teaching else np.zeros((17, 3), np.float32),
        absent=teaching.cut_off(box, image_wh) & unlabelled if teaching else np.zeros(17, bool),
        score=float(row.get("score", 1.0)),
        is_main=is_main,
    )


def _ramp(values: np.ndarray, between: tuple[float, float]) -> np.ndarray:
    low, high = between
    return np.clip((values - low) / (high - low), 0, 1)

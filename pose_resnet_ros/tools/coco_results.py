# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Persons in COCO's results format (https://cocodataset.org/#format-results), which pycocotools reads."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pose_resnet_ros.core.boxes import xywh_from_xyxy
from pose_resnet_ros.core.errors import SettingsError
from pose_resnet_ros.core.oks import rescore
from pose_resnet_ros.core.types import People
from pose_resnet_ros.media import IMAGE_SUFFIXES, Picture

PERSON_CATEGORY = 1
Row = dict[str, Any]


def number_in_name(path: Path) -> int | None:
    """The number that a file name is, e.g. 139 for ``000000000139.jpg`` and ``COCO_val2014_000000000139.jpg``, else None."""
    match = re.fullmatch(r"(?:COCO_\w+_)?(\d+)", path.stem)
    return int(match[1]) if match else None


def is_image_file(path: Path) -> bool:
    """Is it a picture's file, and not a video's or a webcam's?"""
    return path.suffix.lower() in IMAGE_SUFFIXES


class ImageIds:
    """One number for each picture: the one its file name is, where that is free, else the next free one from 1."""

    def __init__(self) -> None:
        self._taken: set[int] = set()
        self._last = 0

    def take(self, path: Path) -> int:
        """The number of a new picture; a frame of a video or webcam is counted, whatever the video's name."""
        number = number_in_name(path) if is_image_file(path) else None
        if number is None or number in self._taken:
            number = self._next()
        self._taken.add(number)
        return number

    def _next(self) -> int:
        self._last += 1
        while self._last in self._taken:
            self._last += 1
        return self._last


def result_rows(people: People, *, picture: Picture, image_id: int, keypoint_threshold: float) -> list[Row]:
    """One row for each person, in order.

    people: with COCO's 17 joints. ``score``, which ranks persons, is the box's score times the mean of the keypoint scores
    above the threshold, as in the SimpleBaseline paper's evaluation; ``box_score`` is the detector's alone. ``keypoints``:
    x, y and raw score, 17 times. Persons in a video have ``frame``, counted from 0, and ``track_id`` where they are tracked.
    """
    scores = rescore(people.box_scores, people.keypoint_scores, keypoint_threshold=keypoint_threshold)
    boxes_xywh = xywh_from_xyxy(people.boxes_xyxy)
    frame = {} if is_image_file(picture.path) else {"frame": picture.index}
    return [
        {
            "image_id": image_id,
            "file_name": picture.path.name,
            **frame,
            "category_id": PERSON_CATEGORY,
            "bbox": _rounded(boxes_xywh[person]),
            "score": round(float(scores[person]), 5),
            "box_score": round(float(people.box_scores[person]), 5),
            "keypoints": _keypoints(people, person),
            **({"track_id": int(people.track_ids[person])} if people.track_ids[person] >= 0 else {}),
        }
        for person in range(len(people))
    ]


def write_rows(path: Path, rows: Iterable[Row]) -> None:
    """A JSON list, one row a line, written aside and then moved, so that no reader sees half a file.

    Raises SettingsError where the disk refuses.
    """
    text = "[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n"
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise SettingsError(f"json: cannot write {path}: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)


def _keypoints(people: People, person: int) -> list[float]:
    flat: list[float] = []
    for (x, y), score in zip(people.keypoints_xy[person], people.keypoint_scores[person], strict=True):
        flat += [round(float(x), 3), round(float(y), 3), round(float(score), 5)]
    return flat


def _rounded(values: Iterable[float]) -> list[float]:
    return [round(float(value), 3) for value in values]

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Persons in COCO's results format (https://cocodataset.org/#format-results), which pycocotools reads."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pose_resnet_ros.core.boxes import xywh_from_xyxy
from pose_resnet_ros.core.oks import rescore
from pose_resnet_ros.core.types import People
from pose_resnet_ros.media import Picture
from pose_resnet_ros.output_files import write_whole

PERSON_CATEGORY = 1
Row = dict[str, Any]


def number_in_name(path: Path) -> int | None:
    """The number that a file name is, e.g. 139 for ``000000000139.jpg`` and ``COCO_val2014_000000000139.jpg``, else None."""
    match = re.fullmatch(r"(?:COCO_\w+_)?(\d{1,18})", path.stem)
    return int(match[1]) if match else None


class ImageIds:
    """One number for each picture: the one its file name is, where that is free, else the next free one from 1."""

    def __init__(self) -> None:
        self._taken: set[int] = set()
        self._last = 0

    def take(self, picture: Picture) -> int:
        """The number of a new picture; a frame of a video or webcam is counted, whatever the video's name."""
        number = None if picture.is_frame else number_in_name(picture.path)
        if number is None or number in self._taken:
            number = self._next()
        self._taken.add(number)
        return number

    def _next(self) -> int:
        self._last += 1
        while self._last in self._taken:
            self._last += 1
        return self._last


def result_rows(
    people: People, *, picture: Picture, file_name: str, image_id: int, keypoint_threshold: float
) -> list[Row]:
    """One row for each person, in order.

    people: with COCO's 17 joints; file_name: what the picture is called in results. ``score``, which ranks persons, is the
    box's score times the mean of the keypoint scores above the threshold, as in the SimpleBaseline paper's evaluation;
    ``box_score`` is the detector's alone. ``keypoints``: x, y and raw score, 17 times. Persons in a video have ``frame``,
    counted from 0, and ``track_id`` where they are tracked; those in an image file of several pages have ``page``, from 0.
    """
    scores = rescore(people.box_scores, people.keypoint_scores, keypoint_threshold=keypoint_threshold)
    boxes_xywh = xywh_from_xyxy(people.boxes_xyxy)
    frame = {"frame": picture.index} if picture.is_frame else {}
    page = {} if picture.page is None else {"page": picture.page}
    return [
        {
            "image_id": image_id,
            "file_name": file_name,
            **frame,
            **page,
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
    """A JSON list, one row a line. Raises SettingsError where the disk refuses."""
    text = "[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n"
    write_whole(path, text.encode(), name="json")


def _keypoints(people: People, person: int) -> list[float]:
    flat: list[float] = []
    for (x, y), score in zip(people.keypoints_xy[person], people.keypoint_scores[person], strict=True):
        flat += [round(float(x), 3), round(float(y), 3), round(float(score), 5)]
    return flat


def _rounded(values: Iterable[float]) -> list[float]:
    return [round(float(value), 3) for value in values]

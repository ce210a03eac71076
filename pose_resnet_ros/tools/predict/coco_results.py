# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Persons in COCO's results format (https://cocodataset.org/#format-results), and the pictures that they are in, as COCO lists
them (https://cocodataset.org/#format-data), so that pycocotools reads both: ``COCO(images).loadRes(results)``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pose_resnet_ros.core.boxes import xywh_from_xyxy
from pose_resnet_ros.core.oks import rescore
from pose_resnet_ros.core.skeletons import COCO17, Skeleton, convert
from pose_resnet_ros.core.types import People
from pose_resnet_ros.media import Picture
from pose_resnet_ros.output_files import write_whole

if TYPE_CHECKING:
    from pose_resnet_ros.tools.predict.given_boxes import GivenBox

PERSON_CATEGORY = 1
Row = dict[str, Any]


def number_in_name(path: Path) -> int | None:
    """The number that a file name is, e.g. 139 for ``000000000139.jpg`` and ``COCO_val2014_000000000139.jpg``, else None."""
    match = re.fullmatch(r"(?:COCO_\w+_)?(\d{1,18})", path.stem)
    return int(match[1]) if match else None


def images_path(results: Path) -> Path:
    """Where the pictures of a results file are listed: persons.json -> persons.images.json."""
    return results.with_name(f"{results.stem}.images.json")


class CocoResults:
    """Persons and pictures of a run."""

    def __init__(self, skeleton: Skeleton, boxes: Sequence[GivenBox] = ()) -> None:
        """skeleton: of the people that will come; without COCO's joints nothing is kept. boxes: given ones, whose order and names
        the results have.
        """
        self._skeleton = skeleton
        self._boxes = boxes
        self._ids = ImageIds(box.image_id for box in boxes if box.image_id is not None)
        self._rows: dict[int, Row] = {}  # by place in the output
        self._images: dict[int, Row] = {}  # by id

    def add(
        self, people: People, picture: Picture, *, file_name: str, keypoint_threshold: float, places: Sequence[int] | None = None
    ) -> None:
        """A picture and everybody in it. file_name: what it is called in results; places: of the given boxes, one a person."""
        if not set(COCO17.joint_names) <= set(self._skeleton.joint_names):
            return
        coco = convert(people, native=self._skeleton, target=COCO17)
        image_id = self._ids.take(picture)
        rows = result_rows(coco, picture=picture, file_name=file_name, image_id=image_id, keypoint_threshold=keypoint_threshold)
        first = len(self._rows)
        for offset, row in enumerate(rows):
            place = first + offset if places is None else places[offset]
            self._rows[place] = {**row, **(self._boxes[place].named() if places is not None else {})}
        named: Row = dict(self._boxes[places[0]].named()) if places else {}
        image_id = named.get("image_id", image_id)
        height, width = picture.bgr.shape[:2]
        self._images[image_id] = {
            "id": image_id,
            "file_name": named.get("file_name", file_name),
            "width": width,
            "height": height,
            **_place_in_source(picture),
            "persons": len(people),
        }

    @property
    def rows(self) -> list[Row]:
        """Until now; with given boxes, in their order."""
        return [self._rows[place] for place in sorted(self._rows)]

    def write(self, path: Path) -> None:
        """Both files, one row a line. Raises SettingsError where the disk refuses."""
        write_whole(path, _listed(self.rows).encode(), name="json")
        if path.exists() and not path.is_file():
            return  # beside /dev/stdout there is no place
        category = {
            "id": PERSON_CATEGORY,
            "name": "person",
            "keypoints": list(COCO17.joint_names),
            "skeleton": [[a + 1, b + 1] for a, b in COCO17.edges],
        }
        text = (
            f'{{"info": {{}},\n"categories": [{json.dumps(category)}],\n"annotations": [],\n'
            f'"images": {_listed(self._images.values())}}}\n'
        )
        write_whole(images_path(path), text.encode(), name="json")


class ImageIds:
    """One number for each picture: the one its file name is, where that is free, else the next free one from 1."""

    def __init__(self, taken: Iterable[int] = ()) -> None:
        self._taken = set(taken)
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


def result_rows(people: People, *, picture: Picture, file_name: str, image_id: int, keypoint_threshold: float) -> list[Row]:
    """One row for each person, in order.

    people: with COCO's 17 joints; file_name: what the picture is called in results. ``score``, which ranks persons, is the
    box's score times the mean of the keypoint scores above the threshold, as in the SimpleBaseline paper's evaluation;
    ``box_score`` is the detector's alone. ``keypoints``: x, y and raw score, 17 times. Persons in a video have ``frame``,
    counted from 0, ``time_s``, seconds since the first frame, and ``track_id`` where they are tracked; those in an image file of
    several pages have ``page``, from 0.
    """
    scores = rescore(people.box_scores, people.keypoint_scores, keypoint_threshold=keypoint_threshold)
    boxes_xywh = xywh_from_xyxy(people.boxes_xyxy)
    return [
        {
            "image_id": image_id,
            "file_name": file_name,
            **_place_in_source(picture),
            "category_id": PERSON_CATEGORY,
            "bbox": _rounded(boxes_xywh[person]),
            "score": round(float(scores[person]), 5),
            "box_score": round(float(people.box_scores[person]), 5),
            "keypoints": _keypoints(people, person),
            **({"track_id": int(people.track_ids[person])} if people.track_ids[person] >= 0 else {}),
        }
        for person in range(len(people))
    ]


def _place_in_source(picture: Picture) -> Row:
    frame = {} if picture.time_s is None else {"frame": picture.index, "time_s": round(picture.time_s, 6)}
    return frame if picture.page is None else {**frame, "page": picture.page}


def _listed(rows: Iterable[Row]) -> str:
    return "[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n"


def _keypoints(people: People, person: int) -> list[float]:
    flat: list[float] = []
    for (x, y), score in zip(people.keypoints_xy[person], people.keypoint_scores[person], strict=True):
        flat += [round(float(x), 3), round(float(y), 3), round(float(score), 5)]
    return flat


def _rounded(values: Iterable[float]) -> list[float]:
    return [round(float(value), 3) for value in values]

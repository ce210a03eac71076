# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""People in COCO's results format (https://cocodataset.org/#format-results), and the images that they are in as COCO lists them
(https://cocodataset.org/#format-data), so that pycocotools reads both: ``COCO(images).loadRes(results)``.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pose_resnet_ros.core.boxes import xywh_from_xyxy
from pose_resnet_ros.core.skeletons import COCO17, Skeleton, convert
from pose_resnet_ros.core.types import People
from pose_resnet_ros.output_files import write_whole
from pose_resnet_ros.video.frames import Frame

if TYPE_CHECKING:
    from pose_resnet_ros.tools.predict.given_boxes import GivenBox

PERSON_CATEGORY = 1
Row = dict[str, Any]


def number_in_name(path: Path) -> int | None:
    """The number that a file name is, e.g. 139 for ``000000000139.jpg`` and ``COCO_val2014_000000000139.jpg``, else None."""
    match = re.fullmatch(r"(?:COCO_\w+_)?(\d{1,18})", path.stem)
    return int(match[1]) if match else None


def images_path(results: Path) -> Path:
    """Where the images of a results file are listed: people.json -> people.images.json."""
    return results.with_name(f"{results.stem}.images.json")


class CocoResults:
    """People and images of a run."""

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
        self, people: People, frame: Frame, *, file_name: str, keypoint_threshold: float, places: Sequence[int] | None = None
    ) -> None:
        """An image and the people in it. file_name: its name in the results; places: of the given boxes, one per person."""
        if not set(COCO17.joint_names) <= set(self._skeleton.joint_names):
            return
        coco = convert(people, native=self._skeleton, target=COCO17)
        image_id = self._ids.take(frame)
        rows = result_rows(coco, frame=frame, file_name=file_name, image_id=image_id, keypoint_threshold=keypoint_threshold)
        if places is None:
            self._rows |= dict(enumerate(rows, start=len(self._rows)))
        else:
            named = {place: self._boxes[place].named() for place in places}
            self._rows |= {place: {**row, **named[place]} for place, row in zip(places, rows, strict=True)}
        known: Row = {"id": image_id, "file_name": file_name}
        if places:
            first = self._boxes[places[0]].named()
            known = {"id": first.get("image_id", image_id), "file_name": first.get("file_name", file_name)}
        height, width = frame.bgr.shape[:2]
        place = _place_in_source(frame)
        self._images[known["id"]] = {**known, "width": width, "height": height, **place, "persons": len(people)}

    @property
    def rows(self) -> list[Row]:
        """Until now; with given boxes, in their order."""
        return [self._rows[place] for place in sorted(self._rows)]

    def write(self, path: Path) -> None:
        """Both files, one row a line. Raises SettingsError if the disk refuses."""
        write_whole(path, _listed(self.rows).encode(), name="json")
        if path.exists() and not path.is_file():
            return  # beside /dev/stdout there is no place
        edges = [[start + 1, end + 1] for start, end in COCO17.edges]
        category = {"id": PERSON_CATEGORY, "name": "person", "keypoints": list(COCO17.joint_names), "skeleton": edges}
        head = f'{{"info": {{}},\n"categories": [{json.dumps(category)}],\n"annotations": [],\n"images": '
        write_whole(images_path(path), f"{head}{_listed(self._images.values())}}}\n".encode(), name="json")


class ImageIds:
    """One number for each image: the one its file name is, if that is free, else the next free one from 1."""

    def __init__(self, taken: Iterable[int] = ()) -> None:
        self._taken = set(taken)
        self._last = 0

    def take(self, frame: Frame) -> int:
        """The number of a new image; frames of a video or a camera are counted, whatever its name is."""
        number = None if frame.is_video else number_in_name(frame.path)
        while number is None or number in self._taken:
            self._last = number = self._last + 1
        self._taken.add(number)
        return number


class ImageNames:
    """Names of images in results: the path from the deepest folder that holds all inputs, so that no two are alike. Of ``predict
    holiday`` it is ``a.jpg``; of ``predict summer winter`` it is ``summer/a.jpg``.
    """

    def __init__(self, inputs: Iterable[str]) -> None:
        """inputs: as given; cameras and addresses among them keep their names."""
        paths = [os.path.abspath(text) for text in inputs if os.path.exists(text)]
        folders = [path if os.path.isdir(path) else os.path.dirname(path) for path in paths]
        self._root = os.path.commonpath(folders) if folders else ""

    def of(self, path: Path) -> str:
        """For the path of a ``Frame``."""
        return Path(os.path.relpath(path, self._root)).as_posix() if path.exists() else str(path)


def result_rows(people: People, *, frame: Frame, file_name: str, image_id: int, keypoint_threshold: float) -> list[Row]:
    """One row for each person, in order.

    people: with COCO's 17 joints. ``score``, which ranks people, is the box's score times the mean of the keypoint scores above
    the threshold, as in the SimpleBaseline paper's evaluation; ``box_score`` is the person's score (``verify_persons``).
    ``keypoints``: x, y and raw score, 17 times. People in a video have ``frame``, counted from 0, ``time_s``, seconds since the
    first frame, and ``track_id`` if they are tracked; those in an image file of several pages have ``page``, from 0.
    """
    scores = people.rescored(keypoint_threshold)
    boxes_xywh = xywh_from_xyxy(people.boxes_xyxy)
    return [
        {
            "image_id": image_id,
            "file_name": file_name,
            **_place_in_source(frame),
            "category_id": PERSON_CATEGORY,
            "bbox": _rounded(boxes_xywh[person], 3),
            "score": round(float(scores[person]), 5),
            "box_score": round(float(people.box_scores[person]), 5),
            "keypoints": _keypoints(people.keypoints_xy[person], people.keypoint_scores[person]),
            **({"track_id": int(people.track_ids[person])} if people.track_ids[person] >= 0 else {}),
        }
        for person in range(len(people))
    ]


def _place_in_source(frame: Frame) -> Row:
    place = {} if frame.time_s is None else {"frame": frame.index, "time_s": round(frame.time_s, 6)}
    return place if frame.page is None else {**place, "page": frame.page}


def _listed(rows: Iterable[Row]) -> str:
    return "[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n"


def _keypoints(points_xy: np.ndarray, scores: np.ndarray) -> list[float]:
    return [value for xy, score in zip(points_xy, scores, strict=True) for value in (*_rounded(xy, 3), *_rounded([score], 5))]


def _rounded(values: Iterable[float], digits: int) -> list[float]:
    return [round(float(value), digits) for value in values]

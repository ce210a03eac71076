# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Boxes from a file in place of a detector: a COCO annotation file, or a list of objects."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pose_resnet_ros.checked_json import BOX, NAME, NUMBER, SIZE, WHOLE, Row, checked_rows, coco_lists, read_json
from pose_resnet_ros.core.boxes import touches_image
from pose_resnet_ros.core.errors import DataFileError, ImageError
from pose_resnet_ros.core.types import Detections
from pose_resnet_ros.tools.predict.coco_results import PERSON_CATEGORY, number_in_name
from pose_resnet_ros.video.frames import Frame

_IMAGE = {"id": WHOLE, "file_name": NAME}
_OPTIONAL = {"file_name": NAME, "image_id": WHOLE, "category_id": WHOLE, "score": NUMBER}


@dataclass(frozen=True)
class GivenBox:
    """One box: bbox_xywh in pixels; image_id and file_name: at least one is there; image_wh: the size of the image, where a
    COCO file declares it.
    """

    bbox_xywh: tuple[float, float, float, float]
    score: float
    image_id: int | None
    file_name: str | None
    image_wh: tuple[int, int] | None = None

    def named(self) -> dict[str, int | str]:
        """What the file says of the image."""
        known = {"image_id": self.image_id, "file_name": self.file_name}
        return {key: value for key, value in known.items() if value is not None}


class GivenBoxes:
    """All boxes of a file, in its order."""

    def __init__(self, boxes: Sequence[GivenBox]) -> None:
        self.boxes = tuple(boxes)
        self._seen: set[int] = set()  # those whose image came
        self._by_name: dict[str, list[int]] = {}
        self._by_id: dict[int, list[int]] = {}
        for index, box in enumerate(boxes):
            if box.file_name is not None:
                self._by_name.setdefault(os.path.normpath(box.file_name), []).append(index)
            elif box.image_id is not None:
                self._by_id.setdefault(box.image_id, []).append(index)

    def indices_of(self, image: Path) -> list[int]:
        """Places in ``boxes`` of those that belong to an image: whose file_name is the end of its path, or whose image_id is the
        number that its name is.
        """
        named = [index for name in _ends(image) for index in self._by_name.get(name, [])]
        number = number_in_name(image)
        return sorted(named + (self._by_id.get(number, []) if number is not None else []))

    def require_clear(self, images: Iterable[Path]) -> None:
        """Raises DataFileError where boxes belong to several images."""
        owner: dict[int, Path] = {}
        for image in images:
            for index in self.indices_of(image):
                first = owner.setdefault(index, image)
                if os.path.abspath(first) != os.path.abspath(image):
                    raise DataFileError(
                        f"boxes: box {index} with {self.boxes[index].named()} matches {first} and {image}; give each box a"
                        " file_name with enough folders to identify its image"
                    )

    def for_frame(self, frame: Frame) -> tuple[list[int], list[int]]:
        """Places of the boxes of an image: those that touch it, and those that do not.

        Raises ImageError if the boxes cannot be for this image.
        """
        places = self.indices_of(frame.path)
        self._seen.update(places)
        if places and frame.page is not None:
            raise ImageError(f"{frame.path}: has several pages, and the boxes do not say which is theirs")
        height, width = frame.bgr.shape[:2]
        for declared_wh in {self.boxes[place].image_wh or (width, height) for place in places} - {(width, height)}:
            raise ImageError(
                f"{frame.path}: has {width} x {height} pixels (upright, if it has an EXIF orientation), but its boxes are for"
                f" {' x '.join(map(str, declared_wh))}"
            )
        usable = touches_image(self.detections(places).boxes_xyxy, width=width, height=height)
        return [p for p, good in zip(places, usable, strict=True) if good], [places[k] for k in np.flatnonzero(~usable)]

    def left(self) -> list[GivenBox]:
        """Those that belonged to no image so far."""
        return [box for place, box in enumerate(self.boxes) if place not in self._seen]

    def detections(self, indices: Sequence[int]) -> Detections:
        """Those boxes as detections, row by row."""
        xywh = np.array([self.boxes[index].bbox_xywh for index in indices], np.float64).reshape(-1, 4)
        corners = np.hstack([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]]).astype(np.float32)
        return Detections(corners, np.array([self.boxes[index].score for index in indices], np.float32))


def read_boxes(path: Path) -> GivenBoxes:
    """Read a file of boxes.

    A row without ``score`` has score 1; of a COCO annotation file the persons (category 1) count.
    Raises DataFileError that names the place of what is wrong.
    """
    data = read_json(path)
    if isinstance(data, list):
        rows = checked_rows(data, {"bbox": BOX}, optional=_OPTIONAL, where=path)
        _require_image(rows, path)
        return GivenBoxes([_given_box(row, {}) for row in rows])
    fields = {"image_id": WHOLE, "bbox": BOX}
    coco = coco_lists(data, images=_IMAGE, annotations=fields, optional=_OPTIONAL, where=path)
    images = {image["id"]: image for image in coco["images"]}
    persons = [row for row in coco["annotations"] if row.get("category_id", PERSON_CATEGORY) == PERSON_CATEGORY]
    return GivenBoxes([_given_box(row, images) for row in persons])


def _ends(image: Path) -> list[str]:
    """``/a/b.png``, ``a/b.png`` and ``b.png``, for the image b.png."""
    path = Path(os.path.abspath(image))
    return [str(path), *(os.path.join(*path.parts[start:]) for start in range(1, len(path.parts)))]


def _require_image(rows: Sequence[Row], path: Path) -> None:
    for index, row in enumerate(rows):
        if "file_name" not in row and "image_id" not in row:
            raise DataFileError(f"{path}[{index}]: expected file_name or image_id, got neither")


def _given_box(row: Row, images: Mapping[int, Row]) -> GivenBox:
    x, y, width, height = map(float, row["bbox"])
    image_id = int(row["image_id"]) if "image_id" in row else None
    image = images.get(image_id, {}) if image_id is not None else {}
    name = row.get("file_name", image.get("file_name"))
    return GivenBox((x, y, width, height), float(row.get("score", 1.0)), image_id, name, _size_wh(image))


def _size_wh(image: Row) -> tuple[int, int] | None:
    width, height = image.get("width", 0), image.get("height", 0)
    return (int(width), int(height)) if SIZE.holds(width) and SIZE.holds(height) else None

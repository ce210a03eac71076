# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Boxes from a file in place of a detector: a COCO annotation file, or a list of objects."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pose_resnet_ros.core.errors import SettingsError
from pose_resnet_ros.core.types import Detections
from pose_resnet_ros.tools.coco_results import PERSON_CATEGORY, number_in_name

_EXPECTED = (
    'expected a COCO annotation file ({"images": [...], "annotations": [...]}),'
    ' or a list of objects with "file_name" or "image_id", and "bbox" [x, y, width, height]'
)


@dataclass(frozen=True)
class GivenBox:
    """One box: bbox_xywh in pixels; image_id and file_name: at least one is there."""

    bbox_xywh: tuple[float, float, float, float]
    score: float
    image_id: int | None
    file_name: str | None

    def named(self) -> dict[str, int | str]:
        """What the file says of the picture."""
        known = {"image_id": self.image_id, "file_name": self.file_name}
        return {key: value for key, value in known.items() if value is not None}


class GivenBoxes:
    """All boxes of a file, in its order."""

    def __init__(self, boxes: Sequence[GivenBox]) -> None:
        self.boxes = tuple(boxes)
        self._by_name: dict[str, list[int]] = {}
        self._by_id: dict[int, list[int]] = {}
        for index, box in enumerate(boxes):
            if box.file_name is not None:
                self._by_name.setdefault(Path(box.file_name).name, []).append(index)
            elif box.image_id is not None:
                self._by_id.setdefault(box.image_id, []).append(index)

    def indices_of(self, picture: Path) -> list[int]:
        """Places in ``boxes`` of those that belong to a picture: by its name, or by the number that its name is."""
        number = number_in_name(picture)
        by_id = self._by_id.get(number, []) if number is not None else []
        return sorted(self._by_name.get(picture.name, []) + by_id)

    def detections(self, indices: Sequence[int]) -> Detections:
        """Those boxes as detections, row by row."""
        xywh = np.array([self.boxes[index].bbox_xywh for index in indices], np.float64).reshape(-1, 4)
        corners = np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1).astype(np.float32)
        return Detections(corners, np.array([self.boxes[index].score for index in indices], np.float32))


def read_boxes(path: Path) -> GivenBoxes:
    """Read a file of boxes.

    A row without ``score`` has score 1; of a COCO annotation file the persons (category 1) count.
    Raises SettingsError that names the row at fault.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"boxes: {path} cannot be read as JSON ({error}); {_EXPECTED}") from error
    rows, names = _rows_and_names(data, path)
    return GivenBoxes([_given_box(row, names, f"{path}, box {index}") for index, row in enumerate(rows)])


def _rows_and_names(data: Any, path: Path) -> tuple[list[Any], dict[int, str]]:
    if isinstance(data, list):
        return data, {}
    if (
        isinstance(data, Mapping)
        and isinstance(data.get("annotations"), list)
        and isinstance(data.get("images"), list)
    ):
        try:
            names = {image["id"]: image["file_name"] for image in data["images"]}
        except (KeyError, TypeError) as error:
            raise SettingsError(f"boxes: {path} has images without id or file_name; {_EXPECTED}") from error
        return [row for row in data["annotations"] if _may_be_person(row)], names
    raise SettingsError(f"boxes: {path} holds something else; {_EXPECTED}")


def _may_be_person(row: Any) -> bool:
    return not isinstance(row, Mapping) or row.get("category_id", PERSON_CATEGORY) == PERSON_CATEGORY


def _given_box(row: Any, names: Mapping[int, str], where: str) -> GivenBox:
    if not isinstance(row, Mapping) or ("file_name" not in row and "image_id" not in row):
        raise SettingsError(f"boxes: {where} has neither file_name nor image_id; {_EXPECTED}")
    image_id: int | None = row.get("image_id")
    named = names.get(image_id) if image_id is not None else None
    return GivenBox(_xywh(row, where), _score(row, where), image_id, row.get("file_name", named))


def _score(row: Mapping[str, Any], where: str) -> float:
    score = row.get("score", 1.0)
    if not isinstance(score, (int, float)) or not math.isfinite(score):
        raise SettingsError(f"boxes: {where} has score {score!r}; expected a number, or no score")
    return float(score)


def _xywh(row: Mapping[str, Any], where: str) -> tuple[float, float, float, float]:
    try:
        x, y, width, height = (float(value) for value in row["bbox"])
    except (KeyError, TypeError, ValueError) as error:
        raise SettingsError(f"boxes: {where} has no bbox of four numbers; {_EXPECTED}") from error
    if not all(map(math.isfinite, (x, y, width, height))) or width <= 0 or height <= 0:
        raise SettingsError(
            f"boxes: {where} has bbox {row['bbox']}; expected finite numbers, width and height above 0"
        )
    return x, y, width, height

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""JSON files that users hand over (COCO annotations, results, boxes), checked before anything is done with them.

::

    coco = coco_lists(read_json(path), images={"id": WHOLE}, annotations={"image_id": WHOLE, "bbox": BOX}, where=path)
    rows = checked_rows(read_json(other), {"image_id": WHOLE, "score": NUMBER}, where=other)

Any error raises DataFileError: one sentence with the file, the place (``annotations[3].bbox``), what was expected and what is
there.
"""

from __future__ import annotations

import json
import reprlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pose_resnet_ros.core.errors import DataFileError

MAX_BYTES = 1 << 30  # COCO's largest annotation file has 0.47e9
_LARGEST = 1e12  # for coordinates, areas and the like: float32 can represent it, and no image comes near
_MISSING = object()
Row = dict[str, Any]


@dataclass(frozen=True)
class Field:
    """What a value must be: in words, and as a test of any JSON value."""

    expected: str
    holds: Callable[[Any], bool]


def is_number(value: Any) -> bool:
    """Whether it is a finite number of a plausible size; true and false are not."""
    return type(value) in (int, float) and -_LARGEST <= value <= _LARGEST


def is_whole(value: Any) -> bool:
    """Whether it is an integer of at most 63 bits, also if written as 7.0."""
    return (type(value) is int and abs(value) < 1 << 63) or (is_number(value) and value == int(value))


def are_numbers(value: Any, count: int) -> bool:
    """Whether it is a list of this many finite numbers."""
    return isinstance(value, list) and len(value) == count and all(map(is_number, value))


NUMBER = Field("a finite number", is_number)
WHOLE = Field("an integer", is_whole)
SIZE = Field("an integer above 0", lambda value: is_whole(value) and value > 0)
FLAG = Field("0 or 1", lambda value: value in (0, 1))
NAME = Field("a name", lambda value: isinstance(value, str) and value != "" and "\0" not in value)
BOX = Field("four finite numbers: x, y, width, height", lambda value: are_numbers(value, 4))
KEYPOINTS = Field(
    "51 finite numbers (x, y and visibility of COCO's 17 joints), or an empty list",
    lambda value: value == [] or are_numbers(value, 51),
)


def read_json(path: Path) -> Any:
    """The content of a JSON file in any Unicode encoding. Raises DataFileError, also for a file above ``MAX_BYTES``."""
    try:
        if path.exists() and not path.is_file():
            raise DataFileError(f"{path}: expected a JSON file; this is a folder, a pipe or a device")
        if path.stat().st_size > MAX_BYTES:
            raise DataFileError(f"{path}: expected a JSON file of at most {MAX_BYTES >> 20} MiB")
        return json.loads(path.read_bytes())
    except OSError as error:
        raise DataFileError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:  # also UnicodeDecodeError, and numbers of more digits than Python converts
        raise DataFileError(f"{path}: not a JSON file: {error}") from error
    except RecursionError as error:
        raise DataFileError(f"{path}: nested too deeply for a file of annotations, boxes or results") from error
    except MemoryError as error:
        raise DataFileError(f"{path}: too large for this machine's memory") from error


def coco_lists(
    data: Any,
    *,
    images: Mapping[str, Field],
    annotations: Mapping[str, Field],
    optional: Mapping[str, Field] | None = None,
    categories: Mapping[str, Field] | None = None,
    where: object,
) -> dict[str, list[Row]]:
    """The lists ``images``, ``annotations`` and ``categories`` of a COCO annotation file, with at least these fields.

    data: from ``read_json``. Every image has a unique id, and every annotation the id of an image. optional: of
    annotations; categories: None where they are not needed. Format: https://cocodataset.org/#format-data.
    """
    wanted = {"images": images, "annotations": annotations, "categories": categories}
    lists = {name: list_in(data, name, where=where) for name, fields in wanted.items() if fields is not None}
    for name, rows in lists.items():
        more = optional if name == "annotations" else None
        checked_rows(rows, wanted[name] or {}, optional=more, where=f"{where}: {name}")
    require_unique(lists["images"], "id", where=f"{where}: images")
    known = {image["id"] for image in lists["images"]}
    for index, row in enumerate(lists["annotations"]):
        if row["image_id"] not in known:
            place = f"{where}: annotations[{index}].image_id"
            raise DataFileError(f"{place}: expected the id of an image, got {row['image_id']!r}")
    return lists


def list_in(data: Any, key: str, *, where: object) -> list[Any]:
    """The list under a key of the outermost object. Raises DataFileError if there is none."""
    if not isinstance(data, Mapping):
        raise DataFileError(f"{where}: expected an object with '{key}', got {_shown(data)}")
    if not isinstance(data.get(key), list):
        raise DataFileError(f"{where}: {key}: expected a list, got {_shown(data.get(key, _MISSING))}")
    return data[key]


def checked_rows(
    rows: Any, fields: Mapping[str, Field], *, where: object, optional: Mapping[str, Field] | None = None
) -> list[Row]:
    """The rows, each an object with these fields; ``optional`` ones may be absent, others are ignored.

    where: what messages begin with, the file and the name of the list.
    """
    optional = optional or {}
    if not isinstance(rows, list):
        raise DataFileError(f"{where}: expected a list of objects, got {_shown(rows)}")
    for index, row in enumerate(rows):
        if not isinstance(row, dict):
            raise DataFileError(f"{where}[{index}]: expected an object, got {_shown(row)}")
        for name, field in fields.items():
            check(row.get(name, _MISSING), field, where=f"{where}[{index}].{name}")
        for name, field in optional.items():
            if name in row:
                check(row[name], field, where=f"{where}[{index}].{name}")
    return rows


def check(value: Any, field: Field, *, where: object) -> None:
    """Raises DataFileError if the value does not fit the field."""
    if not field.holds(value):
        raise DataFileError(f"{where}: expected {field.expected}, got {_shown(value)}")


def require_unique(rows: Sequence[Row], name: str, *, where: object) -> None:
    """Raises DataFileError if two rows have the same value in a field."""
    seen: dict[Any, int] = {}
    for index, row in enumerate(rows):
        first = seen.setdefault(row[name], index)
        if first != index:
            raise DataFileError(f"{where}[{index}].{name}: expected a unique value, got {row[name]!r} as in [{first}]")


def _shown(value: Any) -> str:
    if value is _MISSING:
        return "nothing"
    if isinstance(value, dict):
        return "an object"
    text = reprlib.repr(value)
    return f"{text} ({len(value)} values)" if isinstance(value, list) and len(value) > 6 else text

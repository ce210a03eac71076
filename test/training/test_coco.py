# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pose_resnet_ros.core.errors import DataFileError
from training.coco import load_photographs, load_teaching


def data(**changes: Any) -> dict[str, Any]:
    return {
        "images": [{"id": 7, "file_name": "7.jpg", "width": 64, "height": 48}],
        "annotations": [{"id": 0, "image_id": 7, "category_id": 2, "bbox": [1, 2, 3, 4]}],
        "categories": [{"id": 2, "name": "person"}],
        **changes,
    }


def test_persons_with_and_without_keypoints(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(data()))
    (photograph,) = load_photographs(tmp_path / "a.json")
    (person,) = photograph.persons
    assert (photograph.width, person.annotation_id, person.has_keypoints) == (64, 0, False)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"categories": [{"id": 1, "name": "dog"}]}, "categories: expected one named 'person'"),
        ({"annotations": data()["annotations"] * 2}, r"annotations\[1\]\.id: expected a unique value"),
        ({"annotations": [data()["annotations"][0] | {"keypoints": [0] * 54}]}, r"annotations\[0\]\.keypoints"),
        ({"images": []}, r"annotations\[0\]\.image_id: expected the id of an image, got 7"),
        ({"images": [{"id": 7, "file_name": "7.jpg"}]}, r"images\[0\]\.width"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    (tmp_path / "a.json").write_text(json.dumps(data(**changes)))
    with pytest.raises(DataFileError, match=message):
        load_photographs(tmp_path / "a.json")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "expected an object"),
        ({"x": [[0.0] * 34, [0.5] * 17, [1.0] * 17]}, "x: expected an annotation id"),
        ({"1": [[0.0] * 34, [0.5] * 17]}, "1: expected an annotation id with three lists"),
        ({"1": [[0.0] * 33, [0.5] * 17, [1.0] * 17]}, "1: expected 34 finite numbers"),
        ({"1": [[0.0] * 34, [0.5] * 17, ["a"] * 17]}, "1: expected 17 finite numbers"),
    ],
)
def test_a_teachers_file_is_checked_too(tmp_path: Path, rows: object, message: str) -> None:
    (tmp_path / "t.json").write_text(json.dumps(rows))
    with pytest.raises(DataFileError, match=message):
        load_teaching(tmp_path / "t.json")

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pose_resnet_ros.core.errors import SettingsError
from pose_resnet_ros.tools.given_boxes import GivenBoxes, read_boxes


def boxes_of(tmp_path: Path, data: Any) -> GivenBoxes:
    path = tmp_path / "boxes.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    return read_boxes(path)


def test_a_list_by_file_name_and_by_number(tmp_path: Path) -> None:
    rows = [
        {"file_name": "a.jpg", "bbox": [1, 2, 3, 4]},
        {"image_id": 7, "bbox": [10, 20, 30, 40], "score": 0.5},
        {"file_name": "folder/a.jpg", "bbox": [5, 6, 7, 8]},
    ]
    given = boxes_of(tmp_path, rows)
    assert given.indices_of(Path("/pictures/a.jpg")) == [0, 2]
    assert given.indices_of(Path("/pictures/000007.png")) == [1]
    assert given.indices_of(Path("b.jpg")) == []
    detections = given.detections([1, 0])
    np.testing.assert_array_equal(detections.boxes_xyxy, [[10, 20, 40, 60], [1, 2, 4, 6]])
    np.testing.assert_array_equal(detections.scores, np.float32([0.5, 1.0]))
    assert len(given.detections([])) == 0


def test_a_coco_annotation_file(tmp_path: Path) -> None:
    data = {
        "images": [{"id": 3, "file_name": "three.jpg"}, {"id": 9, "file_name": "nine.jpg"}],
        "categories": [{"id": 1, "name": "person"}, {"id": 18, "name": "dog"}],
        "annotations": [
            {"id": 1, "image_id": 9, "category_id": 1, "bbox": [1, 1, 2, 2]},
            {"id": 2, "image_id": 3, "category_id": 18, "bbox": [5, 5, 5, 5]},
            {"id": 3, "image_id": 3, "category_id": 1, "bbox": [3, 3, 4, 4]},
        ],
    }
    given = boxes_of(tmp_path, data)
    assert [box.named() for box in given.boxes] == [
        {"image_id": 9, "file_name": "nine.jpg"},
        {"image_id": 3, "file_name": "three.jpg"},
    ]
    assert given.indices_of(Path("three.jpg")) == [1]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"boxes": []}, "holds something else"),
        ("text", "holds something else"),
        ([{"bbox": [1, 2, 3, 4]}], "box 0 has neither file_name nor image_id"),
        ([[1, 2, 3, 4]], "box 0 has neither"),
        ([{"image_id": 1}], "box 0 has no bbox of four numbers"),
        ([{"image_id": 1, "bbox": [1, 2, 3]}], "no bbox of four numbers"),
        ([{"image_id": 1, "bbox": [1, 2, 3, "x"]}], "no bbox of four numbers"),
        (
            [{"image_id": 1, "bbox": [1, 2, 3, 4]}, {"image_id": 1, "bbox": [1, 2, 0, 4]}],
            r"box 1 has bbox \[1, 2, 0, 4\]",
        ),
        ([{"image_id": 1, "bbox": [1, 2, float("nan"), 4]}], "box 0 has bbox"),
        (
            [{"image_id": 1, "bbox": [1, 2, 3, 4], "score": "high"}],
            "box 0 has score 'high'; expected a number",
        ),
        ([{"image_id": 1, "bbox": [1, 2, 3, 4], "score": None}], "box 0 has score None"),
        ({"images": [{"id": 1}], "annotations": []}, "has images without id or file_name"),
        ({"images": [], "annotations": [3]}, "box 0 has neither"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, data: Any, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        boxes_of(tmp_path, data)


def test_a_file_that_is_no_json(tmp_path: Path) -> None:
    path = tmp_path / "boxes.json"
    path.write_text("{", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"boxes\.json cannot be read as JSON"):
        read_boxes(path)
    with pytest.raises(SettingsError, match=r"none\.json cannot be read"):
        read_boxes(tmp_path / "none.json")

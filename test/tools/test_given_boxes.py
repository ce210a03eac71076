# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pose_resnet_ros.core.errors import DataFileError
from pose_resnet_ros.tools.predict.given_boxes import GivenBoxes, read_boxes


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
    assert given.indices_of(Path("/pictures/a.jpg")) == [0]
    assert given.indices_of(Path("/pictures/folder/a.jpg")) == [0, 2]
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
        ({"boxes": []}, "images: expected a list, got nothing"),
        ("text", "expected an object with 'images', got 'text'"),
        ([{"bbox": [1, 2, 3, 4]}], r"\[0\]: expected file_name or image_id, got neither"),
        ([[1, 2, 3, 4]], r"\[0\]: expected an object, got \[1, 2, 3, 4\]"),
        ([{"image_id": 1}], r"\[0\]\.bbox: expected four finite numbers.*, got nothing"),
        ([{"image_id": 1, "bbox": [1, 2, 3]}], r"\[0\]\.bbox: expected four finite numbers"),
        ([{"image_id": 1, "bbox": [1, 2, 3, "x"]}], r"got \[1, 2, 3, 'x'\]"),
        ([{"image_id": 1, "bbox": [1, 2, float("nan"), 4]}], r"\[0\]\.bbox"),
        ([{"image_id": [1], "bbox": [1, 2, 3, 4]}], r"\[0\]\.image_id: expected an integer, got \[1\]"),
        ([{"image_id": 1, "bbox": [1, 2, 3, 4], "score": "high"}], r"\[0\]\.score: expected a finite number, got 'high'"),
        ([{"image_id": 1, "bbox": [1, 2, 3, 4], "score": None}], r"score: .* got None"),
        ({"images": [{"id": 1}], "annotations": []}, r"images\[0\]\.file_name: expected a name, got nothing"),
        ({"images": [], "annotations": [3]}, r"annotations\[0\]: expected an object, got 3"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, data: Any, message: str) -> None:
    with pytest.raises(DataFileError, match=f"boxes.json.*{message}"):
        boxes_of(tmp_path, data)


def test_boxes_belong_to_the_picture_whose_path_ends_as_they_say(tmp_path: Path) -> None:
    names = ["a/1.png", "./b/1.png", "/data/c/1.png", "c/1.png", "1.PNG"]
    given = boxes_of(tmp_path, [{"file_name": name, "bbox": [1, 2, 3, 4]} for name in names])
    pictures = [Path("/data/a/1.png"), Path("/data/b/1.png"), Path("/data/c/1.png"), Path("/x/c/1.png")]
    assert [given.indices_of(picture) for picture in pictures] == [[0], [1], [2, 3], [3]]
    given.require_clear(pictures[:3])
    given.require_clear([*pictures[:3], Path("/data/b/../a/1.png")])  # the same picture again
    with pytest.raises(DataFileError, match=r"box 3 .*'c/1\.png'.* matches /data/c/1\.png and /x/c/1\.png; give each"):
        given.require_clear(pictures)


@pytest.mark.parametrize("row", [{"file_name": "1.png"}, {"image_id": 1}])
def test_a_box_that_fits_two_pictures_is_refused(tmp_path: Path, row: dict[str, Any]) -> None:
    given = boxes_of(tmp_path, [row | {"bbox": [1, 2, 3, 4]}])
    with pytest.raises(DataFileError, match=r"matches a/1\.png and b/1\.png"):
        given.require_clear([Path("a/1.png"), Path("b/1.png")])

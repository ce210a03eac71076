# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pose_resnet_ros.core.skeletons import COCO17
from pose_resnet_ros.core.types import People
from pose_resnet_ros.tools.predict.coco_results import CocoResults, ImageIds, images_path, number_in_name, result_rows
from pose_resnet_ros.tools.predict.given_boxes import GivenBox
from pose_resnet_ros.video.frames import Frame


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("000000000139.jpg", 139),
        ("7.png", 7),
        ("COCO_val2014_000000000042.jpg", 42),
        ("a7.png", None),
        ("frame_3.png", None),
        ("1.5.png", None),
    ],
)
def test_number_in_a_file_name(name: str, number: int | None) -> None:
    assert number_in_name(Path("/folder/12") / name) == number


def test_every_picture_has_a_number_of_its_own() -> None:
    ids = ImageIds()
    names = ["a.jpg", "2.jpg", "b.jpg", "2.png", "000139.jpg", "c.jpg", f"{10**30}.jpg"]
    assert [ids.take(picture(name)) for name in names] == [1, 2, 3, 4, 139, 5, 6]


def test_frames_of_a_video_are_counted() -> None:
    ids = ImageIds()
    assert [ids.take(picture("12.mp4", time_s=0.0)) for _ in range(3)] == [1, 2, 3]
    assert ids.take(picture("0", time_s=0.0)) == 4


def people(track_id: int = -1) -> People:
    scores = np.full((1, 17), 0.1, np.float32)
    scores[0, :2] = 0.5, 1.5
    points = np.arange(34, dtype=np.float32).reshape(1, 17, 2)
    return People(np.float32([[10, 20, 40, 80]]), np.float32([0.5]), points, scores, np.array([track_id], np.int32))


def picture(name: str, index: int = 0, **facts: Any) -> Frame:
    return Frame(np.zeros((4, 4, 3), np.uint8), Path("folder") / name, index, **facts)


def rows_of(people: People, picture: Frame) -> list[dict[str, Any]]:
    return result_rows(people, frame=picture, file_name="a/7.jpg", image_id=7, keypoint_threshold=0.2)


def test_a_row_of_a_picture() -> None:
    (row,) = rows_of(people(), picture("7.jpg"))
    keypoints = row.pop("keypoints")
    assert row == {
        "image_id": 7,
        "file_name": "a/7.jpg",
        "category_id": 1,
        "bbox": [10, 20, 30, 60],
        "score": 0.5,  # 0.5 of the box times 1.0, the mean of the two sure joints
        "box_score": 0.5,
    }
    assert len(keypoints) == 51
    assert keypoints[:9] == [0, 1, 0.5, 2, 3, 1.5, 4, 5, 0.1]


def test_a_row_of_a_video_has_its_frame_and_track() -> None:
    (row,) = rows_of(people(4), picture("street.avi", 11, time_s=0.0))
    assert (row["frame"], row["track_id"]) == (11, 4)


def test_a_row_of_a_page() -> None:
    (row,) = rows_of(people(), picture("scan.tif", 3, page=2))
    assert (row["page"], "frame" in row) == (2, False)


def test_nobody() -> None:
    assert rows_of(People.empty(17), picture("7.jpg")) == []


def test_both_files_are_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text("old", encoding="utf-8")
    CocoResults(COCO17).write(path)
    assert json.loads(path.read_text(encoding="utf-8")) == []
    assert json.loads(images_path(path).read_text(encoding="utf-8"))["images"] == []
    assert sorted(file.name for file in tmp_path.iterdir()) == ["r.images.json", "r.json"]


def test_pycocotools_reads_both_files(tmp_path: Path) -> None:
    coco = pytest.importorskip("pycocotools.coco")
    results = CocoResults(COCO17)
    empty = People.empty(17)
    for index, found in enumerate([people(), empty, people()]):
        frame = picture("walk.mp4", index, time_s=0.1 * index)
        results.add(found, frame, file_name="walk.mp4", keypoint_threshold=0.2)
    results.write(tmp_path / "r.json")
    pictures = coco.COCO(str(tmp_path / "r.images.json"))
    loaded = pictures.loadRes(str(tmp_path / "r.json"))
    assert [pictures.imgs[number]["time_s"] for number in (1, 2, 3)] == [0.0, 0.1, 0.2]
    assert [len(loaded.getAnnIds(imgIds=[number])) for number in (1, 2, 3)] == [len(people()), 0, len(people())]
    assert [pictures.imgs[number]["persons"] for number in (1, 2, 3)] == [len(people()), 0, len(people())]
    points = np.array(loaded.loadAnns(loaded.getAnnIds(imgIds=[3]))[0]["keypoints"]).reshape(17, 3)
    np.testing.assert_allclose(points[:, :2], people().keypoints_xy[0], atol=1e-3)
    (category,) = pictures.loadCats(pictures.getCatIds())
    assert category["keypoints"] == list(COCO17.joint_names)


def test_pictures_have_the_names_of_the_given_boxes(tmp_path: Path) -> None:
    boxes = [GivenBox((1.0, 2.0, 3.0, 4.0), 1.0, 5, "s/7.jpg")]
    results = CocoResults(COCO17, boxes)
    results.add(people(), picture("7.jpg"), file_name="7.jpg", keypoint_threshold=0.2, places=[0])
    results.add(People.empty(17), picture("5.jpg"), file_name="5.jpg", keypoint_threshold=0.2, places=[])
    results.write(tmp_path / "r.json")
    images = json.loads((tmp_path / "r.images.json").read_text(encoding="utf-8"))["images"]
    assert [(image["id"], image["file_name"]) for image in images] == [(5, "s/7.jpg"), (1, "5.jpg")]
    assert [row["image_id"] for row in results.rows] == [5]

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from known_models import PEAKS_XY, POSE_SPEC, detector, pose_net
from PIL import Image

pytest.importorskip("pycocotools")

from pose_resnet_ros.core.errors import DataFileError, ImageError, SettingsError
from pose_resnet_ros.core.types import Detections, People
from pose_resnet_ros.models.registry import TABLE
from pose_resnet_ros.tools.evaluate import evaluate
from pose_resnet_ros.tools.evaluate.coco_evaluation import MEASURES, CocoData, boxes_from_file, coco_measures, result_rows

# x, y, width, height, in images of 400x300; the second is wide, so that its crop grows in height.
BOXES_XYWH = {1: [100.0, 50.0, 80.0, 200.0], 2: [20.0, 100.0, 120.0, 90.0]}
SIGMAS = [0.026, 0.025, 0.025, 0.035, 0.035, 0.079, 0.079, 0.072, 0.072, 0.062, 0.062, 0.107, 0.107, 0.087, 0.087, 0.089, 0.089]


def where_the_net_points(box_xywh: list[float]) -> np.ndarray:
    """(17, 2): the peaks of ``known_models`` in the image, by the closed form of the published code's affine."""
    x, y, width, height = box_xywh
    view_width = 1.25 * max(width, 0.75 * height)
    cells = np.array(PEAKS_XY) + 0.25  # the quarter cell
    return np.array([x + width / 2, y + height / 2]) + (cells - (24, 32)) * view_width / 48


def annotation(image_id: int, points: np.ndarray, box_xywh: list[float], **facts: Any) -> dict[str, Any]:
    keypoints = [value for x, y in points for value in (float(x), float(y), 2)]
    return {
        "id": 10 + image_id,
        "image_id": image_id,
        "category_id": 1,
        "iscrowd": 0,
        "area": box_xywh[2] * box_xywh[3],
        "bbox": box_xywh,
        "num_keypoints": 17,
        "keypoints": keypoints,
        **facts,
    }


def write_annotations(path: Path, annotations: list[dict[str, Any]], image_ids: tuple[int, ...] = (1, 2)) -> Path:
    images = [{"id": i, "file_name": f"{i:012d}.jpg", "width": 400, "height": 300} for i in image_ids]
    categories = [{"id": 1, "name": "person", "keypoints": ["joint"] * 17, "skeleton": []}]
    path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))
    return path


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    for image_id in (1, 2):
        cv2.imwrite(str(folder / f"{image_id:012d}.jpg"), np.full((300, 400, 3), 40 * image_id, np.uint8))
    return folder


@pytest.fixture
def annotations(tmp_path: Path) -> Path:
    rows = [annotation(i, where_the_net_points(box), box) for i, box in BOXES_XYWH.items()]
    return write_annotations(tmp_path / "annotations.json", rows)


@pytest.fixture
def net(tmp_path: Path) -> Path:
    return pose_net(tmp_path / "net.onnx")


def detections_file(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text(json.dumps(rows))
    return path


def given(image_id: int, box_xywh: list[float], score: float, category_id: int = 1) -> dict[str, Any]:
    return {"image_id": image_id, "category_id": category_id, "bbox": box_xywh, "score": score}


def run(tmp_path: Path, *arguments: str | Path) -> dict[str, Any]:
    """The first run of the JSON file that the tool writes."""
    out = tmp_path / "out" / "runs.json"
    assert evaluate.main([*map(str, arguments), "--backend", "cpu", "--json", str(out)]) == 0
    return json.loads(out.read_text())[0]


def test_a_perfect_network_has_an_average_precision_of_one(
    tmp_path: Path, annotations: Path, images: Path, net: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    boxes = detections_file(tmp_path / "boxes.json", [given(i, box, 0.9) for i, box in BOXES_XYWH.items()])
    result = run(tmp_path, "--annotations", annotations, "--images", images, "--boxes", boxes, "--pose-model", net)
    # Both areas are above 96 * 96, where COCO's medium persons end.
    assert result["measures"] == pytest.approx(dict.fromkeys(MEASURES, 1.0) | {"AP M": -1.0, "AR M": -1.0})
    assert (result["images"], result["persons"], result["published"]) == (2, 2, {})
    printed = capsys.readouterr().out
    assert "AP .75" in printed
    assert "published" not in printed


def test_a_box_that_is_moved_is_worth_what_its_similarity_says(
    tmp_path: Path, annotations: Path, images: Path, net: Path
) -> None:
    """Moved by m pixels, OKS is the mean of exp(-m^2 / (2 area (2 sigma)^2)): 0.72 for the first person, 1 for the second."""
    area = 80 * 200
    moves = np.linspace(0, 60, 60001)
    similarity = np.exp(-(moves[:, None] ** 2) / (2 * area * (2 * np.array(SIGMAS)) ** 2)).mean(axis=1)
    move = float(moves[np.argmin(abs(similarity - 0.72))])
    moved = [BOXES_XYWH[1][0] + move, *BOXES_XYWH[1][1:]]
    boxes = detections_file(tmp_path / "boxes.json", [given(1, moved, 0.9), given(2, BOXES_XYWH[2], 0.5)])
    result = run(tmp_path, "--annotations", annotations, "--images", images, "--boxes", boxes, "--pose-model", net)
    # Thresholds .50 to .70 are met by both. Above, the better scored one is wrong: precision 1/2 up to recall 1/2,
    # which is 51 of the 101 recall points.
    above = 51 / 101 / 2
    assert result["measures"]["AP"] == pytest.approx((5 * 1 + 5 * above) / 10)
    assert result["measures"]["AP .5"] == pytest.approx(1)
    assert result["measures"]["AP .75"] == pytest.approx(above)
    assert result["measures"]["AR"] == pytest.approx((5 * 1 + 5 * 0.5) / 10)


def test_a_false_person_between_two_right_ones_costs_what_the_curve_says(annotations: Path, images: Path) -> None:
    """By hand: precision 1 up to recall 1/2 (51 of 101 points), then 2/3."""
    data = CocoData(annotations, images)
    rows = []
    for image_id, score, shift in ((1, 0.9, 0), (2, 0.8, 5000), (2, 0.7, 0)):
        points = where_the_net_points(BOXES_XYWH[image_id]) + shift
        keypoints = [value for x, y in points for value in (float(x), float(y), 0.9)]
        rows.append({"image_id": image_id, "category_id": 1, "keypoints": keypoints, "score": score})
    measures = coco_measures(data, rows, [1, 2])
    assert measures["AP"] == pytest.approx((51 + 50 * 2 / 3) / 101)
    assert measures["AR"] == pytest.approx(1)


def test_nobody_found_is_zero(annotations: Path, images: Path) -> None:
    assert coco_measures(CocoData(annotations, images), [], [1, 2]) == dict.fromkeys(MEASURES, 0.0)


def test_true_boxes_are_cleaned_as_in_the_published_code(tmp_path: Path, images: Path) -> None:
    points = np.full((17, 2), 5.0)
    rows = [
        annotation(1, points, [-10.0, 20.0, 50.0, 60.0]),
        annotation(2, points, [350.0, 250.0, 100.0, 100.0]),
        annotation(3, points, [10.0, 10.0, 20.0, 20.0], iscrowd=1) | {"image_id": 2},
        annotation(4, points, [10.0, 10.0, 20.0, 20.0], keypoints=[0] * 51) | {"image_id": 2},
        annotation(5, points, [10.0, 10.0, 20.0, 20.0], area=0) | {"image_id": 2},
        annotation(6, points, [10.0, 10.0, 20.0, 20.0], keypoints=[], num_keypoints=0) | {"image_id": 2},
    ]
    boxes = CocoData(write_annotations(tmp_path / "a.json", rows), images).true_boxes()
    assert boxes[1].boxes_xyxy.tolist() == [[0, 20, 49, 79]]
    assert boxes[2].boxes_xyxy.tolist() == [[350, 250, 399, 299]]
    assert boxes[1].scores.tolist() == [1]


def test_an_annotation_that_lacks_a_field_is_told(tmp_path: Path, images: Path) -> None:
    row = annotation(1, np.full((17, 2), 5.0), [10.0, 20.0, 50.0, 60.0])
    del row["num_keypoints"]
    with pytest.raises(DataFileError, match=r"annotations\[0\]\.num_keypoints: .* got nothing"):
        CocoData(write_annotations(tmp_path / "a.json", [row]), images)


@pytest.mark.parametrize("number", [lambda row: row, lambda row: 1], ids=["from 0", "all the same"])
def test_the_numbers_of_annotations_change_nothing(tmp_path: Path, images: Path, number: Callable[[int], int]) -> None:
    """pycocotools takes 0 for "matched with nothing", and keeps one of several annotations with one id."""
    rows = [
        annotation(i, where_the_net_points(box), box) | {"id": number(row)} for row, (i, box) in enumerate(BOXES_XYWH.items())
    ]
    data = CocoData(write_annotations(tmp_path / "a.json", rows), images)
    found = [{"image_id": row["image_id"], "category_id": 1, "keypoints": row["keypoints"], "score": 0.9} for row in rows]
    assert coco_measures(data, found, [1, 2])["AP"] == pytest.approx(1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"keypoints": [0] * 54}, r"annotations\[0\]\.keypoints: expected 51 .*\(54 values\)"),
        ({"keypoints": [0] * 50 + [None]}, r"annotations\[0\]\.keypoints"),
        ({"image_id": 99}, r"annotations\[0\]\.image_id: expected the id of an image, got 99"),
        ({"area": float("inf")}, r"annotations\[0\]\.area: expected a finite number, got inf"),
        ({"bbox": None}, r"annotations\[0\]\.bbox: .*got None"),
        ({"iscrowd": "no"}, r"annotations\[0\]\.iscrowd: expected 0 or 1, got 'no'"),
    ],
)
def test_a_wrong_annotation_is_named(tmp_path: Path, images: Path, changes: dict[str, Any], message: str) -> None:
    row = annotation(1, np.full((17, 2), 5.0), [10.0, 20.0, 50.0, 60.0]) | changes
    with pytest.raises(DataFileError, match=message):
        CocoData(write_annotations(tmp_path / "a.json", [row]), images)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": [{"id": 1, "file_name": "1.jpg", "width": 9}]}, r"images\[0\]\.height"),
        ({"images": [{"id": 1, "file_name": "1.jpg", "width": 9, "height": 9}] * 2}, r"images\[1\]\.id"),
        ({"categories": [{"id": 0, "name": "person"}]}, "expected one with the id 1"),
        ({"categories": None}, "categories: expected a list"),
    ],
)
def test_a_wrong_list_is_named(tmp_path: Path, images: Path, changes: dict[str, Any], message: str) -> None:
    path = write_annotations(tmp_path / "a.json", [])
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    with pytest.raises(DataFileError, match=message):
        CocoData(path, images)


def test_boxes_of_a_file_are_used_as_they_are(tmp_path: Path) -> None:
    rows = [
        given(7, [-5.0, 1.0, 10.0, 20.0], 0.25),
        given(7, [1.0, 1.0, 2.0, 2.0], 0.5, category_id=2),
        given(7, [1.0, 1.0, 0.0, 2.0], 0.5),
    ]
    boxes = boxes_from_file(detections_file(tmp_path / "boxes.json", rows))
    assert boxes[7].boxes_xyxy.tolist() == [[-5, 1, 5, 21]]
    assert boxes[7].scores.tolist() == [0.25]


@pytest.mark.parametrize("content", ["{", "[1]", '[{"image_id": 1}]', '{"annotations": []}'])
def test_a_file_that_is_no_list_of_boxes_is_told(tmp_path: Path, content: str) -> None:
    (tmp_path / "boxes.json").write_text(content)
    with pytest.raises(DataFileError, match=r"boxes\.json"):
        boxes_from_file(tmp_path / "boxes.json")


def people(*shifts: float, scores: list[float]) -> People:
    """Persons of one place, each moved by its shift; keypoint scores 0.5 for the even joints, 0.1 for the odd."""
    points = np.stack([np.full((17, 2), 100 + shift, np.float32) for shift in shifts])
    keypoint_scores = np.tile(np.where(np.arange(17) % 2 == 0, 0.5, 0.1).astype(np.float32), (len(shifts), 1))
    boxes = np.tile(np.array([50, 50, 150, 250], np.float32), (len(shifts), 1))
    return People.untracked(Detections(boxes, np.array(scores, np.float32)), points, keypoint_scores)


def test_rows_are_rescored_and_repeated_persons_left_out() -> None:
    rows = result_rows(people(0, 1, 300, scores=[0.5, 0.8, 0.4]), image_id=9, spec=POSE_SPEC)
    # The confident joints' mean, 0.5, times the box's score; the first is the second's neighbour by one pixel.
    assert [row["score"] for row in rows] == pytest.approx([0.4, 0.2])
    assert rows[0]["keypoints"][:6] == pytest.approx([101, 101, 0.5, 101, 101, 0.1])
    assert {(row["image_id"], row["category_id"]) for row in rows} == {(9, 1)}


def test_nobody_gives_no_rows() -> None:
    assert result_rows(People.empty(17), image_id=1, spec=POSE_SPEC) == []


def test_the_published_row_stands_beside_ours(
    tmp_path: Path, annotations: Path, images: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POSE_RESNET_ROS_HOME", str(tmp_path))
    pose_net(tmp_path / "pose_resnet_50_256x192.onnx")
    result = run(
        tmp_path, "--annotations", annotations, "--images", images, "--pose-model", "pose_resnet_50_256x192", "--flip-test"
    )
    assert (result["flip_test"], result["boxes"]) == (True, "ground-truth")
    assert result["published"]["AP"] == 0.704
    printed = capsys.readouterr().out
    assert "published" in printed
    assert "0.704" in printed
    assert "person AP of 56.4" in printed


def test_the_pipelines_own_detector(tmp_path: Path, annotations: Path, images: Path, net: Path) -> None:
    finder = detector(tmp_path / "detector.onnx", [(0, 1, 1, 5.0)])
    result = run(
        tmp_path,
        *("--annotations", annotations, "--images", images, "--pose-model", net),
        *("--boxes", "detector", "--detector-model", finder),
    )
    assert (result["boxes"], result["persons"]) == (str(finder), 2)


def test_files_for_several_models(tmp_path: Path, annotations: Path, images: Path, net: Path) -> None:
    other = pose_net(tmp_path / "other.onnx", score=0.3)
    names = {name: tmp_path / "new" / name for name in ("runs.csv", "plot.png", "rows.json")}
    run(
        tmp_path,
        *("--annotations", annotations, "--images", images, "--pose-model", net, other, "--limit", "1"),
        *("--csv", names["runs.csv"], "--plot", names["plot.png"], "--results", names["rows.json"]),
    )
    with names["runs.csv"].open() as file:
        rows = list(csv.DictReader(file))
    assert [row["model"] for row in rows] == [str(net), str(other)]
    assert [row["images"] for row in rows] == ["1", "1"]
    assert cv2.imread(str(names["plot.png"])).shape[2] == 3
    for stem in ("net", "other"):
        (person,) = json.loads((tmp_path / "new" / f"rows_{stem}.json").read_text())
        assert len(person["keypoints"]) == 51


def test_annotations_in_upright_pixels_of_a_turned_picture(tmp_path: Path, annotations: Path, images: Path, net: Path) -> None:
    """The stored pixels are 300 x 400; the EXIF orientation turns them to the 400 x 300 that the annotations declare."""
    turned = np.full((400, 300, 3), 80, np.uint8)
    exif = Image.Exif()
    exif[274] = 6
    for image_id in (1, 2):
        Image.fromarray(turned).save(images / f"{image_id:012d}.jpg", exif=exif)
    boxes = detections_file(tmp_path / "boxes.json", [given(i, box, 0.9) for i, box in BOXES_XYWH.items()])
    arguments = ("--annotations", annotations, "--images", images, "--boxes", boxes, "--pose-model", net)
    assert run(tmp_path, *arguments)["measures"]["AP"] == pytest.approx(1)


def test_a_wrong_declared_size_is_said(tmp_path: Path, annotations: Path, images: Path, net: Path) -> None:
    cv2.imwrite(str(images / "000000000002.jpg"), np.zeros((100, 100, 3), np.uint8))
    with pytest.raises(ImageError, match=r"2\.jpg: the annotations say 400 x 300, but it has 100 x 100 pixels"):
        run(tmp_path, "--annotations", annotations, "--images", images, "--pose-model", net)


@pytest.mark.parametrize("option", ["json", "csv", "plot", "results"])
def test_inputs_are_never_written_over(tmp_path: Path, annotations: Path, images: Path, net: Path, option: str) -> None:
    boxes = detections_file(tmp_path / "boxes.json", [])
    os.link(boxes, tmp_path / "hard.json")
    (tmp_path / "link.jpg").symlink_to(images / "000000000001.jpg")
    arguments = ["--annotations", annotations, "--images", images, "--boxes", boxes, "--pose-model", net]
    for output in (annotations, tmp_path / "hard.json", tmp_path / "link.jpg", net):
        before = output.read_bytes()
        with pytest.raises(SettingsError, match=f"^{option}: .* would be overwritten"):
            evaluate.main([*map(str, arguments), f"--{option}", str(output)])
        assert output.read_bytes() == before


@pytest.mark.parametrize("name", ["results", "json", "csv", "plot"])
def test_what_cannot_be_written_is_said_before_anything_is_measured(name: str) -> None:
    with pytest.raises(SettingsError, match=f"{name}: cannot make the folder /proc/none"):
        evaluate.main(["--annotations", "none.json", "--images", "none", f"--{name}", "/proc/none/file"])


def test_an_absent_picture_is_told(tmp_path: Path, annotations: Path, images: Path, net: Path) -> None:
    (images / "000000000002.jpg").unlink()
    with pytest.raises(ImageError, match=r"000000000002\.jpg is not there; see --images"):
        run(tmp_path, "--annotations", annotations, "--images", images, "--pose-model", net)


@pytest.mark.parametrize("content", ["", "[]", '{"info": 1}'])
def test_a_file_that_is_no_annotation_file_is_told(tmp_path: Path, images: Path, net: Path, content: str) -> None:
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(DataFileError, match=r"a\.json: "):
        run(tmp_path, "--annotations", tmp_path / "a.json", "--images", images, "--pose-model", net)


def test_the_documented_figures_are_those_of_the_table() -> None:
    documented = (Path(__file__).parents[2] / "docs" / "accuracy.md").read_text(encoding="utf-8")
    for row in TABLE:
        figures = dict(row.accuracy)
        if "AP" in figures:
            cells = [f"{figures[name]:.3f}".lstrip("0") if name in figures else "-" for name in MEASURES]
            assert f"| `{row.name}` | {' | '.join(cells)} |" in documented

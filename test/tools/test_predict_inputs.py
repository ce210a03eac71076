# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""``predict`` on the files that people have: odd names, links, several pages, damage; and what it never does to them."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path
from typing import Any

import cv2
import known_models
import numpy as np
import pytest
from PIL import Image

from pose_resnet_ros.core.errors import DataFileError, SettingsError
from pose_resnet_ros.tools import cli
from pose_resnet_ros.tools.predict import predict


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(known_models.pose_net(tmp_path_factory.mktemp("model") / "pose.onnx"))


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(model: str, *arguments: object) -> int:
    networks = ["--pose-model", model, "--detector-model", "full_frame", "--backend", "cpu"]
    return predict.main([*map(str, arguments), *networks])


def rows_of(path: str) -> list[dict[str, Any]]:
    return json.loads(Path(path).read_text(encoding="utf-8"))


def picture(path: str, width: int = 64, height: int = 48) -> Path:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (width, height), (90, 90, 90)).save(path)
    return Path(path)


def test_pictures_of_the_same_base_name_are_told_apart(model: str) -> None:
    """Each gets its own box, and each result says whose it is."""
    picture("a/0001.png")
    picture("b/0001.png", width=640)
    boxes = [{"file_name": f"{name}/0001.png", "bbox": [k, 5, 20, 30]} for k, name in enumerate("ba")]
    Path("boxes.json").write_text(json.dumps(boxes))
    assert run(model, "a", "b", "--boxes", "boxes.json", "--json", "r.json") == 0
    assert [(row["file_name"], row["bbox"][0]) for row in rows_of("r.json")] == [("b/0001.png", 0), ("a/0001.png", 1)]
    assert run(model, "a", "b", "--json", "r.json", "--output", "drawn") == 0
    assert [(row["file_name"], row["bbox"][2]) for row in rows_of("r.json")] == [("a/0001.png", 64), ("b/0001.png", 640)]
    assert sorted(path.name for path in Path("drawn").iterdir()) == ["0001.png", "0001_2.png"]
    assert run(model, "a", "--json", "r.json") == 0
    assert [row["file_name"] for row in rows_of("r.json")] == ["0001.png"]


def test_a_box_that_fits_two_pictures_ends_before_anything_is_loaded() -> None:
    picture("a/0001.png")
    picture("b/0001.png")
    Path("boxes.json").write_text(json.dumps([{"file_name": "0001.png", "bbox": [1, 2, 3, 4]}]))
    with pytest.raises(DataFileError, match=r"matches a/0001\.png and b/0001\.png"):
        run("none.onnx", "a", "b", "--boxes", "boxes.json", "--json", "r.json")


@pytest.mark.parametrize("bbox", [[-30, 0, 20, 30], [64, 0, 20, 30], [0, 48, 5, 5], [5, 5, 0, 30], [5, 5, 20, -1]])
def test_a_box_outside_the_picture_costs_itself_alone(model: str, bbox: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    picture("7.png")
    boxes = [{"image_id": 7, "bbox": bbox}, {"image_id": 7, "bbox": [60, 40, 20, 30]}]
    Path("boxes.json").write_text(json.dumps(boxes))
    assert run(model, "7.png", "--boxes", "boxes.json", "--json", "r.json") == 1
    assert [row["bbox"] for row in rows_of("r.json")] == [[60, 40, 20, 30]]
    said = capsys.readouterr()
    assert "error: 7.png: box 0, (" in said.err
    assert "belong to no input" not in said.err
    assert "people: 1, errors: 1" in said.out


@pytest.mark.parametrize(("orientation", "code"), [(1, 0), (6, 1)])
def test_boxes_in_other_pixels_cost_their_picture(
    model: str, orientation: int, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    exif = Image.Exif()
    exif[274] = orientation
    Image.new("RGB", (64, 48)).save("7.jpg", exif=exif)
    coco = {
        "images": [{"id": 1, "file_name": "7.jpg", "width": 64, "height": 48}],
        "annotations": [{"image_id": 1, "bbox": [1, 2, 30, 40]}],
    }
    Path("boxes.json").write_text(json.dumps(coco))
    assert run(model, "7.jpg", "--boxes", "boxes.json", "--json", "r.json") == code
    assert len(rows_of("r.json")) == 1 - code
    assert ("7.jpg: has 48 x 64 pixels" in capsys.readouterr().err) == bool(code)


def test_names_that_are_not_utf_8(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """They come out of old archives; standard output of UTF-8 cannot say them."""
    name, folder = os.fsdecode(b"caf\xe9.png"), os.fsdecode(b"\xfc")
    picture(f"{folder}/{name}")
    picture(f"{folder}/z.png")
    stdout = io.TextIOWrapper(io.BytesIO(), "utf-8")
    monkeypatch.setattr(sys, "stdout", stdout)
    networks = ["--pose-model", model, "--detector-model", "full_frame", "--backend", "cpu"]
    outputs = ["--json", f"{name}.json", "--output", f"{folder}_drawn"]
    assert cli.main(["predict", folder, *outputs, *networks]) == 0
    assert b"images: 2, people: 2, errors: 0" in stdout.buffer.getvalue()  # type: ignore[attr-defined]
    rows = json.loads(Path(f"{name}.json").read_text())
    assert [row["file_name"] for row in rows] == [name, "z.png"]
    assert sorted(os.listdir(b"\xfc_drawn")) == [b"caf\xe9.png", b"z.png"]
    assert cli.main(["predict", folder, "--boxes", f"{name}.json", "--json", "again.json", *networks]) == 0
    assert [row["file_name"] for row in rows_of("again.json")] == [name, "z.png"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["links", "-o", "real"], "output: real/a.png is the input"),
        (["links/a.png", "-o", "real"], "output: real/a.png is the input"),
        (["real", "-o", "out"], "output: out/a.png is the input"),
        (["real/a.png", "-o", "hard"], "output: hard/a.png is the input"),
        (["real", "--json", "real/a.png"], "json: real/a.png is the input"),
        (["real", "--json", "links/a.png"], "json: links/a.png is the input"),
        (["real", "--rerun", "hard/a.png"], "rerun: hard/a.png is the input"),
        (["real", "--boxes", "b.json", "--json", "b.json"], "json: b.json is the input"),
        (["real", "--json", "r", "--rerun", "r"], "rerun: r is also written by json"),
    ],
)
def test_inputs_are_never_written_over(arguments: list[str], says: str) -> None:
    """Before the models are loaded: those do not exist here."""
    before = picture("real/a.png").read_bytes()
    for folder in ("links", "out", "hard"):
        Path(folder).mkdir()
    Path("links/a.png").symlink_to("../real/a.png")
    Path("out/a.png").symlink_to("../real/a.png")
    os.link("real/a.png", "hard/a.png")
    Path("b.json").write_text('[{"file_name": "a.png", "bbox": [1, 2, 3, 4]}]')
    with pytest.raises(SettingsError, match=f"^{says}"):
        run("none.onnx", *arguments)
    assert Path("real/a.png").read_bytes() == before


def test_a_name_that_only_comes_up_later_is_guarded_too(model: str) -> None:
    """The second 7.png would be 7_2.png, which is an input."""
    for name in ("a/7.png", "b/7.png", "out/7_2.png"):
        picture(name)
    before = Path("out/7_2.png").read_bytes()
    with pytest.raises(SettingsError, match=r"out/7_2\.png is the input"):
        run(model, "a", "b", "out/7_2.png", "-o", "out")
    assert Path("out/7_2.png").read_bytes() == before


def test_every_page_of_a_file(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    pages = [Image.new("RGB", (40, 30 + page)) for page in range(3)]
    pages[0].save("scan.tif", save_all=True, append_images=pages[1:])
    assert run(model, "scan.tif", "--json", "r.json", "--output", "drawn") == 0
    rows = rows_of("r.json")
    assert [(row["page"], row["bbox"][3], row["image_id"]) for row in rows] == [(0, 30, 1), (1, 31, 2), (2, 32, 3)]
    assert sorted(path.name for path in Path("drawn").iterdir()) == [f"scan_page{n}.tif" for n in range(3)]
    Path("boxes.json").write_text(json.dumps(rows))
    assert run(model, "scan.tif", "--boxes", "boxes.json", "--json", "r.json") == 1
    assert "scan.tif: has several pages, and the boxes do not say which" in capsys.readouterr().err


def test_what_is_damaged_does_not_end_the_run(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("d").mkdir()
    _, data = cv2.imencode(".png", np.zeros((4, 4), np.uint8))
    header = data.tobytes()
    for number, name in enumerate(("a", "b")):  # 60000 x 60000, once with the right check sum
        bomb = header[:16] + (60_000).to_bytes(4, "big") * 2 + header[24:]
        Path(f"d/{name}.png").write_bytes(bomb if number else bomb[:29] + b"\xc8\x86\x7c\xb9" + bomb[33:])
    os.mkfifo("d/c.png")
    Path("d/d.png").symlink_to("nowhere")
    Path("d/e.jpg").write_bytes(b"")
    picture("d/z.png")
    assert run(model, "d", "--json", "r.json") == 1
    said = capsys.readouterr()
    assert "images: 1, people: 1, errors: 5" in said.out
    assert [row["file_name"] for row in rows_of("r.json")] == ["z.png"]
    assert [line.split(":")[1].strip() for line in said.err.splitlines() if line.startswith("error: ")] == [
        "d/a.png", "d/b.png", "d/c.png", "d/d.png", "d/e.jpg",
    ]  # fmt: skip

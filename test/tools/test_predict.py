# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The command as a user runs it: a process of its own, files in, files out."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import known_models
import numpy as np
import pytest
import streams
import videos
from full_disk import full_disk

ROOT = Path(__file__).resolve().parents[2]


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "pose_resnet_ros", "predict", *map(str, arguments)]


def environment() -> dict[str, str]:
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path, "DISPLAY": "", "WAYLAND_DISPLAY": ""}


def predict(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments), cwd=cwd, env=environment(), capture_output=True, text=True, timeout=300, check=False
    )


def rows_of(path: Path) -> list[dict[str, Any]]:
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models, three pictures of different sizes, and a video of 12 frames."""
    folder = tmp_path_factory.mktemp("predict")
    known_models.pose_net(folder / "pose.onnx")
    known_models.detector(folder / "detector.onnx", [(0, 0, 0, 2.0), (1, 2, 3, 1.0)])
    pictures = folder / "pictures"
    pictures.mkdir()
    for name, (height, width) in {"000139.jpg": (480, 640), "7.png": (64, 64), "street.jpg": (120, 60)}.items():
        cv2.imwrite(str(pictures / name), np.full((height, width, 3), 90, np.uint8))
    shades = [videos.gray(20 * shade, (160, 120)) for shade in range(12)]
    videos.write_video(folder / "walk.avi", shades, codec="mjpeg")
    return folder


def models(folder: Path) -> list[object]:
    return ["--pose-model", folder / "pose.onnx", "--detector-model", folder / "detector.onnx", "--backend", "cpu"]


def test_a_folder_of_pictures(folder: Path, tmp_path: Path) -> None:
    done = predict(folder / "pictures", "--output", "drawn", "--json", "a/r.json", *models(folder), cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "images: 3, people: 6, errors: 0" in done.stdout
    assert sorted(path.name for path in (tmp_path / "drawn").iterdir()) == ["000139.jpg", "7.png", "street.jpg"]
    drawn = cv2.imread(str(tmp_path / "drawn" / "7.png"))
    assert drawn.shape == (64, 64, 3)
    assert (drawn != 90).any()
    rows = rows_of(tmp_path / "a" / "r.json")
    assert [(row["image_id"], row["file_name"]) for row in rows] == [
        (139, "000139.jpg"), (139, "000139.jpg"), (7, "7.png"), (7, "7.png"), (1, "street.jpg"), (1, "street.jpg"),
    ]  # fmt: skip
    assert rows[0]["bbox"] == [0, -160, 320, 480]
    assert all(len(row["keypoints"]) == 51 and row["category_id"] == 1 for row in rows)


def test_keypoints_are_coco_whatever_skeleton_is_drawn(folder: Path, tmp_path: Path) -> None:
    box = [{"file_name": "000139.jpg", "bbox": [100, 50, 80, 200]}]
    (tmp_path / "boxes.json").write_text(json.dumps(box), encoding="utf-8")
    for skeleton in ("openpose18", "coco17", "native"):
        arguments = ["--boxes", "boxes.json", "--json", "r.json", "--skeleton", skeleton]
        done = predict(folder / "pictures", *arguments, *models(folder), cwd=tmp_path)
        assert done.returncode == 0
        (row,) = rows_of(tmp_path / "r.json")
        expected = [(140 + (x + 0.25 - 24) * 3.90625, 150 + (y + 0.25 - 32) * 3.90625) for x, y in known_models.PEAKS_XY]
        np.testing.assert_allclose(np.array(row["keypoints"]).reshape(17, 3)[:, :2], expected, atol=0.01)


def test_given_boxes_keep_their_order(folder: Path, tmp_path: Path) -> None:
    names = ["street.jpg", "7.png", "000139.jpg", "street.jpg"]
    boxes = [{"file_name": name, "bbox": [k, 5, 20, 30], "score": 0.5} for k, name in enumerate(names)]
    (tmp_path / "boxes.json").write_text(json.dumps(boxes), encoding="utf-8")
    done = predict(folder / "pictures", "--boxes", "boxes.json", "--json", "r.json", *models(folder), cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    rows = rows_of(tmp_path / "r.json")
    assert [(row["file_name"], row["bbox"]) for row in rows] == [(b["file_name"], b["bbox"]) for b in boxes]
    assert {row["file_name"]: row["image_id"] for row in rows} == {"000139.jpg": 139, "7.png": 7, "street.jpg": 1}
    assert all(row["box_score"] == 0.5 for row in rows)


def test_boxes_of_a_coco_annotation_file(folder: Path, tmp_path: Path) -> None:
    data = {
        "images": [{"id": 5, "file_name": "street.jpg"}],
        "annotations": [{"id": 1, "image_id": 5, "category_id": 1, "bbox": [4, 5, 20, 30]}],
    }
    (tmp_path / "coco.json").write_text(json.dumps(data), encoding="utf-8")
    done = predict(folder / "pictures", "--boxes", "coco.json", "--json", "r.json", *models(folder), cwd=tmp_path)
    assert done.returncode == 0
    assert [(row["image_id"], row["file_name"]) for row in rows_of(tmp_path / "r.json")] == [(5, "street.jpg")]


def test_boxes_without_a_picture_are_told(folder: Path, tmp_path: Path) -> None:
    boxes = [{"image_id": 7, "bbox": [1, 5, 20, 30]}, {"image_id": 8, "bbox": [2, 5, 20, 30]}]
    (tmp_path / "boxes.json").write_text(json.dumps(boxes), encoding="utf-8")
    done = predict(folder / "pictures", "--boxes", "boxes.json", "--json", "r.json", *models(folder), cwd=tmp_path)
    assert done.returncode == 1
    assert "boxes that belong to no input: 1" in done.stderr
    assert len(rows_of(tmp_path / "r.json")) == 1


def test_a_video_in_and_out(folder: Path, tmp_path: Path) -> None:
    arguments = ["--output", "drawn", "--json", "r.json", "--heatmaps"]
    done = predict(folder / "walk.avi", *arguments, *models(folder), cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    for name in ("walk.mp4", "walk_heatmaps.mp4"):
        film = tmp_path / "drawn" / name
        assert videos.times_of(film) == pytest.approx([k / 10 for k in range(12)])
        assert videos.duration_of(film) == pytest.approx(1.2)
        assert videos.pictures_of(film)[0].shape == (120, 160, 3)
    rows = rows_of(tmp_path / "r.json")
    assert [row["frame"] for row in rows] == [frame for frame in range(12) for _ in range(2)]
    assert [row["image_id"] for row in rows[::2]] == list(range(1, 13))
    assert [row["time_s"] for row in rows[::2]] == pytest.approx([k / 10 for k in range(12)])
    images = json.loads((tmp_path / "r.images.json").read_text(encoding="utf-8"))["images"]
    assert [(image["id"], image["frame"], image["persons"]) for image in images] == [(k + 1, k, 2) for k in range(12)]
    assert {(image["width"], image["height"], image["file_name"]) for image in images} == {(160, 120, "walk.avi")}
    # Nobody moves: the two are tracked from their second frame on.
    assert {row.get("track_id") for row in rows[2:]} == {1, 2}


def test_a_video_of_variable_rate_that_was_cut_off(folder: Path, tmp_path: Path) -> None:
    """Ids and the film go by the true times, and what is missing is said."""
    noise = np.random.default_rng(0).integers(0, 255, (9, 48, 64, 3), dtype=np.uint8)
    times_s = [0.0, 0.05, 0.1, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85]
    path = videos.cut_off(videos.write_video(tmp_path / "a.mkv", noise, times_s=times_s, codec="mjpeg"), 0.8)
    arguments = ["--output", "drawn", "--json", "r.json", "--tracking.max-age-ms", 100]
    done = predict(path, *arguments, *models(folder), cwd=tmp_path)
    images = json.loads((tmp_path / "r.images.json").read_text(encoding="utf-8"))["images"]
    told_s = [image["time_s"] for image in images]
    assert 4 < len(told_s) < 9
    assert told_s == pytest.approx(times_s[: len(told_s)], abs=1e-3)
    assert videos.times_of(tmp_path / "drawn" / "cut_a.mp4") == pytest.approx(told_s, abs=1e-3)
    ids = [{row.get("track_id") for row in rows_of(tmp_path / "r.json") if row["frame"] == k} for k in range(5)]
    assert ids == [{None}, {1, 2}, {1, 2}, {None}, {3, 4}]  # the gap of 0.5 s is longer than the greatest age
    assert done.returncode == 1
    assert f"cut_a.mkv is cut off or damaged: {len(told_s)} frames read, " in done.stderr
    assert f"images: {len(told_s)}," in done.stdout


def test_a_stream_ends_with_a_reason(folder: Path, tmp_path: Path) -> None:
    with streams.http(streams.Camera(frames=30)) as address:
        done = predict(f"{address}/live", "--output", "drawn", "--json", "r.json", *models(folder), cwd=tmp_path)
    assert done.returncode == 1
    assert f"error: {address}/live ended after" in done.stderr
    (film,) = (tmp_path / "drawn").iterdir()
    assert film.name.startswith("127.0.0.1_")
    images = json.loads((tmp_path / "r.images.json").read_text(encoding="utf-8"))["images"]
    assert len(videos.times_of(film)) == len(images) > 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_a_film_that_plays_and_a_whole_json(folder: Path, tmp_path: Path, number: int) -> None:
    videos.write_video(tmp_path / "long.avi", [videos.gray(90)] * 20_000, codec="mjpeg")
    process = subprocess.Popen(
        command("long.avi", "--output", "drawn", "--json", "r.json", *models(folder)),
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 300
    while not list(tmp_path.glob("drawn/.*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=300)
    assert process.returncode == 128 + number
    assert "Traceback" not in stderr
    images = json.loads((tmp_path / "r.images.json").read_text(encoding="utf-8"))["images"]
    assert 0 < len(images) < 20_000
    assert len(rows_of(tmp_path / "r.json")) == 2 * len(images)
    assert [path.name for path in (tmp_path / "drawn").iterdir()] == ["long.mp4"]
    assert len(videos.times_of(tmp_path / "drawn" / "long.mp4")) == len(images)
    assert f"images: {len(images)}," in stdout


@pytest.mark.parametrize(("source", "limit_bytes"), [("walk.avi", 2_000), ("pictures", 600)])
def test_a_full_disk_is_one_sentence_and_leaves_nothing(folder: Path, tmp_path: Path, source: str, limit_bytes: int) -> None:
    with full_disk(limit_bytes):  # for the child too
        done = predict(folder / source, "--output", "drawn", "--json", "r.json", *models(folder), cwd=tmp_path)
    assert done.returncode == 1
    assert "File too large" in done.stderr
    assert "Traceback" not in done.stderr
    for path in tmp_path.rglob("*.*"):
        assert path.suffix != ".part"
        assert ".part" not in path.name
        if path.suffix == ".json":
            json.loads(path.read_text(encoding="utf-8"))
        elif path.is_file():
            assert cv2.imread(str(path)) is not None


def test_heatmaps_of_a_picture(folder: Path, tmp_path: Path) -> None:
    done = predict(folder / "pictures" / "7.png", "--output", "drawn", "--heatmaps", *models(folder), cwd=tmp_path)
    assert done.returncode == 0
    assert sorted(path.name for path in (tmp_path / "drawn").iterdir()) == ["7.png", "7_heatmaps.png"]


def test_inputs_that_cannot_be_read_do_not_stop_the_others(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    (tmp_path / "broken.avi").write_bytes(b"no video")
    (tmp_path / "empty").mkdir()
    inputs = ["broken.jpg", "broken.avi", "empty", "none.png", folder / "pictures" / "7.png"]
    done = predict(*inputs, "--json", "r.json", *models(folder), cwd=tmp_path)
    assert done.returncode == 1
    for name in ("broken.jpg", "broken.avi", "empty", "none.png"):
        assert any(line.startswith("error: ") and name in line for line in done.stderr.splitlines())
    assert "Traceback" not in done.stderr
    assert "images: 1, people: 2, errors: 4" in done.stdout
    assert len(rows_of(tmp_path / "r.json")) == 2


def test_a_picture_that_cannot_be_used_is_named(folder: Path, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "wide.png"), np.zeros((1, 32_767, 3), np.uint8))
    done = predict("wide.png", folder / "pictures" / "7.png", "--json", "r.json", *models(folder), cwd=tmp_path)
    assert done.returncode == 1
    assert "error: wide.png: expected an image of at most 32766 pixels a side" in done.stderr
    assert "images: 1, people: 2, errors: 1" in done.stdout


def test_pictures_of_the_same_name_do_not_overwrite_one_another(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "7.png").write_bytes((folder / "pictures" / "7.png").read_bytes())
    done = predict(folder / "pictures" / "7.png", "7.png", "--output", "drawn", "--json", "r.json", *models(folder), cwd=tmp_path)
    assert done.returncode == 0
    assert sorted(path.name for path in (tmp_path / "drawn").iterdir()) == ["7.png", "7_2.png"]
    assert [row["image_id"] for row in rows_of(tmp_path / "r.json")] == [7, 7, 1, 1]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--detection-threshold", "2"], 2, "expected a number from 0 to 1, got '2'"),
        (["--backend", "gpu"], 2, "expected auto, cpu, cuda, tensorrt or openvino, got 'gpu'"),
        (["--pose-model", "resnet"], 1, "there is no model named 'resnet'; expected the path of an ONNX file"),
        (["--detector-model", "none.onnx"], 1, "none.onnx does not exist"),
        (["--boxes", "none.json"], 1, "none.json: cannot be read: No such file"),
        (["--show"], 1, "there is no display"),
        (["--output", "/proc/none"], 1, "cannot make the folder /proc/none"),
        (["--json", "/proc/none/r.json"], 1, "json: cannot make the folder /proc/none"),
        (["--json", "."], 1, "json: expected the name of a file to write, got the folder ."),
        (["--json", "r.json", "--heatmaps"], 1, "--heatmaps: nothing is drawn; add --output or --show"),
        (["--workers", "2", "--annotated"], 1, "--annotated or --workers: for bags only"),
    ],
)
def test_a_wrong_command_line_is_one_sentence(folder: Path, tmp_path: Path, arguments: list[str], code: int, said: str) -> None:
    done = predict(folder / "pictures", *models(folder), *arguments, cwd=tmp_path)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def interrupt(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Ctrl-C, and again as a person would: Python drops one that falls into a destructor. What the process said."""
    for _ in range(5):
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.communicate(timeout=3)
    return process.communicate(timeout=300)


def test_what_the_pose_network_cannot_give_is_said_at_once(folder: Path, tmp_path: Path) -> None:
    for name, changes in {"vectors": {"decoder": "simcc"}, "mpii": {"skeleton": "mpii16"}}.items():
        spec = replace(known_models.POSE_SPEC, **changes)
        joints = 16 if name == "mpii" else 17
        answers = {"heatmaps": known_models.heatmaps_with_peaks(known_models.PEAKS_XY[:joints])}
        if name == "vectors":
            answers = {"x": np.zeros((1, 17, 384)), "y": np.zeros((1, 17, 512))}
        known_models.constant_answers(tmp_path / f"{name}.onnx", answers, spec=spec)
    given = ["--detector-model", "full_frame", "--skeleton", "native", "--backend", "cpu"]
    done = predict(folder / "pictures", "--pose-model", "vectors.onnx", "--heatmaps", *given, cwd=tmp_path)
    assert done.returncode == 1
    assert "--heatmaps: this pose network has none" in done.stderr
    done = predict(folder / "pictures", "--pose-model", "mpii.onnx", "--json", "r.json", *given, cwd=tmp_path)
    assert done.returncode == 1
    assert "17 joints, which this pose network (mpii16) does not have; choose another one" in done.stderr


@pytest.mark.parametrize("source", ["pictures", "pictures/7.png", "walk.mp4"])
def test_inputs_are_not_written_over(folder: Path, tmp_path: Path, source: str) -> None:
    own = tmp_path / "my own"
    shutil.copytree(folder / "pictures", own / "pictures")
    (own / "walk.mp4").write_bytes(b"of great value")
    before = {path: path.read_bytes() for path in own.rglob("*.*")}
    output = own / source if source == "pictures" else (own / source).parent
    done = predict(own / source, "--output", output, *models(folder), cwd=tmp_path)
    assert done.returncode == 1
    assert "would be overwritten; name another folder" in done.stderr
    assert {path: path.read_bytes() for path in own.rglob("*.*")} == before


def test_a_video_beside_its_result(folder: Path, tmp_path: Path) -> None:
    shutil.copy(folder / "walk.avi", tmp_path)
    done = predict("walk.avi", "--output", ".", *models(folder), cwd=tmp_path)
    assert done.returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["walk.avi", "walk.mp4"]


def test_a_video_that_does_not_tell_its_length(folder: Path, tmp_path: Path) -> None:
    """JPEGs one after the other: no header, no number of frames. Ids go by the video's time, not by the clock."""
    (tmp_path / "raw.mjpg").write_bytes((folder / "pictures" / "000139.jpg").read_bytes() * 3)
    arguments = ["--output", "drawn", "--json", "r.json", "--tracking.max-age-ms", 41]  # a frame is 40 ms
    done = predict(tmp_path / "raw.mjpg", *arguments, *models(folder), cwd=tmp_path)
    assert done.returncode == 0
    assert [path.name for path in (tmp_path / "drawn").iterdir()] == ["raw.mp4"]
    assert [row.get("track_id", -1) for row in rows_of(tmp_path / "r.json")] == [-1, -1, 1, 2, 1, 2]


def test_ctrl_c_keeps_what_is_done(folder: Path, tmp_path: Path) -> None:
    """A source without an end: the same picture named a great many times."""
    inputs = [folder / "pictures" / "7.png"] * 15_000
    process = subprocess.Popen(
        command(*inputs, "--output", "drawn", "--json", "r.json", *models(folder)),
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell's background job ignores SIGINT, and so would its children: as at a terminal, whoever runs the tests.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 300
    while not list(tmp_path.glob("drawn/*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    stdout, stderr = interrupt(process)
    assert process.returncode == 130
    assert "Traceback" not in stderr
    rows = rows_of(tmp_path / "r.json")
    assert 0 < len(rows) < 30_000
    assert f"people: {len(rows)}," in stdout


def test_it_runs_from_the_root_of_a_clone(folder: Path, tmp_path: Path) -> None:
    done = predict(folder / "pictures" / "7.png", "--json", tmp_path / "r.json", *models(folder), cwd=ROOT)
    assert done.returncode == 0

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The demo end to end on a video that the test makes: two processes, recorded."""

import json
import os
import subprocess
import sys

import cv2
import numpy as np
import pytest
import videos

from pose_resnet_ros.ros.programs.demo_recording import PersonsFrame, Picture, summary, write_persons, write_picture, write_video

FPS = 5.0


def test_demo_leaves_video_picture_and_persons(tmp_path):
    pytest.importorskip("rclpy")
    source, output = tmp_path / "source.mp4", tmp_path / "out"
    write_moving_square(source, frames=10)
    command = [sys.executable, "-m", "pose_resnet_ros", "demo", "--source", str(source), "--output", str(output)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=os.environ, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    frames = json.loads((output / "persons.json").read_text())
    stamps = [(frame["stamp"]["sec"], frame["stamp"]["nanosec"]) for frame in frames]
    assert 0 < len(frames) <= 10
    assert stamps == sorted(set(stamps))
    assert cv2.imread(str(output / "annotated.png")).shape == (240, 320, 3)
    assert len(videos.times_of(output / "annotated.mp4")) == len(frames)
    assert "frames out" in done.stdout


def test_demo_says_what_is_wrong_with_the_source(tmp_path):
    pytest.importorskip("rclpy")
    command = [sys.executable, "-m", "pose_resnet_ros", "demo", "--source", str(tmp_path / "missing.mp4")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=os.environ, cwd=tmp_path)
    assert done.returncode == 1
    assert "missing.mp4" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_video_keeps_the_pace_of_the_stamps(tmp_path):
    pictures = [picture(stamp_s) for stamp_s in (0.0, 0.1, 1.0)]
    write_video(tmp_path / "v.mp4", pictures)
    assert videos.times_of(tmp_path / "v.mp4") == pytest.approx([0.0, 0.1, 1.0])


def test_a_pause_of_the_source_is_shortened(tmp_path):
    write_video(tmp_path / "v.mp4", [picture(stamp_s) for stamp_s in (5.0, 25.0, 25.5)])
    assert videos.times_of(tmp_path / "v.mp4") == pytest.approx([0.0, 2.0, 2.5])


@pytest.mark.parametrize(("counts", "expected"), [([0, 2, 1], 1), ([0, 0, 0], 0)])
def test_picture_is_the_fullest_frame(tmp_path, counts, expected):
    frames = [PersonsFrame(stamp_ns=i, age_ms=1.0, persons=[{}] * count) for i, count in enumerate(counts)]
    pictures = [picture(i * 1e-9, grey=80 * i) for i in range(3)]
    write_picture(tmp_path / "p.png", pictures, frames)
    assert abs(int(cv2.imread(str(tmp_path / "p.png")).mean()) - 80 * expected) <= 2


def test_persons_and_summary(tmp_path):
    frames = [PersonsFrame(2_500_000_000, 10.0, [{"score": 1.0}]), PersonsFrame(3_500_000_000, 30.0, [])]
    write_persons(tmp_path / "p.json", frames)
    assert json.loads((tmp_path / "p.json").read_text())[0] == {
        "stamp": {"sec": 2, "nanosec": 500000000},
        "persons": [{"score": 1.0}],
    }
    text = summary(frames, frames_in=5)
    for line in ("frames in          5", "frames out         2 (1.0 a second)", "median 20 ms"):
        assert line in text


def picture(stamp_s: float, *, grey: int = 0) -> Picture:
    _, jpeg = cv2.imencode(".jpg", np.full((48, 64, 3), grey, np.uint8))
    return Picture(round(stamp_s * 1e9), jpeg)


def write_moving_square(path, *, frames: int) -> None:
    images = [videos.gray(90, (320, 240)) for _ in range(frames)]
    for i, image in enumerate(images):
        cv2.rectangle(image, (20 + 10 * i, 60), (60 + 10 * i, 180), (200, 180, 160), -1)
    videos.write_video(path, images, fps=FPS)

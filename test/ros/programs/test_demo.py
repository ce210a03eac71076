# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The demo end to end on a video that the test makes: two processes, recorded."""

import json
import os
import subprocess
import sys
from contextlib import closing

import cv2
import numpy as np
import pytest
import spot_model
import videos

pytest.importorskip("rclpy")

from pose_resnet_ros.ros.programs.demo import PersonsFrame, Recording

FPS = 5.0


def test_demo_leaves_video_picture_and_persons(tmp_path):
    pytest.importorskip("rclpy")
    source, output = tmp_path / "source.mp4", tmp_path / "out"
    write_moving_square(source, frames=10)
    command = [sys.executable, "-m", "pose_resnet_ros", "demo", "--source", str(source), "--output", str(output)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=os.environ, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    frames = json.loads((output / "persons.json").read_text())
    stamps = [(frame["stamp"]["sec"], frame["stamp"]["nanosec"]) for frame in frames]
    assert 0 < len(frames) <= 10
    assert stamps == sorted(set(stamps))
    assert cv2.imread(str(output / "annotated.png")).shape == (240, 320, 3)
    assert len(videos.times_of(output / "annotated.mp4")) == len(frames)
    assert "frames out" in done.stdout


def test_demo_waits_for_the_result_of_a_slow_model(tmp_path):
    """The source of one picture ends long before it."""
    cv2.imwrite(str(tmp_path / "picture.png"), np.full((120, 160, 3), 255, np.uint8))
    model = spot_model.spot_model(tmp_path / "slow.onnx", delay=1500)
    command = [sys.executable, "-m", "pose_resnet_ros", "demo", "--source", "picture.png", "--output", "out"]
    # Reliable, for the one picture must arrive.
    parameters = {"pose_model": model, "detector_model": "full_frame", "image_reliability": "reliable"}
    command += ["--", *(word for name, value in parameters.items() for word in ("-p", f"{name}:={value}"))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=os.environ, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(json.loads((tmp_path / "out" / "persons.json").read_text())) == 1


def test_demo_says_what_is_wrong_with_the_source(tmp_path):
    pytest.importorskip("rclpy")
    command = [sys.executable, "-m", "pose_resnet_ros", "demo", "--source", str(tmp_path / "missing.mp4")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=os.environ, cwd=tmp_path)
    assert done.returncode == 1
    assert "missing.mp4" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_video_keeps_the_pace_of_the_stamps(tmp_path):
    recorded(tmp_path, stamps_s=(0.0, 0.1, 1.0))
    assert videos.times_of(tmp_path / "annotated.mp4") == pytest.approx([0.0, 0.1, 1.0])


def test_a_pause_of_the_source_is_shortened(tmp_path):
    recorded(tmp_path, stamps_s=(5.0, 25.0, 25.5))
    assert videos.times_of(tmp_path / "annotated.mp4") == pytest.approx([0.0, 2.0, 2.5])


@pytest.mark.parametrize(("counts", "expected"), [([0, 2, 1], 1), ([0, 0, 0], 0)])
def test_picture_is_the_fullest_frame(tmp_path, counts, expected):
    recorded(tmp_path, stamps_s=(0.0, 0.1, 0.2), counts=counts)
    assert abs(int(cv2.imread(str(tmp_path / "annotated.png")).mean()) - 80 * expected) <= 2


def test_persons_and_summary(tmp_path):
    text = recorded(tmp_path, stamps_s=(2.5, 3.5), counts=(1, 0), ages_ms=(10.0, 30.0))
    assert json.loads((tmp_path / "persons.json").read_text())[0] == {
        "stamp": {"sec": 2, "nanosec": 500000000},
        "persons": [{"score": 1.0}],
    }
    for line in ("frames in          5", "frames out         2 (1.0 a second)", "median 20 ms"):
        assert line in text


def test_a_recording_that_is_not_finished_leaves_nothing(tmp_path):
    with closing(Recording(tmp_path)) as recording:
        recording.add_image(0, np.zeros((48, 64, 3), np.uint8))
    assert not list(tmp_path.iterdir())


def recorded(folder, *, stamps_s, counts=(0, 0, 0), ages_ms=(1.0, 1.0, 1.0)) -> str:
    """A recording of gray frames, each lighter than the last; its summary."""
    recording = Recording(folder)
    for number, (stamp_s, count, age_ms) in enumerate(zip(stamps_s, counts, ages_ms, strict=False)):
        stamp_ns = round(stamp_s * 1e9)
        recording.frames.append(PersonsFrame(stamp_ns, age_ms, [{"score": 1.0}] * count))
        recording.add_image(stamp_ns, np.full((48, 64, 3), 80 * number, np.uint8))
    return recording.finish(frames_in=5)


def write_moving_square(path, *, frames: int) -> None:
    images = [videos.gray(90, (320, 240)) for _ in range(frames)]
    for i, image in enumerate(images):
        cv2.rectangle(image, (20 + 10 * i, 60), (60 + 10 * i, 180), (200, 180, 160), -1)
    videos.write_video(path, images, fps=FPS)

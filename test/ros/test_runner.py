# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The node as its own process: signals, exit codes, what stands on stderr."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("rclpy")

from diagnostic_msgs.msg import DiagnosticArray
from pose_resnet_ros.msg import PersonArray
from sensor_msgs.msg import Image

from pose_resnet_ros.ros import node
from pose_resnet_ros.settings import Settings

EXIT_DEADLINE_S = 300.0
TIMEOUT_S = 300.0
Start = Callable[..., subprocess.Popen]


@pytest.fixture
def start(ros_environment: dict[str, str]) -> Iterator[Start]:
    """Starts a tool of the command line with ROS parameters, or a script, in the world's domain."""
    processes: list[subprocess.Popen] = []

    def start_tool(tool: str = "", *, script: str = "", **parameters: Any) -> subprocess.Popen:
        given = [word for name, value in parameters.items() for word in ("-p", f"{name}:={value}")]
        command = [sys.executable, "-m", "pose_resnet_ros", tool, "--ros-args", *given]
        command = [sys.executable, "-c", script] if script else command
        process = subprocess.Popen(command, env=ros_environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        processes.append(process)
        return process

    yield start_tool
    for process in processes:
        process.kill()
        process.communicate()


def ended(process: subprocess.Popen) -> tuple[int, str]:
    """Exit code and output of a process that ends by itself."""
    output, _ = process.communicate(timeout=TIMEOUT_S)
    return process.returncode, output


def read_until(process: subprocess.Popen, text: str) -> None:
    """Read the output line by line, up to one that contains the text."""
    assert process.stdout
    while text not in process.stdout.readline():
        assert process.poll() is None


def busy_node(world: Any, start: Start, model: str, image_message: Callable[..., Image]) -> subprocess.Popen:
    """A node process in the middle of an inference that would take hours."""
    process = start("pose_node", pose_model=model, detector_model="full_frame")
    persons = world.listen(PersonArray, "/pose_resnet/persons")
    camera = world.publisher(Image)
    dark = image_message()
    dark.data = type(dark.data)("B", bytes(len(dark.data)))
    world.until(lambda: camera.publish(dark) or persons, "the node to work")
    arrays = world.listen(DiagnosticArray, "/diagnostics")

    def counts() -> list[tuple[int, int]]:
        """Frames received and published, in each report."""
        values = [{pair.key: pair.value for pair in array.status[0].values} for array in arrays]
        return [(int(v["frames received"]), int(v["frames published"])) for v in values]

    def stuck() -> bool:
        camera.publish(image_message())
        newest = counts()[-2:]
        return len(newest) == 2 and newest[0] == newest[1] and newest[0][0] > newest[0][1]

    world.until(stuck, "an inference that lasts from one report to the next")
    return process


@pytest.mark.parametrize(
    "signals",
    [[signal.SIGINT], [signal.SIGTERM], [signal.SIGHUP], [signal.SIGINT, signal.SIGINT]],
    ids=["int", "term", "hangup", "twice"],
)
def test_a_signal_in_the_middle_of_an_inference_ends_the_node_cleanly(
    world: Any, start: Start, endless_spot: str, image_message: Callable[..., Image], signals: list[signal.Signals]
) -> None:
    process = busy_node(world, start, endless_spot, image_message)
    for number in signals:
        process.send_signal(number)
        time.sleep(0.05)
    output, _ = process.communicate(timeout=EXIT_DEADLINE_S)
    assert process.returncode == 0, output
    assert "Traceback" not in output
    assert "rosout" not in output  # nobody logs once the context has gone
    assert "ERROR" not in output
    assert "FATAL" not in output


def test_a_signal_while_the_models_load(world: Any, start: Start, spot: str) -> None:
    script = f"""
import sys, time
from pose_resnet_ros.ros import node

def load_slowly(*arguments, **keywords):
    print("loading", flush=True)
    while not keywords["cancelled"]():  # until the signal has come
        time.sleep(0.01)
    return load_pipeline(*arguments, **keywords)

load_pipeline, node.load_pipeline = node.load_pipeline, load_slowly
sys.exit(node.main(["--ros-args", "-p", "detector_model:=full_frame", "-p", "pose_model:={spot}"]))
"""
    process = start(script=script)
    read_until(process, "loading\n")
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=EXIT_DEADLINE_S)
    assert process.returncode == 0, output
    assert "Traceback" not in output
    assert "rosout" not in output  # nobody logs once the context has gone
    assert "FATAL" not in output


def test_a_signal_while_nothing_happens(world: Any, start: Start) -> None:
    process = start("pose_node", autostart="false")
    read_until(process, "waiting to be configured")  # not the graph, in which an earlier node may still be
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=EXIT_DEADLINE_S)
    assert process.returncode == 0, output
    assert "Traceback" not in output
    assert "rosout" not in output  # nobody logs once the context has gone


def test_after_a_signal_python_does_not_clean_up(start: Start) -> None:
    """On a busy machine Python's clean-up takes seconds, and `ros2 launch` waits for 5 s only."""
    script = """
import atexit, sys
from pose_resnet_ros.ros import node

atexit.register(print, "Python cleans up")
sys.exit(node.main(["--ros-args", "-p", "autostart:=false"]))
"""
    process = start(script=script)
    read_until(process, "waiting to be configured")
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=EXIT_DEADLINE_S)
    assert (process.returncode, output) == (0, "")


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"pose_model": "/nowhere/pose.onnx"}, ["/nowhere/pose.onnx"]),
        ({"backend": "quantum"}, ["backend", "auto, cpu, cuda, tensorrt or openvino"]),
        ({"detection_threshold": "2.0"}, ["detection_threshold", "from 0 to 1"]),
    ],
)
def test_a_start_that_fails_is_one_sentence_and_exit_code_1(start: Start, parameters: dict[str, str], words: list[str]) -> None:
    code, output = ended(start("pose_node", **parameters))
    assert code == 1, output
    assert "Traceback" not in output
    (sentence,) = [line for line in output.splitlines() if "FATAL" in line or "ERROR" in line]
    for word in words:
        assert word in sentence


def test_help_lists_the_parameters_and_starts_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert node.main(["--help"]) == 0
    output = capsys.readouterr().out
    for row in Settings.settings():
        assert f"{row.name} (default: {row.text(row.default) or 'empty'})" in output
    assert "hri_id_prefix (default: empty)" in output
    assert "autostart (default: true)" in output


def test_a_word_that_is_no_ros_argument_is_refused_with_the_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert node.main(["--pose-model", "my.onnx"]) == 2
    errors = capsys.readouterr().err
    assert "unknown argument '--pose-model'" in errors
    assert "--ros-args [-p PARAMETER:=VALUE]" in errors


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-p", "detection_threshold"], "-p detection_threshold"),
        (["--params-file", "/nowhere/pose.yaml"], "/nowhere/pose.yaml"),
        (["--no-such-argument"], "--no-such-argument"),
    ],
)
def test_ros_arguments_that_cannot_be_read_are_one_sentence(
    words: list[str], said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert node.main(["--ros-args", *words]) == 2
    errors = capfd.readouterr().err
    assert errors.startswith("pose_resnet: ")
    assert said in errors
    assert "Traceback" not in errors


def test_a_damaged_model_file_is_named(start: Start, tmp_path: Path, spot: str) -> None:
    path = tmp_path / "half.onnx"
    path.write_bytes(Path(spot).read_bytes()[:300])
    code, output = ended(start("pose_node", pose_model=path, detector_model="full_frame"))
    assert code == 1, output
    assert str(path) in output
    assert "Traceback" not in output


def test_image_source_without_its_file(start: Start) -> None:
    code, output = ended(start("image_source", source="/nowhere/street.avi"))
    assert code == 1, output
    (sentence,) = [line for line in output.splitlines() if "FATAL" in line or "ERROR" in line]
    assert "/nowhere/street.avi" in sentence


def test_image_source_stops_on_a_signal(world: Any, start: Start, tmp_path: Path) -> None:
    import cv2
    import numpy as np

    cv2.imwrite(str(tmp_path / "picture.png"), np.zeros((10, 10, 3), np.uint8))
    # It is stopped in the middle of a wait of ten seconds.
    process = start("image_source", source=tmp_path, loop="true", rate="0.1", wait_for_subscribers="1")
    images = world.listen(Image, "/image")
    world.until(lambda: images, "an image")
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=EXIT_DEADLINE_S)
    assert process.returncode == 0, output
    assert "Traceback" not in output
    assert "rosout" not in output  # nobody logs once the context has gone

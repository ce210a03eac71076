# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""``preset:=article allow_download:=true`` on a machine without PyTorch: from an empty model folder to results.

A server on this machine stands in for the makers': a generated checkpoint under Microsoft's file and key names, and the real
YOLOv3-tiny weights where they can be had.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from file_server import serve, trust
from torch_files import architecture, saved, seeded_state, write_file

ROOT = Path(__file__).resolve().parents[2]
LAUNCH_FILE = ROOT / "launch" / "pose.launch.py"
DEADLINE_S = 300.0  # a loaded machine may need it
RUN_LAUNCH = """
import sys
from launch import LaunchDescription, LaunchService
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource

path, *arguments = sys.argv[1:]
pairs = [argument.split(":=", 1) for argument in arguments]
service = LaunchService(noninteractive=True)  # else it leaves SIGINT to the terminal
source = PythonLaunchDescriptionSource(path)
service.include_launch_description(LaunchDescription([IncludeLaunchDescription(source, launch_arguments=pairs)]))
sys.exit(service.run())
"""
NO_TORCH = "raise ImportError('this machine has no torch')"


@pytest.fixture
def served(tmp_path: Path) -> Path:
    script = ROOT / "scripts" / "fetch_package_file.py"
    command = [sys.executable, str(script), "yolov3-tiny.weights"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(done.stderr.strip().splitlines()[-1])
    folder = tmp_path / "served"
    folder.mkdir()
    shutil.copy(done.stdout.strip(), folder / "yolov3-tiny.weights")
    state = seeded_state(architecture(50, width=16, deconv_channels=(64, 64, 64)))
    write_file(folder / "pose_resnet_50_256x192.pth.tar", saved(state), legacy=True)
    return folder


@pytest.mark.usefixtures("ros_prefix")
def test_the_article_s_pair_by_one_command(tmp_path: Path, served: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rclpy = pytest.importorskip("rclpy")
    from pose_resnet_ros.msg import PersonArray

    home = tmp_path / "home"
    (tmp_path / "without_torch" / "torch").mkdir(parents=True)
    (tmp_path / "without_torch" / "torch" / "__init__.py").write_text(NO_TORCH)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "without_torch"), prepend=os.pathsep)
    monkeypatch.setenv("POSE_RESNET_ROS_HOME", str(home))
    monkeypatch.setenv("PYTHONUNBUFFERED", "1")
    trust(monkeypatch, tmp_path)
    cv2.imwrite(str(tmp_path / "gray.png"), np.full((240, 320, 3), 127, np.uint8))
    arguments = ["preset:=article", "allow_download:=true", f"source:={tmp_path}/gray.png", "sigterm_timeout:=150"]
    log = tmp_path / "log.txt"
    received: list[PersonArray] = []
    rclpy.init(args=[])
    listener = rclpy.create_node("listener")
    listener.create_subscription(PersonArray, "/pose_resnet/persons", received.append, 1)
    with serve(served) as address, log.open("w") as output:
        monkeypatch.setenv("POSE_RESNET_ROS_MIRROR", f"{address}/ranges")
        command = [sys.executable, "-c", RUN_LAUNCH, str(LAUNCH_FILE), *arguments]
        launched = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        try:
            deadline = time.monotonic() + DEADLINE_S
            while not received and launched.poll() is None and time.monotonic() < deadline:
                rclpy.spin_once(listener, timeout_sec=0.2)
        finally:
            launched.send_signal(signal.SIGINT)
            launched.wait(DEADLINE_S)
            listener.destroy_node()
            rclpy.shutdown()
    text = log.read_text()
    assert received, text
    assert (home / "yolov3_tiny.onnx").is_file()
    assert (home / "pose_resnet_50_256x192.onnx").is_file()
    for words in ("fetching yolov3_tiny: ", "sha256 dccea06f", "converted from pose_resnet_50_256x192.pth.tar"):
        assert words in text

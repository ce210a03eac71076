# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""A node that goes up and down keeps its size: with the bundled models, images and results, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("rclpy")

from pose_resnet_ros.ros import node

CYCLES = 10
GROWTH = 1.15  # since the second cycle: the first one loads what stays
SCRIPT = f"""
import cv2, os, rclpy
from rclpy.executors import SingleThreadedExecutor
from sensor_msgs.msg import Image
from pose_resnet_ros.msg import PersonArray
from pose_resnet_ros.ros.node import PoseNode

def resident_bytes():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

rclpy.init(args=[])
node = PoseNode(cli_args=["--ros-args", "-p", "autostart:=false"])
peer = rclpy.create_node("peer")
executor = SingleThreadedExecutor()
executor.add_node(node)
executor.add_node(peer)
persons = []
peer.create_subscription(PersonArray, "/pose_resnet/persons", persons.append, 10)
camera = peer.create_publisher(Image, "/image", 1)
pixels = cv2.imread("{Path(__file__).parents[2] / "docs" / "images" / "street.jpg"}")
message = Image(height=pixels.shape[0], width=pixels.shape[1], encoding="bgr8", step=pixels.strides[0])
message.data.frombytes(pixels.tobytes())
for cycle in range({CYCLES}):
    node.trigger_configure()
    node.trigger_activate()
    persons.clear()
    while len(persons) < 3:
        camera.publish(message)
        executor.spin_once(timeout_sec=0.05)
    node.trigger_deactivate()
    node.trigger_cleanup()
    assert all(result.persons for result in persons)
    print("resident", resident_bytes(), flush=True)
node.close()
peer.destroy_node()
rclpy.shutdown()
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="sizes are read from Linux's /proc")
def test_up_and_down_again_and_again_takes_no_more_memory(ros_environment: dict[str, str]) -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], env=ros_environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    sizes = [int(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("resident")]
    assert len(sizes) == CYCLES
    assert sizes[-1] < GROWTH * sizes[1], sizes


def test_a_c_library_that_cannot_be_asked_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_library(_: None) -> None:
        raise OSError("no such library")

    monkeypatch.setattr(node.ctypes, "CDLL", no_library)
    node.return_free_memory()

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The demo: ``image_source`` and ``pose_node`` as two ROS 2 processes over real footage, recorded by a third.

It stays on this machine (``ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST``) and in a domain of its own, so that it meets no robot.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image

from pose_resnet_ros.core.errors import PoseError
from pose_resnet_ros.msg import PersonArray
from pose_resnet_ros.output_files import OutputGuard
from pose_resnet_ros.ros.codecs.image import image_to_bgr
from pose_resnet_ros.ros.health.diagnostics import INPUT_PUBLISHERS, LOST, MATCHED_PUBLISHERS, RECEIVED, UNKNOWN, UNREAD
from pose_resnet_ros.ros.programs import children
from pose_resnet_ros.ros.programs import demo_recording as recording
from pose_resnet_ros.ros.ros_log import init_rclpy

NODE = "/pose_resnet"
IMAGE_TOPIC = "/camera/image_raw"
WRITTEN = ("persons.json", "annotated.png", "annotated.mp4")
START_TIMEOUT_S = 60.0
QUIET_S = 2.0  # after the source's end: without a result for so long there will be none (after 3 s the node warns of silence)
QUEUE = QoSProfile(depth=100)  # the recorder wants every result
BEST_EFFORT = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)


class Recorder(Node):
    """Keeps what the pose node publishes.

    It is the source's second subscriber, from the moment on at which the pose node says that it hears the source: a source that
    waits for two loses none of its frames.
    """

    def __init__(self) -> None:
        super().__init__("demo_recorder")
        self._second: Any = None  # that subscription
        self.frames: list[recording.PersonsFrame] = []
        self.pictures: list[recording.Picture] = []
        self.frames_in: int | None = None
        self.newest_s = time.monotonic()  # when the last result came
        self.create_subscription(PersonArray, f"{NODE}/persons", self._on_persons, QUEUE)
        self.create_subscription(Image, f"{NODE}/annotated_image", self._on_picture, QUEUE)
        self.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, QUEUE)

    def is_connected(self) -> bool:
        """Whether the pose node takes images and its results reach us."""
        results = self.count_publishers(f"{NODE}/persons") and self.count_publishers(f"{NODE}/annotated_image")
        return bool(results and self.count_subscribers(IMAGE_TOPIC))

    def _on_persons(self, message: PersonArray) -> None:
        stamp_ns = _stamp_ns(message)
        age_ms = (self.get_clock().now().nanoseconds - stamp_ns) / 1e6
        persons = [recording.person_to_dict(p) for p in message.persons]
        self.frames.append(recording.PersonsFrame(stamp_ns, age_ms, persons))
        self.newest_s = time.monotonic()
        if self._second is not None:
            self.destroy_subscription(self._second)
            self._second = None

    def _on_picture(self, message: Image) -> None:
        _, jpeg = cv2.imencode(".jpg", image_to_bgr(message), [cv2.IMWRITE_JPEG_QUALITY, 95])
        self.pictures.append(recording.Picture(_stamp_ns(message), jpeg))
        self.newest_s = time.monotonic()

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            counts = {pair.key: pair.value for pair in status.values}
            if RECEIVED in counts:
                self.frames_in = sum(int(counts[key]) for key in (RECEIVED, UNREAD, LOST) if counts[key] != UNKNOWN)
                self._let_begin(counts)

    def _let_begin(self, counts: dict[str, str]) -> None:
        matched = counts[MATCHED_PUBLISHERS]
        heard = counts[INPUT_PUBLISHERS] if matched == UNKNOWN else matched  # Humble does not tell who is connected
        if heard != "0" and self._second is None and not self.frames:
            self._second = self.create_subscription(Image, IMAGE_TOPIC, lambda _: None, BEST_EFFORT)


def main(args: Sequence[str] | None = None) -> int:
    """Run the demo and return the exit code 0. Raises DemoError if a process failed or nothing came out."""
    options = _parse(args)
    guard = OutputGuard([Path(os.path.expanduser(options.source))])
    for name in WRITTEN:
        guard.claim("output", options.output / name)
    children.stay_on_this_machine()
    init_rclpy("demo", [])
    recorder = Recorder()
    processes: list[subprocess.Popen] = []
    try:
        _record(recorder, processes, options)
    except (KeyboardInterrupt, ExternalShutdownException):
        print("stopped; keeping what was recorded")
    finally:
        children.stop(processes)
        recorder.destroy_node()
        rclpy.try_shutdown()
    _write(recorder, options.output)
    return 0


class DemoError(PoseError):
    """One of the demo's processes did not do its part."""


def _record(recorder: Recorder, processes: list[subprocess.Popen], options: argparse.Namespace) -> None:
    print("starting pose_node ...", flush=True)
    pose_node = _start("pose_node", options.pose_node_args, remap=f"image:={IMAGE_TOPIC}")
    processes.append(pose_node)
    _spin_until(recorder, lambda: _fail_if_ended(pose_node) or recorder.is_connected(), START_TIMEOUT_S, "pose_node to start")
    print(f"starting image_source: {options.source}", flush=True)
    source_args = ["-p", f"source:={options.source}", "-p", f"rate:={options.rate}", "-p", "wait_for_subscribers:=2"]
    source = _start("image_source", source_args, remap=f"image:={IMAGE_TOPIC}")
    processes.append(source)
    deadline = time.monotonic() + options.duration
    while source.poll() is None and time.monotonic() < deadline:
        _fail_if_ended(pose_node)
        rclpy.spin_once(recorder, timeout_sec=0.2)
        _show_progress(recorder)
    print()
    if source.returncode not in (None, 0):
        raise DemoError(f"image_source ended with exit code {source.returncode}; its message stands above")
    while time.monotonic() - recorder.newest_s < QUIET_S:
        rclpy.spin_once(recorder, timeout_sec=0.2)


def _start(tool: str, ros_args: Sequence[str], *, remap: str) -> subprocess.Popen:
    return children.start("pose_resnet_ros", tool, ros_args=["-r", remap, *ros_args])


def _fail_if_ended(pose_node: subprocess.Popen) -> bool:
    if pose_node.poll() is not None:
        raise DemoError(f"pose_node ended early with exit code {pose_node.returncode}; its message stands above")
    return False


def _spin_until(node: Node, condition: Callable[[], bool], timeout_s: float, what: str) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise DemoError(f"waited {timeout_s:.0f} s for {what}")
        rclpy.spin_once(node, timeout_sec=0.1)


def _show_progress(recorder: Recorder) -> None:
    if recorder.frames and sys.stdout.isatty():
        newest = recorder.frames[-1]
        print(f"\r{len(recorder.frames)} frames out, {len(newest.persons)} persons, {newest.age_ms:.0f} ms old  ", end="")


def _write(recorder: Recorder, output: Path) -> None:
    if not recorder.frames or not recorder.pictures:
        raise DemoError("nothing was published; the messages of the two processes stand above")
    output.mkdir(parents=True, exist_ok=True)
    persons, picture, video = (output / name for name in WRITTEN)
    recording.write_persons(persons, recorder.frames)
    recording.write_picture(picture, recorder.pictures, recorder.frames)
    recording.write_video(video, recorder.pictures)
    print(recording.summary(recorder.frames, frames_in=recorder.frames_in))
    print(f"wrote {output}/annotated.mp4, annotated.png and persons.json")


def _stamp_ns(message: PersonArray | Image) -> int:
    return message.header.stamp.sec * 1_000_000_000 + message.header.stamp.nanosec


def _parse(args: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python3 -m pose_resnet_ros demo", description=__doc__)
    parser.add_argument("--source", required=True, help="a video, an image, a folder, a webcam's index or an address")
    parser.add_argument("--output", type=Path, default=Path("out/demo"), help="folder for the results")
    parser.add_argument("--rate", type=float, default=0.0, help="frames a second; 0: the source's own")
    parser.add_argument("--duration", type=float, default=120.0, help="stop after so many seconds")
    parser.add_argument("pose_node_args", nargs="*", metavar="-- ARGS", help="further ROS arguments for pose_node")
    return parser.parse_args(args)

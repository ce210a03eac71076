# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Run image_source and pose_node as two ROS 2 processes, and record what they publish.

Their messages stay on this machine (ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST), in a ROS domain of their own.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image

from pose_resnet_ros.core.errors import PoseError, SettingsError
from pose_resnet_ros.msg import PersonArray
from pose_resnet_ros.output_files import OutputGuard, write_json, write_whole
from pose_resnet_ros.ros.codecs.image import image_to_bgr
from pose_resnet_ros.ros.health.diagnostics import INPUT_PUBLISHERS, LOST, MATCHED_PUBLISHERS, RECEIVED, UNKNOWN, UNREAD
from pose_resnet_ros.ros.programs.children import Children, with_children
from pose_resnet_ros.ros.time_sync import stamp_ns
from pose_resnet_ros.video.writer import VideoWriter

NODE = "/pose_resnet"
IMAGE_TOPIC = "/camera/image_raw"
QUIET_S = 2.0  # after the source's end: without a result for so long there will be none (after 3 s the node warns of silence)
FIRST_RESULT_S = 30.0  # the same, where there has been none yet: the first inference may take long
QUEUE = QoSProfile(depth=100)  # the recorder wants every result
WRITTEN = ("persons.json", "annotated.png", "annotated.mp4")
MAX_HOLD_S = 2.0  # a longer gap (the source paused) is shortened in the video
BEST_EFFORT = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)


class DemoError(PoseError):
    """One of the demo's processes did not do its part."""


class Recorder(Node):
    """Records what the pose node publishes.

    It becomes the source's second subscriber as soon as the pose node says that it hears the source: a source that waits for two
    subscribers loses none of its frames.
    """

    def __init__(self, recording: Recording) -> None:
        super().__init__("demo_recorder")
        self._second: Any = None  # that subscription
        self._recording = recording
        self.frames_in: int | None = None
        self._newest_s: float | None = None  # when the last result came
        self.create_subscription(PersonArray, f"{NODE}/persons", self._on_persons, QUEUE)
        self.create_subscription(Image, f"{NODE}/annotated_image", self._on_image, QUEUE)
        self.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, QUEUE)

    def is_connected(self) -> bool:
        """Whether the pose node takes images and its results reach us."""
        results = self.count_publishers(f"{NODE}/persons") and self.count_publishers(f"{NODE}/annotated_image")
        return bool(results and self.count_subscribers(IMAGE_TOPIC))

    def is_complete(self, *, ended_s: float) -> bool:
        """Whether no more results are expected. ended_s: monotonic time of the source's end."""
        if self._newest_s is None:
            return time.monotonic() - ended_s >= FIRST_RESULT_S
        return time.monotonic() - self._newest_s >= QUIET_S

    def _on_persons(self, message: PersonArray) -> None:
        age_ms = (self.get_clock().now().nanoseconds - stamp_ns(message)) / 1e6
        frame = PersonsFrame(stamp_ns(message), age_ms, [person_to_dict(person) for person in message.persons])
        self._recording.frames.append(frame)
        self._newest_s = time.monotonic()
        if self._second is not None:
            self.destroy_subscription(self._second)
            self._second = None
        if sys.stdout.isatty():
            print(f"\r{len(self._recording.frames)} frames out, {len(frame.persons)} persons, {age_ms:.0f} ms old  ", end="")

    def _on_image(self, message: Image) -> None:
        self._recording.add_image(stamp_ns(message), image_to_bgr(message))
        self._newest_s = time.monotonic()

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            counts = {pair.key: pair.value for pair in status.values}
            if RECEIVED in counts:
                self.frames_in = sum(int(counts[key]) for key in (RECEIVED, UNREAD, LOST) if counts[key] != UNKNOWN)
                self._let_begin(counts)

    def _let_begin(self, counts: dict[str, str]) -> None:
        matched = counts[MATCHED_PUBLISHERS]
        heard = counts[INPUT_PUBLISHERS] if matched == UNKNOWN else matched  # Humble does not report who is connected
        if heard != "0" and self._second is None and not self._recording.frames:
            self._second = self.create_subscription(Image, IMAGE_TOPIC, lambda _: None, BEST_EFFORT)


def main(args: Sequence[str] | None = None) -> int:
    """Run the demo and return the exit code 0. Raises PoseError if a process failed or nothing came out."""
    options = _parse(args)
    guard = OutputGuard([Path(os.path.expanduser(options.source))])
    for name in WRITTEN:
        guard.claim("output", options.output / name)
    try:
        options.output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"output: cannot make the folder {options.output}: {error.strerror}") from error
    with closing(Recording(options.output)) as recording:
        with with_children("demo", lambda: Recorder(recording)) as (recorder, children):
            try:
                _record(recorder, children, options)
            except (KeyboardInterrupt, ExternalShutdownException):
                print("stopped; keeping what was recorded")
        if not recording.frames:
            raise DemoError("nothing was published; see the messages of the two processes above")
        print(recording.finish(frames_in=recorder.frames_in))
    print(f"wrote {options.output}/annotated.mp4, annotated.png and persons.json")
    return 0


def _record(recorder: Recorder, children: Children, options: argparse.Namespace) -> None:
    print("starting pose_node ...", flush=True)
    remap = ["-r", f"image:={IMAGE_TOPIC}"]
    pose_node = children.start("pose_resnet_ros", "pose_node", ros_args=[*remap, *options.pose_node_args])
    children.wait_until(recorder.is_connected, "pose_node to start")
    print(f"starting image_source: {options.source}", flush=True)
    source_args = ["-p", f"source:={options.source}", "-p", f"rate:={options.rate}", "-p", "wait_for_subscribers:=2"]
    source = children.start("pose_resnet_ros", "image_source", ros_args=[*remap, *source_args])
    deadline_s = time.monotonic() + options.duration
    while source.poll() is None and time.monotonic() < deadline_s:
        children.check(pose_node)
        rclpy.spin_once(recorder, timeout_sec=0.2)
    print()
    if source.returncode not in (None, 0):
        children.check(source)
    ended_s = time.monotonic()
    while not recorder.is_complete(ended_s=ended_s):
        rclpy.spin_once(recorder, timeout_sec=0.2)


def _parse(args: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="pose_resnet_ros demo", description=__doc__)
    parser.add_argument("--source", required=True, help="a video, an image, a folder, a webcam's index or an address")
    parser.add_argument("--output", type=Path, default=Path("out/demo"), help="folder for the results")
    parser.add_argument("--rate", type=float, default=0.0, help="frames per second; 0: the source's own")
    parser.add_argument("--duration", type=float, default=120.0, help="stop after this many seconds")
    parser.add_argument("pose_node_args", nargs="*", metavar="-- ARGS", help="further ROS arguments for pose_node")
    return parser.parse_args(args)


@dataclass(frozen=True)
class PersonsFrame:
    """One ``~/persons`` message. stamp_ns: the image's stamp; age_ms: from that stamp to the arrival of the message."""

    stamp_ns: int
    age_ms: float
    persons: list[dict[str, Any]]


class Recording:
    """The video is written as its frames come, at the pace of their stamps; the rest by ``finish``."""

    def __init__(self, folder: Path) -> None:
        self.frames: list[PersonsFrame] = []
        self._persons_file, self._image_file, video_file = (folder / name for name in WRITTEN)
        self._video = VideoWriter(video_file)
        self._last_ns: int | None = None
        self._time_s = 0.0
        self._fullest: tuple[int, np.ndarray | None] = (-1, None)

    def add_image(self, stamp_ns: int, bgr: np.ndarray) -> None:
        """An annotated frame, (H, W, 3) uint8 BGR. Raises SettingsError if the video cannot be written."""
        if self._last_ns is not None:
            self._time_s += min(max((stamp_ns - self._last_ns) / 1e9, 0.0), MAX_HOLD_S)
        self._last_ns = stamp_ns
        self._video.write(bgr, self._time_s)
        persons = next((len(frame.persons) for frame in reversed(self.frames) if frame.stamp_ns == stamp_ns), 0)
        if persons > self._fullest[0]:
            self._fullest = persons, bgr

    def finish(self, *, frames_in: int | None) -> str:
        """Complete the files; a few figures, a line each. Ages are from the image's stamp to the arrival of its persons.

        Raises SettingsError if they cannot be written.
        """
        rows = [{"stamp": _stamp(frame.stamp_ns), "persons": frame.persons} for frame in self.frames]
        write_json(self._persons_file, rows, name="output")
        if self._fullest[1] is not None:
            write_whole(self._image_file, cv2.imencode(".png", self._fullest[1])[1].tobytes(), name="output")
        self._video.close()
        persons, ages_ms = [len(f.persons) for f in self.frames], [f.age_ms for f in self.frames]
        seconds = (self.frames[-1].stamp_ns - self.frames[0].stamp_ns) / 1e9
        rate = f" ({(len(self.frames) - 1) / seconds:.1f} a second)" if seconds > 0 else ""
        return f"""frames in          {"unknown" if frames_in is None else frames_in}
frames out         {len(self.frames)}{rate}
persons per frame  {np.mean(persons):.1f} (at most {max(persons)})
age of results     median {np.median(ages_ms):.0f} ms, 95 % under {np.percentile(ages_ms, 95):.0f} ms"""

    def close(self) -> None:
        """Nothing is left of a video that was not finished."""
        self._video.discard()


def person_to_dict(person: Any) -> dict[str, Any]:
    """A ``Person`` message as plain JSON types; ``box`` is x, y, width, height from its top left corner in pixels."""
    centre, width, height = person.bbox.center.position, person.bbox.size_x, person.bbox.size_y
    return {
        "track_id": person.track_id,
        "box": [round(v, 2) for v in (centre.x - width / 2, centre.y - height / 2, width, height)],
        "score": round(person.score, 4),
        "pose_score": round(person.pose_score, 4),
        "keypoints": {k.name: [round(k.x, 2), round(k.y, 2), round(k.score, 4)] for k in person.keypoints},
    }


def _stamp(stamp_ns: int) -> dict[str, int]:
    sec, nanosec = divmod(stamp_ns, 1_000_000_000)
    return {"sec": sec, "nanosec": nanosec}

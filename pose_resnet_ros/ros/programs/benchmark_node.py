# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The pose node as a robot runs it, measured from outside: a source, the node and this listener, a process each.

Run as a program, this module is the source: ``FRAMES RATE --ros-args ...``, with FRAMES a .npy file, (n, H, W, 3) uint8 BGR, and
RATE in frames per second.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.qos import QoSProfile
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from pose_resnet_ros.core.errors import BenchmarkError
from pose_resnet_ros.msg import PersonArray
from pose_resnet_ros.ros import messages, qos
from pose_resnet_ros.ros.health.diagnostics import MEDIAN_AGE, TASK, stage_of
from pose_resnet_ros.ros.programs.children import Children, with_children
from pose_resnet_ros.ros.ros_log import init_rclpy
from pose_resnet_ros.ros.time_sync import stamp_ns

_NODE, _IMAGE_TOPIC = "/pose_resnet", "/camera/image_raw"
_IDLE_S = 3.0
_SETTLE_S = 2.0  # the first frames meet cold caches and an unfinished discovery
_QUEUE = QoSProfile(depth=100)


@dataclass(frozen=True)
class _Result:
    number: int
    age_ms: float
    persons: int


class Listener(Node):
    """Keeps the numbers and ages of the results, and the node's diagnostics."""

    def __init__(self) -> None:
        super().__init__("benchmark_listener")
        self.results: list[_Result] = []
        self.diagnostics: list[dict[str, str]] = []
        self.create_subscription(PersonArray, f"{_NODE}/persons", self._on_persons, _QUEUE)
        self.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, _QUEUE)

    def is_connected(self) -> bool:
        return bool(self.count_publishers(f"{_NODE}/persons") and self.count_subscribers(_IMAGE_TOPIC))

    def spin_for(self, seconds: float, children: Children) -> None:
        end_s = time.monotonic() + seconds
        while (left_s := end_s - time.monotonic()) > 0:
            children.check()
            rclpy.spin_once(self, timeout_sec=min(left_s, 0.1))

    def forget(self) -> None:
        """What came so far does not count."""
        self.results.clear()
        self.diagnostics.clear()

    def _on_persons(self, message: PersonArray) -> None:
        age_ms = (self.get_clock().now().nanoseconds - stamp_ns(message)) / 1e6
        self.results.append(_Result(int(message.header.frame_id), age_ms, len(message.persons)))

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.name == f"{_NODE.lstrip('/')}: {TASK}":
                self.diagnostics.append({pair.key: pair.value for pair in status.values})


@dataclass(frozen=True)
class _Usage:
    """Of the node's process: since when, and its resources until then."""

    at_s: float
    cpu_s: float
    memory_mb: float

    @classmethod
    def of(cls, pid: int) -> _Usage:
        """CPU time of all threads, user and system. Source: proc(5), fields 14 and 15 of /proc/PID/stat, 2 of statm."""
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1])
        cpu_s = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return cls(time.monotonic(), cpu_s, pages * os.sysconf("SC_PAGE_SIZE") / 2**20)

    def __sub__(self, before: _Usage) -> _Usage:
        return _Usage(self.at_s - before.at_s, self.cpu_s - before.cpu_s, self.memory_mb - before.memory_mb)


def measure_node(frames: np.ndarray, *, rate_hz: float, seconds: float, parameters: Mapping[str, object]) -> dict[str, Any]:
    """Run the three processes and measure. frames: (n, H, W, 3) uint8 BGR, sent in turns; parameters: the pose node's.

    In the result, medians over the run:

    - age_*_ms: of a result when the listener has it, since the frame's stamp (the source stamps right before it publishes);
    - age_growth_ms: median age of the last quarter less that of the first;
    - processing_ms: sum of the stages (stage_ms), in_node_ms: from receipt to publishing, both by the node's diagnostics;
    - transport_ms: the rest of the median age, which is both ways through the middleware and rclpy;
    - dropped: frames without a result, because the node took a newer one;
    - cpu_ms_a_result, cpu_ms_a_frame: CPU time of all the node's threads; idle_cpu_percent: of one core, with nothing to do;
    - memory_growth_mb: resident memory, from the settled node to the end.

    Raises BenchmarkError if there are too few results, ChildError, DomainError.
    """
    with with_children("benchmark", Listener) as (listener, children), tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "frames.npy"
        np.save(path, frames)
        remap = ["-r", f"image:={_IMAGE_TOPIC}"]
        given = [word for name, value in parameters.items() for word in ("-p", f"{name}:={json.dumps(value)}")]
        node = children.start("pose_resnet_ros", "pose_node", ros_args=[*remap, *given])
        children.wait_until(listener.is_connected, "the pose node to start")
        begin = _Usage.of(node.pid)
        listener.spin_for(_IDLE_S, children)
        idle = _Usage.of(node.pid) - begin
        children.start("pose_resnet_ros.ros.programs.benchmark_node", str(path), str(rate_hz), ros_args=remap)
        children.wait_until(lambda: listener.results, "the first result")
        listener.spin_for(_SETTLE_S, children)
        listener.forget()
        begin = _Usage.of(node.pid)
        listener.spin_for(seconds, children)
        busy = _Usage.of(node.pid) - begin
    size = {"width": frames.shape[2], "height": frames.shape[1], "rate_hz": rate_hz}
    return size | _figures(listener, busy) | {"idle_cpu_percent": 100 * idle.cpu_s / idle.at_s}


def _figures(listener: Listener, used: _Usage) -> dict[str, Any]:
    results, diagnostics = listener.results, listener.diagnostics
    if len(results) < 2 or not diagnostics:
        raise BenchmarkError(f"{len(results)} results in {used.at_s:.0f} s are too few; measure for longer with --seconds")
    ages = np.array([result.age_ms for result in results])
    quarter = max(1, len(ages) // 4)
    sent = results[-1].number - results[0].number + 1
    median, p95, p99 = np.percentile(ages, (50, 95, 99)).tolist()
    stage_ms = {stage: _median(diagnostics, key) for key in diagnostics[-1] if (stage := stage_of(key))}
    in_node_ms = _median(diagnostics, MEDIAN_AGE)
    return {
        "sent": sent,
        "results": len(results),
        "dropped": sent - len(results),
        "results_hz": len(results) / used.at_s,
        "persons": float(np.mean([result.persons for result in results])),
        "age_median_ms": median,
        "age_p95_ms": p95,
        "age_p99_ms": p99,
        "age_max_ms": float(ages.max()),
        "age_growth_ms": float(np.median(ages[-quarter:]) - np.median(ages[:quarter])),
        "processing_ms": sum(stage_ms.values()),
        "in_node_ms": in_node_ms,
        "transport_ms": median - in_node_ms,
        "cpu_ms_a_result": 1e3 * used.cpu_s / len(results),
        "cpu_ms_a_frame": 1e3 * used.cpu_s / sent,
        "memory_growth_mb": used.memory_mb,
        "stage_ms": stage_ms,
    }


def _median(diagnostics: list[dict[str, str]], key: str) -> float:
    return float(np.median([float(values[key]) for values in diagnostics if key in values]))


class BenchmarkSource(Node):
    """Publishes the same few frames at a steady rate, numbered in the header's frame_id.

    The messages are made before the first is sent; then only their stamps and numbers change.
    """

    def __init__(self, frames: np.ndarray, rate_hz: float) -> None:
        super().__init__("benchmark_source")
        self._messages = [messages.image_message(Header(), frame) for frame in frames]
        self._numbers = count()
        topic = self.resolve_topic_name("image")
        self._image = qos.create_publisher(self, self.create_publisher, Image, topic, qos.image_profile())
        self.create_timer(1.0 / rate_hz, self._publish)

    def _publish(self) -> None:
        number = next(self._numbers)
        message = self._messages[number % len(self._messages)]
        message.header.frame_id = str(number)
        message.header.stamp = self.get_clock().now().to_msg()
        self._image.publish(message)


def main() -> None:
    """Publish until interrupted."""
    init_rclpy("benchmark_source", sys.argv)
    try:
        rclpy.spin(BenchmarkSource(np.load(sys.argv[1]), float(sys.argv[2])))
    except (KeyboardInterrupt, ExternalShutdownException):
        rclpy.try_shutdown()


if __name__ == "__main__":
    main()

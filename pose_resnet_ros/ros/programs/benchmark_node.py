# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The pose node as a robot runs it, measured from outside: a source, the node and this listener, a process each.

With several cameras, one node serves all of them, or each has a node of its own.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.node import Node
from rclpy.qos import QoSProfile

from pose_resnet_ros.core.errors import BenchmarkError
from pose_resnet_ros.msg import PersonArray
from pose_resnet_ros.ros.health.diagnostics import MEDIAN_AGE, NO_SAMPLE, TASK, stage_of
from pose_resnet_ros.ros.programs.children import Children, with_children
from pose_resnet_ros.ros.programs.process_usage import Usage, shared_memory_mb
from pose_resnet_ros.ros.time_sync import stamp_ns
from pose_resnet_ros.ros.topics import TRANSPORTS

_IDLE_S = 3.0
_SETTLE_S = 2.0  # the first frames meet cold caches and an unfinished discovery
_QUEUE = QoSProfile(depth=100)


@dataclass(frozen=True)
class _Camera:
    """node: name of the node that serves it; name: in that node, "" for its only camera."""

    node: str
    name: str
    image_topic: str

    @property
    def persons_topic(self) -> str:
        return "/".join(["", self.node, *filter(None, [self.name]), "persons"])

    @property
    def status(self) -> str:
        """The name of its diagnostics."""
        return f"{self.node}: {TASK} {self.name}".rstrip()

    @property
    def remap(self) -> list[str]:
        return ["-r", f"{self.name}/image:={self.image_topic}".lstrip("/")]


def _cameras(count: int, *, node_per_camera: bool) -> list[_Camera]:
    if count == 1:
        return [_Camera("pose_resnet", "", "/camera/image_raw")]
    topics = {number: f"/camera_{number}/image_raw" for number in range(1, count + 1)}
    if node_per_camera:
        return [_Camera(f"pose_resnet_{number}", "", topic) for number, topic in topics.items()]
    return [_Camera("pose_resnet", f"camera_{number}", topic) for number, topic in topics.items()]


@dataclass(frozen=True)
class _Result:
    camera: _Camera
    number: int
    age_ms: float
    persons: int


class Listener(Node):
    """Keeps the numbers and ages of the results, and the node's diagnostics."""

    def __init__(self, cameras: Sequence[_Camera], image_suffix: str) -> None:
        """image_suffix: of the topics on which the nodes expect their images."""
        super().__init__("benchmark_listener")
        self.cameras, self._image_suffix = cameras, image_suffix
        self.results: list[_Result] = []
        self.diagnostics: list[dict[str, str]] = []
        for camera in cameras:
            self.create_subscription(PersonArray, camera.persons_topic, partial(self._on_persons, camera), _QUEUE)
        self.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, _QUEUE)

    def is_connected(self) -> bool:
        return all(
            self.count_publishers(camera.persons_topic) and self.count_subscribers(camera.image_topic + self._image_suffix)
            for camera in self.cameras
        )

    def has_heard_all(self) -> bool:
        """Whether each camera has led to a result."""
        return len({result.camera for result in self.results}) == len(self.cameras)

    def spin_for(self, seconds: float, children: Children) -> None:
        end_s = time.monotonic() + seconds
        while (left_s := end_s - time.monotonic()) > 0:
            children.check()
            rclpy.spin_once(self, timeout_sec=min(left_s, 0.1))

    def forget(self) -> None:
        """What came so far does not count."""
        self.results.clear()
        self.diagnostics.clear()

    def _on_persons(self, camera: _Camera, message: PersonArray) -> None:
        age_ms = (self.get_clock().now().nanoseconds - stamp_ns(message)) / 1e6
        self.results.append(_Result(camera, int(message.header.frame_id), age_ms, len(message.persons)))

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.name in [camera.status for camera in self.cameras]:
                self.diagnostics.append({pair.key: pair.value for pair in status.values})


def measure_node(
    frames: np.ndarray,
    *,
    rate_hz: float,
    seconds: float,
    parameters: Mapping[str, object],
    cameras: int = 1,
    node_per_camera: bool = False,
) -> dict[str, Any]:
    """Run the processes and measure. frames: (n, H, W, 3) uint8 BGR, sent in turns; rate_hz: of each camera; parameters: the pose
    node's; node_per_camera: whether each camera has a node of its own. The images are encoded
    before the first is sent.

    In the result, medians over the run:

    - age_*_ms: of a result when the listener has it, since the frame's stamp (the source stamps right before it publishes);
    - age_growth_ms: median age of the last quarter less that of the first;
    - processing_ms: sum of the stages (stage_ms), in_node_ms: from receipt to publishing, both by the node's diagnostics;
    - transport_ms: the rest of the median age, which is both ways through the middleware and rclpy;
    - dropped: frames without a result, because the node took a newer one;
    - cpu_ms_a_result, cpu_ms_a_frame: CPU time of all the node's threads; idle_cpu_percent: of one core, with nothing to do;
    - results_hz_each: of each camera, where there are several;
    - memory_mb: of the nodes at the end, pages that processes share divided among them (PSS); memory_growth_mb: resident memory,
      from the settled node to the end.

    Raises BenchmarkError if there are too few results, ChildError, DomainError.
    """
    all_cameras = _cameras(cameras, node_per_camera=node_per_camera)
    transport = TRANSPORTS[str(parameters.get("image_transport", "raw"))]
    with (
        with_children("benchmark", lambda: Listener(all_cameras, transport.suffix)) as (listener, children),
        tempfile.TemporaryDirectory() as folder,
    ):
        path = Path(folder) / "frames.npy"
        np.save(path, frames)
        pids = _start_nodes(children, all_cameras, parameters)
        children.wait_until(listener.is_connected, "the pose node to start")
        begin = Usage.of(pids)
        listener.spin_for(_IDLE_S, children)
        idle = Usage.of(pids) - begin
        topics = [camera.image_topic for camera in all_cameras]
        source = ["pose_resnet_ros.ros.programs.benchmark_source", str(path), str(rate_hz), transport.name, *topics]
        children.start(*source, ros_args=[])
        children.wait_until(listener.has_heard_all, "the first results")
        listener.spin_for(_SETTLE_S, children)
        listener.forget()
        begin = Usage.of(pids)
        listener.spin_for(seconds, children)
        busy = Usage.of(pids) - begin
        memory_mb = sum(map(shared_memory_mb, pids))
    setting = {"width": frames.shape[2], "height": frames.shape[1], "rate_hz": rate_hz, "cameras": cameras, "nodes": len(pids)}
    setting["image_transport"] = transport.name
    figures = _figures(listener, busy)
    stage_ms = figures.pop("stage_ms")
    return setting | figures | {"memory_mb": memory_mb, "idle_cpu_percent": 100 * idle.cpu_s / idle.at_s, "stage_ms": stage_ms}


def _start_nodes(children: Children, cameras: Sequence[_Camera], parameters: Mapping[str, object]) -> list[int]:
    """The process ids of the nodes."""
    given = [word for name, value in parameters.items() for word in ("-p", f"{name}:={json.dumps(value)}")]
    pids = []
    for node in dict.fromkeys(camera.node for camera in cameras):
        own = [camera for camera in cameras if camera.node == node]
        names = ["-r", f"__node:={node}", "-p", f"cameras:={json.dumps([camera.name for camera in own])}"]
        remap = [word for camera in own for word in camera.remap]
        pids.append(children.start("pose_resnet_ros", "pose_node", ros_args=[*names, *remap, *given]).pid)
    return pids


def _figures(listener: Listener, used: Usage) -> dict[str, Any]:
    results, diagnostics = listener.results, listener.diagnostics
    if len(results) < 2 or not diagnostics:
        raise BenchmarkError(f"{len(results)} results in {used.at_s:.0f} s are too few; measure for longer with --seconds")
    ages = np.array([result.age_ms for result in results])
    quarter = max(1, len(ages) // 4)
    by_camera = {camera: [result.number for result in results if result.camera == camera] for camera in listener.cameras}
    sent = sum(numbers[-1] - numbers[0] + 1 for numbers in by_camera.values() if numbers)
    each_hz = [round(len(numbers) / used.at_s, 2) for numbers in by_camera.values()]
    median, p95, p99 = np.percentile(ages, (50, 95, 99)).tolist()
    stage_ms = {stage: _median(diagnostics, key) for key in diagnostics[-1] if (stage := stage_of(key))}
    in_node_ms = _median(diagnostics, MEDIAN_AGE)
    return {
        "sent": sent,
        "results": len(results),
        "dropped": sent - len(results),
        "results_hz": len(results) / used.at_s,
        **({"results_hz_each": each_hz} if len(each_hz) > 1 else {}),
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
    """Of the reports that have such a value: a node that stood still for seconds has none."""
    return float(np.median([float(values[key]) for values in diagnostics if values.get(key, NO_SAMPLE) != NO_SAMPLE]))

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The pose node as a robot runs it, measured from outside: a source, the node and this listener, a process each."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.node import Node
from rclpy.qos import QoSProfile

from pose_resnet_ros.core.errors import BenchmarkError
from pose_resnet_ros.msg import PersonArray
from pose_resnet_ros.ros.health.diagnostics import MEDIAN_AGE, TASK, stage_of
from pose_resnet_ros.ros.programs import children
from pose_resnet_ros.ros.ros_log import init_rclpy

_NODE, _IMAGE_TOPIC = "/pose_resnet", "/camera/image_raw"
_START_TIMEOUT_S = 60.0
_IDLE_S = 3.0
_SETTLE_S = 2.0  # the first frames meet cold caches and a discovery that is not over
_QUEUE = QoSProfile(depth=100)


@dataclass(frozen=True)
class NodeRow:
    """What one run gave.

    age_ms: of a result when the listener has it, since the picture's stamp (the source stamps right before it publishes);
    age_growth_ms: median age of the last quarter less that of the first; processing_ms: sum of the stages' times, and
    in_node_ms: age at publishing since receipt, both by the node's diagnostics (medians over the run); transport_ms: what is
    left of the median age: both ways through the middleware and rclpy; dropped: pictures that gave no result, the node took
    the newest instead; cpu_ms_a_result, cpu_ms_a_picture: CPU time of all the node's threads; idle_cpu_percent: of one core,
    with nothing to do; memory_growth_mb: resident, from the settled node to the end.
    """

    width: int
    height: int
    rate_hz: float
    sent: int
    results: int
    dropped: int
    results_hz: float
    persons: float
    age_median_ms: float
    age_p95_ms: float
    age_p99_ms: float
    age_max_ms: float
    age_growth_ms: float
    processing_ms: float
    in_node_ms: float
    transport_ms: float
    cpu_ms_a_result: float
    cpu_ms_a_picture: float
    idle_cpu_percent: float
    memory_growth_mb: float
    stage_ms: dict[str, float]


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

    def spin_for(self, seconds: float, alive: Callable[[], None]) -> None:
        end_s = time.monotonic() + seconds
        while (left_s := end_s - time.monotonic()) > 0:
            alive()
            rclpy.spin_once(self, timeout_sec=min(left_s, 0.1))

    def _on_persons(self, message: PersonArray) -> None:
        stamp = message.header.stamp
        age_ms = (self.get_clock().now().nanoseconds - stamp.sec * 1_000_000_000 - stamp.nanosec) / 1e6
        self.results.append(_Result(int(message.header.frame_id), age_ms, len(message.persons)))

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.name == f"{_NODE.lstrip('/')}: {TASK}":
                self.diagnostics.append({pair.key: pair.value for pair in status.values})


def measure_node(frames: np.ndarray, *, rate_hz: float, seconds: float, parameters: dict[str, object]) -> NodeRow:
    """Run the three processes and measure.

    frames: (n, H, W, 3) uint8 BGR, sent in turns; parameters: the pose node's. Raises BenchmarkError, ChildError.
    """
    children.stay_on_this_machine()
    init_rclpy("benchmark", [])
    listener = Listener()
    processes: list[subprocess.Popen] = []
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "frames.npy"
            np.save(path, frames)
            return _run(listener, processes, path, frames.shape, rate_hz, seconds, parameters)
    finally:
        children.stop(processes)
        listener.destroy_node()
        rclpy.try_shutdown()


def _run(
    listener: Listener,
    processes: list[subprocess.Popen],
    path: Path,
    shape: Sequence[int],
    rate_hz: float,
    seconds: float,
    parameters: dict[str, object],
) -> NodeRow:
    def alive() -> None:
        for process in processes:
            if process.poll() is not None:
                raise BenchmarkError(f"a process ended early with exit code {process.returncode}; its message stands above")

    given = [word for name, value in parameters.items() for word in ("-p", f"{name}:={json.dumps(value)}")]
    node = children.start("pose_resnet_ros", "pose_node", ros_args=["-r", f"image:={_IMAGE_TOPIC}", *given])
    processes.append(node)
    _wait_for(listener, alive)
    idle = _cpu_s(node.pid)
    listener.spin_for(_IDLE_S, alive)
    idle_percent = 100 * (_cpu_s(node.pid) - idle) / _IDLE_S
    source_args = ["-r", f"image:={_IMAGE_TOPIC}", "-p", f"frames:={path}", "-p", f"rate:={rate_hz}"]
    processes.append(children.start("pose_resnet_ros.ros.programs.benchmark_source", ros_args=source_args))
    _wait_for_results(listener, alive)
    listener.spin_for(_SETTLE_S, alive)
    listener.results.clear()
    listener.diagnostics.clear()
    cpu_s, memory_mb, begin_s = _cpu_s(node.pid), _resident_mb(node.pid), time.monotonic()
    listener.spin_for(seconds, alive)
    cpu_s, elapsed_s = _cpu_s(node.pid) - cpu_s, time.monotonic() - begin_s
    memory_mb = _resident_mb(node.pid) - memory_mb
    return _row(listener, shape, rate_hz, elapsed_s, cpu_s, idle_percent, memory_mb)


def _row(
    listener: Listener,
    shape: Sequence[int],
    rate_hz: float,
    elapsed_s: float,
    cpu_s: float,
    idle_percent: float,
    memory_growth_mb: float,
) -> NodeRow:
    results = listener.results
    if len(results) < 2 or not listener.diagnostics:
        raise BenchmarkError(f"{len(results)} results in {elapsed_s:.0f} s are too few; measure for longer with --seconds")
    ages = np.array([result.age_ms for result in results])
    quarter = max(1, len(ages) // 4)
    sent = results[-1].number - results[0].number + 1
    median, p95, p99 = np.percentile(ages, (50, 95, 99)).tolist()
    stage_ms = _stages(listener.diagnostics)
    in_node_ms = _median(listener.diagnostics, MEDIAN_AGE)
    return NodeRow(
        width=shape[2],
        height=shape[1],
        rate_hz=rate_hz,
        sent=sent,
        results=len(results),
        dropped=sent - len(results),
        results_hz=len(results) / elapsed_s,
        persons=float(np.mean([result.persons for result in results])),
        age_median_ms=median,
        age_p95_ms=p95,
        age_p99_ms=p99,
        age_max_ms=float(ages.max()),
        age_growth_ms=float(np.median(ages[-quarter:]) - np.median(ages[:quarter])),
        processing_ms=sum(stage_ms.values()),
        in_node_ms=in_node_ms,
        transport_ms=median - in_node_ms,
        cpu_ms_a_result=1e3 * cpu_s / len(results),
        cpu_ms_a_picture=1e3 * cpu_s / sent,
        idle_cpu_percent=idle_percent,
        memory_growth_mb=memory_growth_mb,
        stage_ms=stage_ms,
    )


def _stages(diagnostics: list[dict[str, str]]) -> dict[str, float]:
    return {stage: _median(diagnostics, key) for key in diagnostics[-1] if (stage := stage_of(key))}


def _median(diagnostics: list[dict[str, str]], key: str) -> float:
    return float(np.median([float(values[key]) for values in diagnostics if key in values]))


def _wait_for(listener: Listener, alive: Callable[[], None]) -> None:
    deadline_s = time.monotonic() + _START_TIMEOUT_S
    while not listener.is_connected():
        if time.monotonic() > deadline_s:
            raise BenchmarkError(f"waited {_START_TIMEOUT_S:.0f} s for the pose node to start")
        listener.spin_for(0.1, alive)


def _wait_for_results(listener: Listener, alive: Callable[[], None]) -> None:
    deadline_s = time.monotonic() + _START_TIMEOUT_S
    while not listener.results:
        if time.monotonic() > deadline_s:
            raise BenchmarkError(f"waited {_START_TIMEOUT_S:.0f} s for the first result; see the node's log above")
        listener.spin_for(0.1, alive)


def _cpu_s(pid: int) -> float:
    """CPU time of a process, all threads, user and system. Source: proc(5), fields 14 and 15 of /proc/PID/stat."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

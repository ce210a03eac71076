# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The node's health as one ``diagnostic_msgs/DiagnosticStatus``, built from a snapshot. Publishing it is the node's job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from diagnostic_msgs.msg import DiagnosticStatus, KeyValue

from pose_resnet_ros.ros.health.statistics import Summary

SILENT_AFTER_S = 3.0
OWING_AFTER_S = 10.0  # longer than the slowest model takes for a frame full of people
FAILING_AFTER = 5  # errors in a row: no longer a bad frame, but a bad camera or a bad model
_OK, _WARN, _ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR


@dataclass(frozen=True)
class Condition:
    """What the node is and sees besides its statistics.

    state: lifecycle state; topic: resolved input topic; providers: network -> onnxruntime provider in use; publishers: how
    many publish there; other_types: what else than images of the right type is published there; matched: how many of the
    publishers are connected, None where nobody subscribes or rclpy does not tell (Humble); is_waiting: an inference is under
    way, and frames stay unread until it ends; problem: why the last transition failed; worker_died: the worker ended without
    being asked to; trouble: why frames come in and no results go out, as an optional part says it; further: values of optional
    parts.
    """

    state: str
    topic: str
    providers: Mapping[str, str]
    publishers: int
    other_types: tuple[str, ...] = ()
    matched: int | None = None
    is_waiting: bool = False
    problem: str = ""
    worker_died: bool = False
    trouble: str = ""
    further: Mapping[str, str] = field(default_factory=dict)


def judge(summary: Summary, condition: Condition) -> tuple[bytes, str]:
    """(level, sentence): the worst thing there is to say, and what to do about it."""
    if condition.problem:
        return _ERROR, condition.problem
    if condition.state != "active":
        return _OK, f"{condition.state}: not processing"
    if condition.worker_died:
        return (
            _ERROR,
            "the worker thread has ended: the log says why; deactivate and activate to start it again",
        )
    if summary.errors_in_a_row >= FAILING_AFTER:
        return _ERROR, f"the last {summary.errors_in_a_row} frames failed; the log says why"
    if summary.silent_s > SILENT_AFTER_S and not condition.is_waiting:
        return _WARN, _silence(summary, condition)
    if condition.trouble:
        return _WARN, condition.trouble
    if summary.owing_s > OWING_AFTER_S:
        return _WARN, (
            f"frames come, but no result for {summary.owing_s:.0f} s: they fail (the log says why), an inference takes that long,"
            " or they wait longer than max_age_ms"
        )
    if condition.publishers > 1:
        return (
            _WARN,
            f"{condition.publishers} publishers on {condition.topic}: images of several cameras, or of one started twice, are"
            " taken for one stream; ids and depth will not hold",
        )
    return _OK, f"{summary.output_hz:.1f} results/s, {summary.persons} persons"


def _silence(summary: Summary, condition: Condition) -> str:
    topic, publishers = condition.topic, f"{condition.publishers} publisher(s) on {condition.topic}"
    if not condition.publishers and condition.other_types:
        return (
            f"{topic} carries {', '.join(condition.other_types)}: image_transport raw takes sensor_msgs/msg/Image from `image`,"
            " compressed takes sensor_msgs/msg/CompressedImage from `image`/compressed"
        )
    if not condition.publishers:
        return (
            f"nobody publishes {topic}: the source has stopped"
            if summary.received
            else f"nobody publishes {topic} yet"
        )
    if condition.matched == 0:
        return f"{publishers}, but not connected: set image_reliability to best_effort, and see the log for incompatible QoS"
    if summary.received:
        return f"{publishers}, but no frame for {summary.silent_s:.0f} s: the source has stopped"
    return (
        f"{publishers}, but no frame has arrived: either the camera does not send, or its frames are lost on the way. Start"
        " camera and node with FASTRTPS_DEFAULT_PROFILES_FILE (from Kilted: FASTDDS_DEFAULT_PROFILES_FILE) set to"
        " config/fastdds_images.xml of pose_resnet_ros"
    )


def status(name: str, summary: Summary, condition: Condition) -> DiagnosticStatus:
    """The whole status; ``name`` as the robot shows it."""
    level, message = judge(summary, condition)
    values = [KeyValue(key=key, value=value) for key, value in _values(summary, condition).items()]
    return DiagnosticStatus(level=level, name=name, message=message, hardware_id="none", values=values)


def _values(summary: Summary, condition: Condition) -> dict[str, str]:
    return {
        "lifecycle state": condition.state,
        "input topic": condition.topic,
        "publishers": str(condition.publishers),
        "publishers matched": "unknown" if condition.matched is None else str(condition.matched),
        "frames received": str(summary.received),
        "frames skipped": str(summary.skipped),
        "frames published": str(summary.published),
        "frames dropped as stale": str(summary.stale),
        "input rate (Hz)": f"{summary.input_hz:.1f}",
        "output rate (Hz)": f"{summary.output_hz:.1f}",
        **_ages("since receipt", summary.age_ms),
        **_ages("since stamp", summary.stamp_age_ms),
        "persons": str(summary.persons),
        **{f"stage {stage} (ms)": f"{ms:.1f}" for stage, ms in summary.stage_ms.items()},
        **{f"{network} runs on": provider for network, provider in condition.providers.items()},
        **{f"errors: {kind}": str(count) for kind, count in sorted(summary.errors.items())},
        "time jumped back": str(summary.time_jumps),
        "stamps out of order": str(summary.steps_back),
        **condition.further,
    }


def _ages(since: str, age_ms: tuple[float, float] | None) -> dict[str, str]:
    median, p95 = (f"{age_ms[0]:.1f}", f"{age_ms[1]:.1f}") if age_ms else ("no sample", "no sample")
    return {f"age {since}, median (ms)": median, f"age {since}, p95 (ms)": p95}

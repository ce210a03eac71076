# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The node's health as one ``diagnostic_msgs/DiagnosticStatus``, built from a snapshot. Publishing it is the node's job."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from diagnostic_msgs.msg import DiagnosticStatus, KeyValue

from pose_resnet_ros.ros.health.statistics import WINDOW_S, Summary

TASK = "pose estimation"
# Keys of the values that programs of this package read.
INPUT_PUBLISHERS, MATCHED_PUBLISHERS = "publishers", "publishers matched"
RECEIVED, UNREAD, LOST = "frames received", "frames left unread", "frames lost on the way"  # all the frames that were sent
MEDIAN_AGE = "age since receipt, median (ms)"
UNKNOWN = "unknown"
SILENT_AFTER_S = 3.0
OWING_AFTER_S = 10.0  # longer than the slowest model takes for a frame full of people
FAILING_AFTER = 5  # errors in a row: no longer a bad frame, but a bad camera or a bad model
SLOW_AFTER_S = 10.0  # a crowd that passes by is no overload
LOSSY_SHARE, LOSSY_FROM = 0.1, 3  # best effort loses an image now and then
# Fast DDS 2 (up to Jazzy) and 3 (from Kilted).
PROFILE_VARIABLES = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")
_SMALLER = "compressed images (image_transport)"
_OK, _WARN, _ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR


@dataclass(frozen=True)
class NodeState:
    """What the node is and sees besides its statistics.

    state: lifecycle state; topic: resolved input topic; providers: network -> onnxruntime provider in use; publishers: how
    many publish there; other_types: what else than images of the right type is published there; elsewhere: the other
    transport's name and topic, if images are published there; matched: how many of the publishers are connected, None where
    nobody subscribes or rclpy does not tell (Humble); is_waiting: an inference is under way, and frames stay unread until it
    ends; slow_s: for how long results have stayed below min_output_ratio; problem: why the last transition failed; worker_died:
    the worker ended without being asked to; warning: why frames come in and no results go out, as an optional part says it;
    loss_cure: what helps where frames get lost; further: values of optional parts.
    """

    state: str
    topic: str
    providers: Mapping[str, str]
    publishers: int
    other_types: tuple[str, ...] = ()
    elsewhere: tuple[str, str] | None = None
    matched: int | None = None
    is_waiting: bool = False
    slow_s: float = 0.0
    problem: str = ""
    worker_died: bool = False
    warning: str = ""
    loss_cure: str = ""
    further: Mapping[str, str] = field(default_factory=dict)


class Verdict(NamedTuple):
    """level: of DiagnosticStatus; message: a sentence; kind: one word for all sentences about the same."""

    level: bytes
    message: str
    kind: str


def evaluate(summary: Summary, condition: NodeState) -> Verdict:
    """The worst thing there is to say, and what to do about it."""
    if condition.state != "active" or condition.problem or condition.worker_died:
        return _not_working(condition)
    if summary.errors_in_a_row >= FAILING_AFTER:
        return Verdict(_ERROR, f"the last {summary.errors_in_a_row} frames failed; the log says why", "failing")
    if is_lossy(summary):
        return Verdict(_WARN, _losses(summary, condition), "losses")
    if summary.silent_s > SILENT_AFTER_S and not condition.is_waiting:
        return Verdict(_WARN, _silence(summary, condition), "silence")
    if condition.warning:
        return Verdict(_WARN, condition.warning, "warning")
    if summary.seconds_without_result > OWING_AFTER_S:
        return Verdict(
            _WARN,
            f"frames arrive, but no result for {summary.seconds_without_result:.0f} s: they fail (see the log), the"
            " inference takes longer than that, or they wait longer than max_age_ms",
            "no result",
        )
    if condition.publishers > 1:
        return Verdict(
            _WARN,
            f"{condition.publishers} publishers on {condition.topic}: images of several cameras, or of one started twice, are"
            " taken for one stream; ids and depth will not hold",
            "publishers",
        )
    if condition.slow_s > SLOW_AFTER_S:
        return Verdict(
            _WARN,
            f"overloaded for {condition.slow_s:.0f} s: {summary.output_hz:.1f} results/s of {came_hz(summary):.1f} images/s; the"
            " stage times show what takes long. If that rate will do, lower min_output_ratio",
            "overload",
        )
    return Verdict(_OK, f"{summary.output_hz:.1f} results/s, {summary.persons} persons", "")


def is_lossy(summary: Summary) -> bool:
    """Whether so many frames were lost lately that it matters."""
    return summary.lost_lately >= max(LOSSY_FROM, LOSSY_SHARE * summary.sent_lately)


def came_hz(summary: Summary) -> float:
    """How many frames a second came whole, read or not."""
    kept = summary.sent_lately - summary.lost_lately
    return summary.input_hz * kept / summary.sent_lately if summary.sent_lately else 0.0


def _not_working(condition: NodeState) -> Verdict:
    if condition.problem:
        return Verdict(_ERROR, condition.problem, "problem")
    if condition.state != "active":
        return Verdict(_OK, f"{condition.state}: not processing", "")
    cure = "the log says why; deactivate and activate to start it again"
    return Verdict(_ERROR, f"the worker thread has ended: {cure}", "worker")


def _losses(summary: Summary, condition: NodeState) -> str:
    lost, sent = summary.lost_lately, summary.sent_lately
    return (
        f"{lost} of {sent} images on {condition.topic} were lost on the way in the last {WINDOW_S:.0f} s: {condition.loss_cure}"
    )


def _silence(summary: Summary, condition: NodeState) -> str:
    publishers = f"{condition.publishers} publisher(s) on {condition.topic}"
    if not condition.publishers:
        return _nobody(summary, condition)
    if condition.matched == 0:
        return f"{publishers}, but not connected: set image_reliability to best_effort, and see the log for incompatible QoS"
    if summary.received:
        return f"{publishers}, but no frame for {summary.silent_s:.0f} s: the source has stopped"
    return (
        f"{publishers}, but no frame has arrived: either the camera does not send, or its frames are lost on the way:"
        f" {condition.loss_cure}"
    )


def _nobody(summary: Summary, condition: NodeState) -> str:
    topic = condition.topic
    if condition.other_types:
        return (
            f"{topic} carries {', '.join(condition.other_types)}: image_transport raw takes sensor_msgs/msg/Image from `image`,"
            " compressed takes sensor_msgs/msg/CompressedImage from `image`/compressed"
        )
    if condition.elsewhere:
        transport, other_topic = condition.elsewhere
        return f"nobody publishes {topic}, but {other_topic} is published: set image_transport to {transport}"
    return f"nobody publishes {topic}: the source has stopped" if summary.received else f"nobody publishes {topic} yet"


def status(node_name: str, summary: Summary, condition: NodeState) -> DiagnosticStatus:
    """The whole status. node_name: with its namespace, without the first slash; the hardware is the camera, by its topic."""
    level, message, _ = evaluate(summary, condition)
    values = [KeyValue(key=key, value=value) for key, value in _values(summary, condition).items()]
    return DiagnosticStatus(level=level, name=f"{node_name}: {TASK}", message=message, hardware_id=condition.topic, values=values)


def _values(summary: Summary, condition: NodeState) -> dict[str, str]:
    return {
        "lifecycle state": condition.state,
        "input topic": condition.topic,
        INPUT_PUBLISHERS: str(condition.publishers),
        MATCHED_PUBLISHERS: _or_unknown(condition.matched),
        RECEIVED: str(summary.received),
        UNREAD: str(summary.unread),
        LOST: _or_unknown(summary.lost),
        "frames published": str(summary.published),
        "frames dropped as stale": str(summary.stale),
        "input rate (Hz)": f"{summary.input_hz:.1f}",
        "output rate (Hz)": f"{summary.output_hz:.1f}",
        **_ages("since receipt", summary.age_ms),
        **_ages("since stamp", summary.stamp_age_ms),
        "persons": str(summary.persons),
        **{stage_key(stage): f"{ms:.1f}" for stage, ms in summary.stage_ms.items()},
        **{f"{network} runs on": provider for network, provider in condition.providers.items()},
        **{f"errors: {kind}": str(count) for kind, count in sorted(summary.errors.items())},
        "time jumped back": str(summary.time_jumps),
        "stamps out of order": str(summary.steps_back),
        **condition.further,
    }


def stage_key(stage: str) -> str:
    """The key of a stage's time."""
    return f"stage {stage} (ms)"


def stage_of(key: str) -> str | None:
    """The stage whose time this key gives, None for other keys."""
    found = re.fullmatch(re.escape(stage_key("STAGE")).replace("STAGE", "(.+)"), key)
    return found and found[1]


def _ages(since: str, age_ms: tuple[float, float] | None) -> dict[str, str]:
    median, p95 = (f"{age_ms[0]:.1f}", f"{age_ms[1]:.1f}") if age_ms else ("no sample", "no sample")
    return {f"age {since}, median (ms)": median, f"age {since}, p95 (ms)": p95}


def _or_unknown(count: int | None) -> str:
    return UNKNOWN if count is None else str(count)


def loss_cure(middleware: str, environment: Mapping[str, str]) -> str:
    """A phrase. middleware: as rclpy names it; environment: of this process, whose profile the camera may lack."""
    if "fastrtps" not in middleware:
        return f"give {middleware} larger receive buffers, or take {_SMALLER}"
    profile = next((environment[name] for name in PROFILE_VARIABLES if environment.get(name)), "")
    if profile:
        return f"start the camera with this node's Fast DDS profile, {profile}; over a network take {_SMALLER}"
    return (
        f"start camera and node with {PROFILE_VARIABLES[0]} (from Kilted: {PROFILE_VARIABLES[1]}) set to"
        " config/fastdds_images.xml of pose_resnet_ros"
    )

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
from pose_resnet_ros.ros.topics import TRANSPORTS

TASK = "pose estimation"
# Keys of the values that programs of this package read.
INPUT_PUBLISHERS, MATCHED_PUBLISHERS = "publishers", "publishers matched"
RECEIVED, UNREAD, LOST = "frames received", "frames left unread", "frames lost in transit"  # all the frames that were sent
AGE_KEY = "age since {}, {} (ms)"  # since what; median or p95
MEDIAN_AGE = AGE_KEY.format("receipt", "median")
UNKNOWN = "unknown"
NO_SAMPLE = "no sample"
PART_WARNING = "part"  # kind of a verdict that the part itself has logged
SILENT_AFTER_S = 3.0
NO_RESULT_AFTER_S = 10.0  # longer than the slowest model takes for a frame full of people
FAILING_AFTER = 5  # errors in a row: no longer a bad frame, but a bad camera or a bad model
OVERLOADED_AFTER_S = 10.0  # a crowd that passes by is no overload
LOSSY_SHARE, LOSSY_FROM = 0.1, 3  # best effort loses an image now and then
# Fast DDS 2 (up to Jazzy) and 3 (from Kilted).
PROFILE_VARIABLES = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")
_SMALLER = "compressed images (image_transport)"
_OK, _WARN, _ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR


@dataclass(frozen=True)
class NodeState:
    """What the node is, and what it sees of one camera besides the statistics.

    lifecycle: state of the node; topic: resolved image topic; providers: network -> onnxruntime provider in use; publishers: how
    many publish images there; other_types: which other types are published there; elsewhere: name and topic of another
    transport, if images are published there; matched: how many publishers are connected, None without a subscription, or where
    rclpy does not report it (Humble); is_waiting: frames stay unread until an inference ends; overloaded_s: for how long results
    have stayed below min_output_ratio; problem: why the last transition failed; worker_died: the worker ended without being asked
    to; warning: why frames arrive and an optional part gives no results; loss_cure: what helps where frames get lost; further:
    values of optional parts.
    """

    lifecycle: str
    topic: str
    providers: Mapping[str, str]
    publishers: int
    other_types: tuple[str, ...] = ()
    elsewhere: tuple[str, str] | None = None
    matched: int | None = None
    is_waiting: bool = False
    overloaded_s: float = 0.0
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


def evaluate(summary: Summary, state: NodeState) -> Verdict:
    """The worst thing there is to say, and what to do about it."""
    checks = (_problem, _failures, _losses, _silence, _part_warning, _no_result, _several_publishers, _overload)
    found = next(filter(None, (check(summary, state) for check in checks)), None)
    return found or Verdict(_OK, f"{summary.output_hz:.1f} results/s, {summary.persons} persons", "")


def arrived_hz(summary: Summary) -> float:
    """How many frames a second arrived whole, read or not."""
    kept = summary.sent_lately - summary.lost_lately
    return summary.input_hz * kept / summary.sent_lately if summary.sent_lately else 0.0


def _problem(summary: Summary, state: NodeState) -> Verdict | None:
    if state.problem:
        return Verdict(_ERROR, state.problem, "problem")
    if state.lifecycle != "active":
        return Verdict(_OK, f"{state.lifecycle}: not processing images", "")
    if state.worker_died:
        return Verdict(_ERROR, "a worker thread has ended, see the log; deactivate and activate to restart it", "worker")
    return None


def _failures(summary: Summary, state: NodeState) -> Verdict | None:
    count = summary.errors_in_a_row
    return Verdict(_ERROR, f"the last {count} frames failed, see the log", "failing") if count >= FAILING_AFTER else None


def _losses(summary: Summary, state: NodeState) -> Verdict | None:
    lost, sent = summary.lost_lately, summary.sent_lately
    if lost < max(LOSSY_FROM, LOSSY_SHARE * sent):
        return None
    message = f"{lost} of {sent} images on {state.topic} were lost in transit in the last {WINDOW_S:.0f} s: {state.loss_cure}"
    return Verdict(_WARN, message, "losses")


def _silence(summary: Summary, state: NodeState) -> Verdict | None:
    if summary.silent_s <= SILENT_AFTER_S or state.is_waiting:
        return None
    return Verdict(_WARN, _why_silent(summary, state) if state.publishers else _why_no_publisher(summary, state), "silence")


def _why_silent(summary: Summary, state: NodeState) -> str:
    publishers = f"{state.publishers} publisher(s) on {state.topic}"
    if state.matched == 0:
        return f"{publishers}, but not connected: set image_reliability to best_effort, and see the log for incompatible QoS"
    if summary.received:
        return f"{publishers}, but no image for {summary.silent_s:.0f} s: the source has stopped"
    return f"{publishers}, but no image has arrived: either the camera sends none, or they are lost in transit: {state.loss_cure}"


def _why_no_publisher(summary: Summary, state: NodeState) -> str:
    topic = state.topic
    if state.other_types:
        takes = ", ".join(f"{way.name} takes {way.type_name} from `image`{way.suffix}" for way in TRANSPORTS.values())
        return f"{topic} has type {', '.join(state.other_types)}: image_transport {takes}"
    if state.elsewhere:
        transport, other_topic = state.elsewhere
        return f"no publisher on {topic}, but one on {other_topic}: set image_transport to {transport}"
    return f"no publisher on {topic}: the source has stopped" if summary.received else f"no publisher on {topic} yet"


def _part_warning(summary: Summary, state: NodeState) -> Verdict | None:
    return Verdict(_WARN, state.warning, PART_WARNING) if state.warning else None


def _no_result(summary: Summary, state: NodeState) -> Verdict | None:
    if summary.seconds_without_result <= NO_RESULT_AFTER_S:
        return None
    message = (
        f"images arrive, but no result for {summary.seconds_without_result:.0f} s: they fail (see the log), the inference takes"
        " longer than that, or they wait longer than max_age_ms"
    )
    return Verdict(_WARN, message, "no result")


def _several_publishers(summary: Summary, state: NodeState) -> Verdict | None:
    if state.publishers <= 1:
        return None
    message = (
        f"{state.publishers} publishers on {state.topic}: images of several cameras, or of one that was started twice, are"
        " treated as one stream; track ids and depth will be wrong"
    )
    return Verdict(_WARN, message, "publishers")


def _overload(summary: Summary, state: NodeState) -> Verdict | None:
    if state.overloaded_s <= OVERLOADED_AFTER_S:
        return None
    message = (
        f"overloaded for {state.overloaded_s:.0f} s: {summary.output_hz:.1f} results/s of {arrived_hz(summary):.1f} images/s; the"
        " stage times show what is slow. If that rate is enough, lower min_output_ratio"
    )
    return Verdict(_WARN, message, "overload")


def status(name: str, summary: Summary, state: NodeState) -> DiagnosticStatus:
    """The whole status. name: what it is about; the hardware is the camera, by its topic."""
    level, message, _ = evaluate(summary, state)
    values = [KeyValue(key=key, value=value) for key, value in _values(summary, state).items()]
    return DiagnosticStatus(level=level, name=name, message=message, hardware_id=state.topic, values=values)


def _values(summary: Summary, state: NodeState) -> dict[str, str]:
    return {
        "lifecycle state": state.lifecycle,
        "input topic": state.topic,
        INPUT_PUBLISHERS: str(state.publishers),
        MATCHED_PUBLISHERS: _or_unknown(state.matched),
        RECEIVED: str(summary.received),
        UNREAD: str(summary.unread),
        LOST: _or_unknown(summary.lost),
        "frames published": str(summary.published),
        "frames dropped as stale": str(summary.stale),
        "input rate (Hz)": f"{summary.input_hz:.1f}",
        "output rate (Hz)": f"{summary.output_hz:.1f}",
        **_ages("receipt", summary.age_ms),
        **_ages("stamp", summary.stamp_age_ms),
        "persons": str(summary.persons),
        **{stage_key(stage): f"{ms:.1f}" for stage, ms in summary.stage_ms.items()},
        **{f"{network} runs on": provider for network, provider in state.providers.items()},
        **{f"errors: {kind}": str(count) for kind, count in sorted(summary.errors.items())},
        "time jumped back": str(summary.time_jumps),
        "stamps out of order": str(summary.steps_back),
        **state.further,
    }


def stage_key(stage: str) -> str:
    """The key of a stage's time."""
    return f"stage {stage} (ms)"


def stage_of(key: str) -> str | None:
    """The stage whose time this key gives, None for other keys."""
    found = re.fullmatch(re.escape(stage_key("STAGE")).replace("STAGE", "(.+)"), key)
    return found and found[1]


def _ages(since: str, age_ms: tuple[float, float] | None) -> dict[str, str]:
    median, p95 = (f"{age_ms[0]:.1f}", f"{age_ms[1]:.1f}") if age_ms else (NO_SAMPLE, NO_SAMPLE)
    return {AGE_KEY.format(since, "median"): median, AGE_KEY.format(since, "p95"): p95}


def _or_unknown(count: int | None) -> str:
    return UNKNOWN if count is None else str(count)


def loss_cure(middleware: str, environment: Mapping[str, str]) -> str:
    """What helps against lost images. middleware: rclpy's name of it; environment: of this process."""
    if "fastrtps" not in middleware:
        return f"give {middleware} larger receive buffers, or use {_SMALLER}"
    profile = next((environment[name] for name in PROFILE_VARIABLES if environment.get(name)), "")
    if profile:
        return f"start the camera with this node's Fast DDS profile, {profile}; over a network use {_SMALLER}"
    return (
        f"start camera and node with {PROFILE_VARIABLES[0]} (from Kilted: {PROFILE_VARIABLES[1]}) set to"
        " config/fastdds_images.xml of pose_resnet_ros"
    )

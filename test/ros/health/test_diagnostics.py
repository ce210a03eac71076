# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import replace

import pytest

pytest.importorskip("rclpy")

from diagnostic_msgs.msg import DiagnosticStatus

from pose_resnet_ros.ros.health.diagnostics import FAILING_AFTER, NodeState, evaluate, loss_cure, status
from pose_resnet_ros.ros.health.statistics import Summary

RUNNING = Summary(
    received=100,
    unread=50,
    lost=3,
    sent_lately=150,
    lost_lately=1,
    published=90,
    stale=10,
    errors={"step": 2},
    errors_in_a_row=0,
    input_hz=30.0,
    output_hz=27.0,
    age_ms=(12.34, 56.78),
    stamp_age_ms=None,
    stage_ms={"detect": 5.0},
    persons=3,
    silent_s=0.1,
    seconds_without_result=0.1,
    time_jumps=0,
    steps_back=7,
)
ACTIVE = NodeState(lifecycle="active", topic="/camera/image", providers={"pose": "CPUExecutionProvider"}, publishers=1, matched=1)
SILENT = replace(RUNNING, silent_s=7.0)
NOTHING_YET = replace(SILENT, received=0, lost=None)
LOSSY = replace(RUNNING, sent_lately=50, lost_lately=48)
CURED = replace(ACTIVE, loss_cure="set fastdds_images.xml")


@pytest.mark.parametrize(
    ("summary", "state", "level", "text"),
    [
        (RUNNING, ACTIVE, DiagnosticStatus.OK, "27.0 results/s, 3 persons"),
        (SILENT, replace(ACTIVE, lifecycle="inactive"), DiagnosticStatus.OK, "inactive: not processing"),
        (NOTHING_YET, replace(ACTIVE, publishers=0), DiagnosticStatus.WARN, "no publisher on /camera/image yet"),
        (SILENT, replace(ACTIVE, publishers=0), DiagnosticStatus.WARN, "no publisher on /camera/image: the source has stopped"),
        (SILENT, ACTIVE, DiagnosticStatus.WARN, "no image for 7 s: the source has stopped"),
        (SILENT, replace(ACTIVE, is_waiting=True), DiagnosticStatus.OK, "27.0 results/s"),
        (
            replace(SILENT, seconds_without_result=12.3),
            replace(ACTIVE, is_waiting=True),
            DiagnosticStatus.WARN,
            "images arrive, but no result for 12 s: they fail",
        ),
        (
            NOTHING_YET,
            replace(ACTIVE, publishers=0, other_types=("sensor_msgs/msg/CompressedImage",)),
            DiagnosticStatus.WARN,
            "/camera/image has type sensor_msgs/msg/CompressedImage: image_transport raw takes sensor_msgs/msg/Image",
        ),
        (
            NOTHING_YET,
            replace(ACTIVE, publishers=0, elsewhere=("compressed", "/camera/image/compressed")),
            DiagnosticStatus.WARN,
            "one on /camera/image/compressed: set image_transport to compressed",
        ),
        (NOTHING_YET, CURED, DiagnosticStatus.WARN, "are lost in transit: set fastdds_images.xml"),
        (NOTHING_YET, replace(CURED, matched=None), DiagnosticStatus.WARN, "set fastdds_images.xml"),
        (LOSSY, CURED, DiagnosticStatus.WARN, "48 of 50 images on /camera/image were lost in transit in the last 5 s: set"),
        (replace(LOSSY, silent_s=7.0, received=0), CURED, DiagnosticStatus.WARN, "48 of 50 images"),
        (replace(LOSSY, lost_lately=4), CURED, DiagnosticStatus.OK, "27.0 results/s"),  # less than a tenth
        (replace(LOSSY, sent_lately=3, lost_lately=2), CURED, DiagnosticStatus.OK, "27.0 results/s"),  # too few to tell
        (RUNNING, replace(ACTIVE, overloaded_s=9.0), DiagnosticStatus.OK, "27.0 results/s"),
        (
            replace(RUNNING, output_hz=9.0, sent_lately=150, lost_lately=0),
            replace(ACTIVE, overloaded_s=12.0),
            DiagnosticStatus.WARN,
            "overloaded for 12 s: 9.0 results/s of 30.0 images/s",
        ),
        (NOTHING_YET, replace(ACTIVE, matched=0), DiagnosticStatus.WARN, "set image_reliability to best_effort"),
        (replace(RUNNING, errors_in_a_row=FAILING_AFTER), ACTIVE, DiagnosticStatus.ERROR, "the last 5 frames failed"),
        (replace(RUNNING, errors_in_a_row=FAILING_AFTER - 1), ACTIVE, DiagnosticStatus.OK, "27.0 results/s"),
        (RUNNING, replace(ACTIVE, publishers=2), DiagnosticStatus.WARN, "2 publishers on /camera/image: images of"),
        (RUNNING, replace(ACTIVE, warning="no pairs"), DiagnosticStatus.WARN, "no pairs"),
        (RUNNING, replace(ACTIVE, worker_died=True), DiagnosticStatus.ERROR, "worker thread has ended"),
        (RUNNING, replace(ACTIVE, lifecycle="unconfigured", problem="no model"), DiagnosticStatus.ERROR, "no model"),
    ],
)
def test_the_worst_is_said(summary: Summary, state: NodeState, level: bytes, text: str) -> None:
    got_level, message, _ = evaluate(summary, state)
    assert got_level == level
    assert text in message


def test_every_value_is_there() -> None:
    message = status("robot/pose_resnet: pose estimation", RUNNING, ACTIVE)
    assert (message.name, message.level) == ("robot/pose_resnet: pose estimation", DiagnosticStatus.OK)
    assert message.hardware_id == "/camera/image"
    assert {pair.key: pair.value for pair in message.values} == {
        "lifecycle state": "active",
        "input topic": "/camera/image",
        "publishers": "1",
        "publishers matched": "1",
        "frames received": "100",
        "frames left unread": "50",
        "frames lost in transit": "3",
        "frames published": "90",
        "frames dropped as stale": "10",
        "input rate (Hz)": "30.0",
        "output rate (Hz)": "27.0",
        "age since receipt, median (ms)": "12.3",
        "age since receipt, p95 (ms)": "56.8",
        "age since stamp, median (ms)": "no sample",
        "age since stamp, p95 (ms)": "no sample",
        "persons": "3",
        "stage detect (ms)": "5.0",
        "pose runs on": "CPUExecutionProvider",
        "errors: step": "2",
        "time jumped back": "0",
        "stamps out of order": "7",
    }


def test_a_middleware_that_does_not_tell_of_losses_is_not_said_to_have_none() -> None:
    message = status("pose_resnet", replace(RUNNING, lost=None), ACTIVE)
    assert {pair.key: pair.value for pair in message.values}["frames lost in transit"] == "unknown"


@pytest.mark.parametrize(
    ("middleware", "environment", "says", "never"),
    [
        ("rmw_fastrtps_cpp", {}, "camera and node with FASTRTPS_DEFAULT_PROFILES_FILE", "compressed"),
        (
            "rmw_fastrtps_cpp",
            {"FASTDDS_DEFAULT_PROFILES_FILE": "/my.xml"},
            "the camera with this node's Fast DDS profile, /my.xml",
            "fastdds_images",
        ),
        ("rmw_cyclonedds_cpp", {}, "give rmw_cyclonedds_cpp larger receive buffers", "FAST"),
    ],
)
def test_the_cure_is_one_that_helps(middleware: str, environment: dict[str, str], says: str, never: str) -> None:
    cure = loss_cure(middleware, environment)
    assert says in cure
    assert never not in cure

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import logging

import pytest

from pose_resnet_ros.ros.log_forwarding import LIBRARY_LOGGER, forward_logs, stop_forwarding


class RosLogger:
    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def debug(self, text: str) -> None:
        self.lines.append(("debug", text))

    def info(self, text: str) -> None:
        self.lines.append(("info", text))

    def warning(self, text: str) -> None:
        self.lines.append(("warning", text))

    def error(self, text: str) -> None:
        self.lines.append(("error", text))


LOG = logging.getLogger(f"{LIBRARY_LOGGER}.models.anything")


def test_records_arrive_with_their_arguments_and_severity() -> None:
    ros_logger = RosLogger()
    handler = forward_logs(ros_logger)
    try:
        LOG.debug("not wanted")
        LOG.info("loaded %s in %d ms", "model", 7)
        LOG.warning("careful")
        LOG.error("broken")
        LOG.critical("worse")
        logging.getLogger("somebody.else").error("not ours")
    finally:
        stop_forwarding(handler)
    LOG.info("after the end")
    assert not LOG.isEnabledFor(logging.INFO)  # as it was before
    assert ros_logger.lines == [
        ("info", "loaded model in 7 ms"),
        ("warning", "careful"),
        ("error", "broken"),
        ("error", "worse"),
    ]


def test_a_real_ros_logger_takes_every_severity_from_one_place() -> None:
    rclpy_logging = pytest.importorskip("rclpy.logging")
    handler = forward_logs(rclpy_logging.get_logger("test_log_forwarding"))
    try:
        for level in (logging.INFO, logging.WARNING, logging.ERROR, logging.INFO):
            LOG.log(level, "level %d", level)
    finally:
        stop_forwarding(handler)

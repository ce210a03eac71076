# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

pytest.importorskip("rclpy")

from pose_resnet_ros.core.library_setup import logger_of
from pose_resnet_ros.ros.ros_log import LIBRARY_LOGGER, REPEAT_AFTER_S, Throttle, forward_logs, stop_forwarding


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


LOG = logger_of(f"{LIBRARY_LOGGER}.models.anything")


@pytest.fixture(params=[logging.DEBUG, logging.INFO, logging.WARNING], ids=logging.getLevelName)
def root(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever the root logger lets through: importing ``launch`` sets it to INFO, a test runner to what it likes."""
    logger = logging.getLogger()
    before = logger.level
    logger.setLevel(request.param)
    yield
    logger.setLevel(before)


@pytest.mark.usefixtures("root")
def test_records_arrive_with_their_arguments_and_severity() -> None:
    before = logging.getLogger(LIBRARY_LOGGER).level
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
    assert logging.getLogger(LIBRARY_LOGGER).level == before
    assert ros_logger.lines == [("info", "loaded model in 7 ms"), ("warning", "careful"), ("error", "broken"), ("error", "worse")]


class KeepsToItself(logging.Logger):
    """As the loggers of everybody who shares a process with ROS 2's ``launch``."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.propagate = False


def test_records_arrive_where_launch_has_set_another_class_of_loggers() -> None:
    usual = logging.getLoggerClass()
    logging.setLoggerClass(KeepsToItself)
    try:
        log = logger_of(f"{LIBRARY_LOGGER}.models.beside_launch")
    finally:
        logging.setLoggerClass(usual)
    assert isinstance(log, KeepsToItself)
    ros_logger = RosLogger()
    handler = forward_logs(ros_logger)
    try:
        log.info("loaded")
    finally:
        stop_forwarding(handler)
    assert ros_logger.lines == [("info", "loaded")]


def test_a_real_ros_logger_takes_every_severity_from_one_place() -> None:
    rclpy_logging = pytest.importorskip("rclpy.logging")
    handler = forward_logs(rclpy_logging.get_logger("test_ros_log"))
    try:
        for level in (logging.INFO, logging.WARNING, logging.ERROR, logging.INFO):
            LOG.log(level, "level %d", level)
    finally:
        stop_forwarding(handler)


def test_each_kind_speaks_once_and_again_after_a_while() -> None:
    now_s = [100.0]
    throttle = Throttle(clock=lambda: now_s[0])
    assert [throttle.may_say(kind) for kind in ("a", "a", "b", "a")] == [True, False, True, False]
    now_s[0] += REPEAT_AFTER_S
    assert [throttle.may_say(kind) for kind in ("a", "a")] == [True, False]


def test_a_machine_that_just_booted_speaks_too() -> None:
    assert Throttle(clock=lambda: 0.0).may_say("a")

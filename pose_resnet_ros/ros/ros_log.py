# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The ROS log: started where its files cannot be written, fed with the package's ``logging`` records, spared repetitions."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import rclpy

from pose_resnet_ros.core.library_setup import logger_of

LIBRARY_LOGGER = "pose_resnet_ros"
REPEAT_AFTER_S = 5.0
_NO_FILES = ("--ros-args", "--disable-external-lib-logs")


def init_rclpy(name: str, args: Sequence[str], **options: Any) -> None:
    """``rclpy.init``; without log files where there is no folder for them, which ``name`` (a node or tool) says on stderr."""
    problem = _problem()
    if problem:
        print(f"{name}: no log files are written: {problem}; set ROS_LOG_DIR to another folder", file=sys.stderr)
    rclpy.init(args=[*args, *(_NO_FILES if problem else ())], **options)


def _problem() -> str:
    """Why ROS 2's log folder cannot be used, "" if it can."""
    folder = _log_folder()
    if folder is None:
        return "neither HOME nor ROS_LOG_DIR is set"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return f"cannot make the folder {folder} ({error.strerror})"
    return "" if os.access(folder, os.W_OK | os.X_OK) else f"no permission to write into {folder}"


def _log_folder() -> Path | None:
    """As rcl_logging finds it (rcl_logging_interface, rcl_logging_get_logging_directory)."""
    given, home, ros_home = (os.environ.get(name) for name in ("ROS_LOG_DIR", "HOME", "ROS_HOME"))
    if given:
        return Path(os.path.expanduser(given))
    if ros_home:
        return Path(os.path.expanduser(ros_home)) / "log"
    return Path(home) / ".ros" / "log" if home else None


class RosLogHandler(logging.Handler):
    """Hands each record of the ROS-free code to a ROS logger, at the same severity."""

    def __init__(self, ros_logger: Any) -> None:
        super().__init__()
        self._ros_logger = ros_logger

    def emit(self, record: logging.LogRecord) -> None:
        # rclpy takes UTF-8 only, and a file name need not be.
        text = record.getMessage().encode("utf-8", "backslashreplace").decode("utf-8")
        # One line for each severity: rclpy remembers the severity of a call site and refuses another one there.
        if record.levelno >= logging.ERROR:
            self._ros_logger.error(text)
        elif record.levelno >= logging.WARNING:
            self._ros_logger.warning(text)
        elif record.levelno >= logging.INFO:
            self._ros_logger.info(text)
        else:
            self._ros_logger.debug(text)


def forward_logs(ros_logger: Any) -> RosLogHandler:
    """Forward the package's records from INFO up; undone by ``stop_forwarding``."""
    handler = RosLogHandler(ros_logger)
    logger = logger_of(LIBRARY_LOGGER)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    return handler


def stop_forwarding(handler: RosLogHandler) -> None:
    logger = logging.getLogger(LIBRARY_LOGGER)
    logger.removeHandler(handler)
    if not logger.handlers:
        logger.setLevel(logging.NOTSET)


class Throttle:
    """Repeated log lines: one kind does not silence another. clock: monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._said_s: dict[str, float] = {}

    def may_say(self, kind: str) -> bool:
        """Whether this kind was silent for REPEAT_AFTER_S; true counts as said."""
        now_s = self._clock()
        if now_s - self._said_s.get(kind, -REPEAT_AFTER_S) < REPEAT_AFTER_S:
            return False
        self._said_s[kind] = now_s
        return True

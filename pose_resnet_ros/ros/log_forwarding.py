# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The package's ``logging`` records on the node's ROS log."""

from __future__ import annotations

import logging
from typing import Any

from pose_resnet_ros.core.log import logger_of

LIBRARY_LOGGER = "pose_resnet_ros"


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

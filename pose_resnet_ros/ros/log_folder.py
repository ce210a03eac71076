# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Starting rclpy where its log files cannot be written: it would refuse to start."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import rclpy

_NO_FILES = ("--ros-args", "--disable-external-lib-logs")


def init_rclpy(name: str, args: Sequence[str], **options: Any) -> None:
    """``rclpy.init``; without log files, and with a word about it on stderr, where there is no folder for them.

    name: of the node or tool, for that word.
    """
    problem = _problem()
    if problem:
        print(f"{name}: no log files are written: {problem}; choose a folder with ROS_LOG_DIR", file=sys.stderr)
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

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Set before anything imports rclpy: the tests' ROS stays on this machine, among themselves, and lets images through."""

from __future__ import annotations

import os
import signal
import tempfile
from pathlib import Path

from pose_resnet_ros.ros.programs.domain import ClaimedDomain

_PROFILE = str(Path(__file__).parents[1] / "config" / "fastdds_images.xml")
_DOMAIN = ClaimedDomain()  # two suites side by side do not meet

os.environ.update(
    ROS_AUTOMATIC_DISCOVERY_RANGE="LOCALHOST",
    ROS_DOMAIN_ID=str(_DOMAIN.id),
    ROS_LOG_DIR=tempfile.mkdtemp(prefix="pose_resnet_ros_log_"),
    ROS_PYTHON_CHECK_FIELDS="1",  # message fields of a wrong type are an error, as they are in Humble
    FASTRTPS_DEFAULT_PROFILES_FILE=_PROFILE,  # up to Jazzy
    FASTDDS_DEFAULT_PROFILES_FILE=_PROFILE,  # from Kilted
)

# A background job ignores Ctrl-C, one of nohup a closed terminal too, and so would every program that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

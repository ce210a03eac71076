# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""ROS 2 processes that a tool starts for itself: kept on this machine, in a domain of their own, and ended in the end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from pose_resnet_ros.core.errors import PoseError
from pose_resnet_ros.ros.programs.domain import ClaimedDomain

_END_TIMEOUT_S = 10.0


class ChildError(PoseError):
    """A process, or what it needs, is not there."""


def stay_on_this_machine() -> None:
    """Set the environment of this process and of those that it starts, before rclpy reads it.

    Raises ChildError where the profile that lets images through is not installed, DomainError where no ROS domain is free.
    """
    os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
    os.environ["ROS_DOMAIN_ID"] = str(_own_domain().id)
    for variable in ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE"):  # up to Jazzy, from Kilted
        os.environ[variable] = str(_image_profile())


def start(*module: str, ros_args: Sequence[str]) -> subprocess.Popen:
    """``python3 -m MODULE ... --ros-args ...``; module: its name, and arguments of its own."""
    return subprocess.Popen([sys.executable, "-m", *module, "--ros-args", *ros_args])


def stop(processes: Sequence[subprocess.Popen]) -> None:
    """Interrupt them, the last first; what does not end in time is killed."""
    for process in reversed(processes):
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
    for process in processes:
        _wait_or_kill(process)


def _wait_or_kill(process: subprocess.Popen) -> None:
    try:
        process.wait(timeout=_END_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()


@cache
def _own_domain() -> ClaimedDomain:
    """This process's, to its end."""
    return ClaimedDomain()


def _image_profile() -> Path:
    """config/fastdds_images.xml as installed: under a sourced ROS 2 prefix, else under this virtual environment."""
    prefixes = [prefix for prefix in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if prefix]
    paths = [Path(prefix, "share/pose_resnet_ros/config/fastdds_images.xml") for prefix in (*prefixes, sys.prefix)]
    found = next((path for path in paths if path.exists()), None)
    if found is None:
        raise ChildError(f"{paths[-1]} is missing: the package is not installed here; run make setup")
    return found

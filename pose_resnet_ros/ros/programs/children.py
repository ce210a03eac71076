# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""A node with processes of its own, on this machine only and in a ROS domain that nobody else uses."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TypeVar

import rclpy
from rclpy.node import Node

from pose_resnet_ros.core.errors import PoseError
from pose_resnet_ros.ros.programs.domain import ClaimedDomain
from pose_resnet_ros.ros.ros_log import init_rclpy

_START_TIMEOUT_S = 300.0  # a busy machine may need minutes, and so does TensorRT to build an engine
_END_TIMEOUT_S = 10.0
_NodeT = TypeVar("_NodeT", bound=Node)


class ChildError(PoseError):
    """A process ended early or did nothing, or what it needs is not installed."""


class Children:
    """The processes; ``stop`` interrupts them, the last one first, and kills what does not end in time."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._names: dict[subprocess.Popen, str] = {}

    def start(self, *module: str, ros_args: Sequence[str]) -> subprocess.Popen:
        """``python3 -m MODULE ... --ros-args ...``; module: its name, and arguments of its own."""
        process = subprocess.Popen([sys.executable, "-m", *module, "--ros-args", *ros_args])
        self._names[process] = module[1] if module[0] == "pose_resnet_ros" else module[0].rpartition(".")[2]
        return process

    def check(self, *processes: subprocess.Popen) -> None:
        """Raises ChildError if one of them (none given: of all) has ended."""
        for process in processes or self._names:
            if process.poll() is not None:
                raise ChildError(f"{self._names[process]} ended early with exit code {process.returncode}; see its message above")

    def wait_until(self, condition: Callable[[], object], what: str) -> None:
        """Spin the node. Raises ChildError if a process ends, or if this takes more than five minutes."""
        deadline_s = time.monotonic() + _START_TIMEOUT_S
        while not condition():
            self.check()
            if time.monotonic() > deadline_s:
                raise ChildError(f"waited {_START_TIMEOUT_S:.0f} s for {what}; see the messages above")
            rclpy.spin_once(self._node, timeout_sec=0.1)

    def stop(self) -> None:
        for process in reversed(self._names):
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
        for process in self._names:
            _wait_or_kill(process)


@contextmanager
def with_children(name: str, make_node: Callable[[], _NodeT]) -> Iterator[tuple[_NodeT, Children]]:
    """Initialise rclpy, make the node, and clean up all of it at the end. name: for messages.

    Raises ChildError if the Fast DDS profile for images is not installed, DomainError if no ROS domain is free.
    """
    _stay_on_this_machine()
    init_rclpy(name, [])
    node = make_node()
    children = Children(node)
    try:
        yield node, children
    finally:
        children.stop()
        node.destroy_node()
        rclpy.try_shutdown()


def _wait_or_kill(process: subprocess.Popen) -> None:
    try:
        process.wait(timeout=_END_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()


def _stay_on_this_machine() -> None:
    """Set the environment of this process and of its children, before rclpy reads it."""
    os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
    os.environ["ROS_DOMAIN_ID"] = str(_own_domain().id)
    for variable in ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE"):  # up to Jazzy, from Kilted
        os.environ[variable] = str(_image_profile())


@cache
def _own_domain() -> ClaimedDomain:
    """Claimed until this process ends."""
    return ClaimedDomain()


def _image_profile() -> Path:
    """config/fastdds_images.xml as installed: under a sourced ROS 2 prefix, else under this virtual environment."""
    prefixes = [prefix for prefix in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if prefix]
    paths = [Path(prefix, "share/pose_resnet_ros/config/fastdds_images.xml") for prefix in (*prefixes, sys.prefix)]
    found = next((path for path in paths if path.exists()), None)
    if found is None:
        raise ChildError(f"{paths[-1]} is missing: the package is not installed here; run make setup")
    return found

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Claims on ROS domains, between processes too."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import closing

import pytest

from pose_resnet_ros.ros.programs.domain import ClaimedDomain, DomainError

CLAIM = """
import sys
from pose_resnet_ros.ros.programs.domain import ClaimedDomain
domain = ClaimedDomain()
print(domain.id, flush=True)
sys.stdin.read()
"""
INHABIT = """
import sys
import rclpy
rclpy.init()
node = rclpy.create_node("somebody")
print("here", flush=True)
sys.stdin.read()
"""


def test_a_domain_is_claimed_once_until_it_is_given_back() -> None:
    with closing(ClaimedDomain()) as domain:
        assert 1 <= domain.id <= 101
        with pytest.raises(DomainError, match="none of the 1 ROS domains is free"):
            ClaimedDomain([domain.id])
    with closing(ClaimedDomain([domain.id])) as again:
        assert again.id == domain.id


def test_another_process_keeps_its_domain_until_its_end() -> None:
    other = subprocess.Popen([sys.executable, "-c", CLAIM], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert other.stdout
    theirs = int(other.stdout.readline())
    with pytest.raises(DomainError):
        ClaimedDomain([theirs])
    other.kill()  # without any cleaning up
    other.communicate()
    with closing(ClaimedDomain([theirs])) as domain:
        assert domain.id == theirs


@pytest.mark.parametrize("participant", [0, 3])
def test_a_domain_with_somebody_in_it_is_left_alone(participant: int) -> None:
    with closing(ClaimedDomain()) as domain:
        pass
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as participants_port:
        participants_port.bind(("", 7400 + 250 * domain.id + 10 + 2 * participant))
        with pytest.raises(DomainError):
            ClaimedDomain([domain.id])


def test_a_real_participant_is_seen() -> None:
    pytest.importorskip("rclpy")
    with closing(ClaimedDomain()) as domain:
        pass
    # In a process of its own: the ports of a domain count all participants that a process still has, in other domains too.
    environment = {**os.environ, "ROS_DOMAIN_ID": str(domain.id)}
    somebody = subprocess.Popen([sys.executable, "-c", INHABIT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
    assert somebody.stdout
    assert somebody.stdout.readline() == b"here\n"
    with pytest.raises(DomainError):
        ClaimedDomain([domain.id])
    somebody.communicate()

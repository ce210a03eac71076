# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""A ROS domain that nothing else on this machine uses. Imports no ROS."""

from __future__ import annotations

import random
import socket
from collections.abc import Sequence
from contextlib import ExitStack, suppress

from pose_resnet_ros.core.errors import PoseError

# Safe on every system (ROS 2 documentation, "The ROS_DOMAIN_ID"), without the default domain 0.
DOMAINS = range(1, 102)
PARTICIPANTS = 10  # checked per domain; DDS takes their ports in order


class DomainError(PoseError):
    """No ROS domain is free."""


class ClaimedDomain:
    """Claimed until ``close`` or until this process ends, however it ends.

    The claim is a TCP port, which the system gives only once (DDS uses UDP). Others, such as a robot's software, are recognised
    by the UDP ports of their participants.
    """

    def __init__(self, candidates: Sequence[int] = DOMAINS) -> None:
        """Raises DomainError if none of the candidates is free."""
        for domain_id in random.sample(candidates, len(candidates)):
            with ExitStack() as stack, suppress(OSError):
                port = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
                port.bind(("127.0.0.1", _first_port(domain_id)))
                if not _is_inhabited(domain_id):
                    stack.pop_all()
                    self.id, self._port = domain_id, port
                    return
        raise DomainError(f"none of the {len(candidates)} ROS domains is free on this machine")

    def close(self) -> None:
        """Release the domain; the processes in it must have ended."""
        self._port.close()


def _first_port(domain_id: int) -> int:
    """Source: DDSI-RTPS 2.2, section 9.6.1.1: port base 7400, domain gain 250."""
    return 7400 + 250 * domain_id


def _is_inhabited(domain_id: int) -> bool:
    """Whether a participant's discovery port is taken (same section: offset 10, participant gain 2)."""
    for number in range(PARTICIPANTS):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(("", _first_port(domain_id) + 10 + 2 * number))
            except OSError:
                return True
    return False

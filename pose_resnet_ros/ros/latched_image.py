# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""A picture that was published before anybody listened, by a publisher that keeps it for who comes later (transient_local).

The image subscription is volatile, which is heard by every publisher and gets nothing of before. So while no frame comes, each
publisher that keeps its last one is asked for it once, by a subscription that lives for a moment.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

from pose_resnet_ros.ros import qos
from pose_resnet_ros.ros.health.statistics import Statistics

PERIOD_S = 0.5
WAIT_S = 3.0  # for a large picture over a slow network


class LatchedImage:
    """Looks for such publishers while it lives. Everything on the executor's thread."""

    def __init__(
        self,
        node: Node,
        message_type: type,
        topic: str,
        *,
        forward: Callable[[Any, float], None],
        statistics: Statistics,
        is_waiting: Callable[[], bool],
    ) -> None:
        """forward: takes the message, and when it was received in seconds of the monotonic clock; is_waiting: whether frames stay
        unread just now, so that it cannot be told whether any come.
        """
        self._node = node
        self._message_type = message_type
        self._topic = topic
        self._forward = forward
        self._statistics = statistics
        self._is_waiting = is_waiting
        self._received = statistics.received  # at the last look
        self._asked: set[bytes] = set()  # publishers, by their ids
        self._subscription: Any = None
        self._asked_s = 0.0
        self._timer: Any = node.create_timer(PERIOD_S, self._look, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def close(self) -> None:
        """Stop looking."""
        self._node.destroy_timer(self._timer)
        self._timer = None
        self._stop_asking()

    def _look(self) -> None:
        if self._subscription is not None:
            if time.monotonic() - self._asked_s > WAIT_S:
                self._stop_asking()
        elif not self._is_waiting():
            before, self._asked = self._asked, self._keepers()
            if self._asked - before and self._nothing_came():
                self._ask()
            self._received = self._statistics.received

    def _nothing_came(self) -> bool:
        """Since the last look."""
        return self._statistics.received == self._received

    def _keepers(self) -> set[bytes]:
        return {
            bytes(info.endpoint_gid)
            for info in self._node.get_publishers_info_by_topic(self._topic)
            if info.qos_profile.durability == DurabilityPolicy.TRANSIENT_LOCAL
            and info.qos_profile.reliability == ReliabilityPolicy.RELIABLE
        }

    def _ask(self) -> None:
        profile = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self._asked_s = time.monotonic()
        self._subscription = qos.create_silent_subscription(
            self._node, self._message_type, self._topic, self._on_picture, profile
        )

    def _on_picture(self, message: Any) -> None:
        self._stop_asking()
        if self._nothing_came():  # else it may have come the usual way too
            self._statistics.frame_received()
            self._forward(message, time.monotonic())

    def _stop_asking(self) -> None:
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
            self._subscription = None

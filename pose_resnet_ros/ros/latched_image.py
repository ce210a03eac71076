# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""An image that was published before the node subscribed, by a publisher that keeps it for late joiners (transient_local).

The image subscription is volatile, which connects to every publisher and gets nothing of before. So while no frame arrives, each
publisher that keeps its last one is asked for it once, by a subscription that lives for a moment.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from rclpy.clock import Clock, ClockType
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

from pose_resnet_ros.ros import qos
from pose_resnet_ros.ros.health.statistics import Statistics
from pose_resnet_ros.ros.topics import CameraContext
from pose_resnet_ros.ros.worker import InputFrame

PERIOD_S = 0.5
# 3 s, for a large image over a slow network. Not in seconds: a process that was held up looks before it reads what has come.
LOOKS = 6


class LatchedImage:
    """Looks for such publishers while it lives. Everything on the executor's thread."""

    def __init__(
        self,
        context: CameraContext,
        *,
        forward: Callable[[InputFrame], None],
        statistics: Statistics,
        is_waiting: Callable[[], bool],
    ) -> None:
        """is_waiting: whether frames stay unread just now, so that it cannot be told whether any arrive."""
        self._node = context.node
        self._message_type, self._topic = context.transport.message_type, context.image_topic
        self._forward = forward
        self._statistics = statistics
        self._is_waiting = is_waiting
        self._received = statistics.received  # at the last look
        self._asked: set[bytes] = set()  # publishers, by their ids
        self._subscription: Any = None
        self._looks_left = 0
        self._timer: Any = context.node.create_timer(PERIOD_S, self._look, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def close(self) -> None:
        """Stop looking."""
        self._node.destroy_timer(self._timer)
        self._timer = None
        self._stop_asking()

    def _look(self) -> None:
        if self._subscription is not None:
            self._looks_left -= 1
            if not self._looks_left:
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
        self._looks_left = LOOKS
        self._subscription = qos.create_silent_subscription(self._node, self._message_type, self._topic, self._on_image, profile)

    def _on_image(self, message: Any) -> None:
        self._stop_asking()
        if self._nothing_came():  # else it may have come the usual way too
            self._statistics.frame_received()
            self._forward(InputFrame(message, time.monotonic()))

    def _stop_asking(self) -> None:
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
            self._subscription = None

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The image subscription. Frames stay unread during an inference and between those that ``max_rate_hz`` allows: only the newest
will be used.

The middleware keeps the newest frame only (KEEP_LAST, depth 1). Reading a large image into Python costs milliseconds of CPU, so
while no frame is wanted the subscription is hidden from the executor. Of a video every packet is read.

This needs a middleware that tells when each frame arrived and its sequence number, or ages and counts would be wrong: with rclpy
from Iron on, Fast DDS does (tried), and Connext and Zenoh by their sources. Elsewhere every frame is read, and the worker keeps
the newest.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.qos import HistoryPolicy
from rclpy.subscription import Subscription

from pose_resnet_ros.ros import qos
from pose_resnet_ros.ros.health.statistics import Statistics
from pose_resnet_ros.ros.topics import CameraContext
from pose_resnet_ros.ros.worker import InputFrame

_TELLS_RECEIPT = hasattr(Subscription, "CallbackType")  # not in Humble


class ImageInput:
    """Subscribed while it lives. All but ``resume`` is called on the executor's thread."""

    def __init__(
        self,
        context: CameraContext,
        *,
        is_wanted: Callable[[], bool],
        due_in_s: Callable[[], float] = lambda: 0.0,
        forward: Callable[[InputFrame], None],
        statistics: Statistics,
        on_lost: Callable[[int], None] = lambda _: None,
    ) -> None:
        """is_wanted: whether a frame would be of use now; due_in_s: seconds until max_rate_hz allows one; forward: takes each;
        on_lost: takes how many were lost in transit since its last call.
        """
        self._node = context.node
        self._is_wanted = is_wanted
        self._due_in_s = due_in_s
        self._forward = forward
        self._alarm: Any = context.node.create_timer(3600.0, self._on_due, clock=Clock(clock_type=ClockType.STEADY_TIME))
        self._alarm.cancel()
        self._statistics = statistics
        self._may_wait = False  # until the first frame shows what this middleware tells
        self._number: int | None = None
        self._taken_s = time.monotonic()
        profile = qos.input_profile(context.settings().input.image_reliability, depth=context.transport.depth)

        def lost(count: int) -> None:
            statistics.frames_lost(count)
            on_lost(count)

        self._subscription = qos.create_subscription(
            context.node,
            context.transport.message_type,
            context.image_topic,
            self._on_image if _TELLS_RECEIPT else self._on_bare_image,
            profile,
            callback_group=_WhileWanted(lambda: not self.is_waiting),
            on_lost=lost,
        )
        self._keeps_newest = profile.history == HistoryPolicy.KEEP_LAST and profile.depth == 1

    @property
    def is_waiting(self) -> bool:
        """Whether frames stay unread just now."""
        return self._may_wait and not self._is_wanted()

    def resume(self) -> None:
        """A frame is wanted again: see what has arrived. From any thread."""
        if self._may_wait:
            self._statistics.listening()
            if (executor := self._node.executor) is not None:
                executor.wake()

    def matched_publishers(self) -> int | None:
        """How many publishers are connected; None where rclpy does not report it (Humble)."""
        count = getattr(self._subscription, "get_publisher_count", None)
        return count() if count else None

    def close(self) -> None:
        """Unsubscribe."""
        self._node.destroy_timer(self._alarm)
        self._alarm = None
        self._node.destroy_subscription(self._subscription)
        self._subscription = None

    def _on_bare_image(self, message: Any, number: int | None = None) -> None:
        self._statistics.frame_received()
        self._forward(InputFrame(message, time.monotonic(), number=number))

    def _on_image(self, message: Any, info: Any) -> None:
        received_ns, number = info["received_timestamp"], info.get("publication_sequence_number")
        self._may_wait = bool(self._keeps_newest and received_ns and number is not None)
        if not self._may_wait:
            self._on_bare_image(message, number)
            return
        self._statistics.frame_received(skipped=self._skipped(number))
        self._forward(InputFrame(message, self._received_s(received_ns), number=number))
        if due_in_s := self._due_in_s():
            self._alarm.timer_period_ns = math.ceil(1e9 * due_in_s)
            self._alarm.reset()

    def _on_due(self) -> None:
        self._alarm.cancel()
        self.resume()

    def _received_s(self, received_ns: int) -> float:
        """The time of receipt, given by the system's clock, in seconds of the monotonic clock."""
        before_s, self._taken_s = self._taken_s, time.monotonic()
        waited_s = (time.time_ns() - received_ns) / 1e9
        # The system's clock may be set meanwhile; but what came before the last frame was taken is gone.
        return self._taken_s - min(max(waited_s, 0.0), self._taken_s - before_s)

    def _skipped(self, number: int) -> int:
        """How many frames were sent since the last one that was taken. Publishers count on their own: 0 unless there is one."""
        last, self._number = self._number, number if self.matched_publishers() == 1 else None
        return max(number - last - 1, 0) if last is not None and self._number is not None else 0


class _WhileWanted(MutuallyExclusiveCallbackGroup):
    """Shows its entities to an executor only while they are wanted.

    Not the subscription alone: with Fast DDS its events share a condition with its data, and an unread frame would keep the
    executor awake.
    """

    def __init__(self, is_wanted: Callable[[], bool]) -> None:
        super().__init__()
        self._is_wanted = is_wanted

    def can_execute(self, entity: Any) -> bool:
        return self._is_wanted() and super().can_execute(entity)

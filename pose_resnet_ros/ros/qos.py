# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Quality of service of every topic, and what the log says about an incompatible publisher or subscriber.

The image input keeps the newest frame (of a video, many packets, since all are needed), and by default asks for best effort,
which connects to every publisher. Results are reliable, which connects to every subscriber.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from rclpy.callback_groups import CallbackGroup
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSPolicyKind, QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions

from pose_resnet_ros.ros.ros_log import Throttle

try:
    from rclpy.event_handler import PublisherEventCallbacks, SubscriptionEventCallbacks, UnsupportedEventTypeError
except ImportError:  # Humble
    from rclpy.qos_event import PublisherEventCallbacks, SubscriptionEventCallbacks, UnsupportedEventTypeError

_CURES = {
    QoSPolicyKind.RELIABILITY: "make the publisher reliable, or ask for best_effort (images: set the parameter image_reliability;"
    " others: remove the override of this subscription's reliability)",
    QoSPolicyKind.DURABILITY: "make the publisher transient_local, or the subscriber volatile",
}
_OUTPUT_CURES = {
    QoSPolicyKind.RELIABILITY: "make the subscriber best_effort, or remove the override of this publisher's reliability",
    QoSPolicyKind.DURABILITY: "make the subscriber volatile: this topic keeps nothing for late joiners",
}


def input_profile(reliability: str, *, depth: int = 1) -> QoSProfile:
    """The image subscription's profile; reliability: best_effort or reliable."""
    policy = {"best_effort": ReliabilityPolicy.BEST_EFFORT, "reliable": ReliabilityPolicy.RELIABLE}[reliability]
    return QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=depth, reliability=policy)


def results_profile() -> QoSProfile:
    """Of persons and detections. (Functions, not constants: rclpy writes overrides into the profile that it is given.)"""
    return QoSProfile(depth=10)


def image_profile() -> QoSProfile:
    """Of images: reliable, which is what RViz asks for; only the newest, which is what a viewer wants."""
    return QoSProfile(depth=1)


def latched_profile() -> QoSProfile:
    """Of what is published once and must reach late joiners."""
    return QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


def overridable() -> QoSOverridingOptions:
    """History, depth and reliability of a topic may be set by `qos_overrides.<topic>.<publisher|subscription>.<policy>`."""
    return QoSOverridingOptions.with_default_policies()


def create_subscription(
    node: Node,
    message_type: type,
    topic: str,
    callback: Callable[..., None],
    profile: QoSProfile,
    *,
    callback_group: CallbackGroup | None = None,
    on_lost: Callable[[int], None] | None = None,
) -> Any:
    """A subscription that logs an incompatible publisher, with the cure.

    on_lost: takes how many messages were lost in transit since the last call; called with 0 at once where the middleware reports
    losses, and never where it does not.
    """
    incompatible = _Incompatible(node, "publisher", "input", topic, _CURES)
    options: dict[str, Any] = {"qos_overriding_options": overridable(), "callback_group": callback_group}

    def create(**events: Any) -> Any:
        given = {**options, "event_callbacks": SubscriptionEventCallbacks(**events)} if events else options
        return node.create_subscription(message_type, topic, callback, profile, **given)

    if on_lost is not None:
        with suppress(UnsupportedEventTypeError):
            subscription = create(incompatible_qos=incompatible, message_lost=lambda event: on_lost(event.total_count_change))
            on_lost(0)
            return subscription
    try:
        return create(incompatible_qos=incompatible)
    except UnsupportedEventTypeError:  # this middleware does not report it
        return create()


def create_silent_subscription(
    node: Node, message_type: type, topic: str, callback: Callable[..., None], profile: QoSProfile
) -> Any:
    """A subscription beside the one above, which does not log incompatible publishers again."""
    silent = SubscriptionEventCallbacks(use_default_callbacks=False)
    return node.create_subscription(message_type, topic, callback, profile, event_callbacks=silent)


def create_publisher(node: Node, create: Callable[..., Any], message_type: type, topic: str, profile: QoSProfile) -> Any:
    """A publisher, made by ``create`` (a method of the node), that logs an incompatible subscriber, with the cure."""
    incompatible = _Incompatible(node, "subscriber", "result", topic, _OUTPUT_CURES)
    options: dict[str, Any] = {"qos_overriding_options": overridable()}
    try:
        events = PublisherEventCallbacks(incompatible_qos=incompatible)
        return create(message_type, topic, profile, event_callbacks=events, **options)
    except UnsupportedEventTypeError:
        return create(message_type, topic, profile, **options)


class _Incompatible:
    """The event's callback: logs the incompatible other side; several of them at once are one line."""

    def __init__(self, node: Node, other: str, what: str, topic: str, cures: dict[QoSPolicyKind, str]) -> None:
        self._node, self._cures = node, cures
        self._subject = f"a {other} of {node.resolve_topic_name(topic)} ({what})"
        self._throttle = Throttle()

    def __call__(self, event: Any) -> None:
        policy = QoSPolicyKind(event.last_policy_kind)
        cure = self._cures.get(policy, f"give both sides the same {policy.name.lower()}")
        if self._throttle.may_say(policy.name):
            self._node.get_logger().warning(f"incompatible QoS ({policy.name.lower()}): {self._subject} is not connected: {cure}")

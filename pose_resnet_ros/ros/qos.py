# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Quality of service of every topic, and what is said when the other side's does not fit.

The image input keeps one frame, the newest, and by default asks for best effort, which hears every publisher. Results are
reliable, which is heard by every subscriber.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.callback_groups import CallbackGroup
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSPolicyKind, QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions

try:
    from rclpy.event_handler import (
        PublisherEventCallbacks,
        SubscriptionEventCallbacks,
        UnsupportedEventTypeError,
    )
except ImportError:  # Humble
    from rclpy.qos_event import PublisherEventCallbacks, SubscriptionEventCallbacks, UnsupportedEventTypeError

_CURES = {
    QoSPolicyKind.RELIABILITY: "make the publisher reliable, or ask for best_effort (images: set the parameter image_reliability;"
    " others: take the override of this subscription's reliability away)",
    QoSPolicyKind.DURABILITY: "make the publisher transient_local, or the subscriber volatile",
}
_OUTPUT_CURES = {
    QoSPolicyKind.RELIABILITY: "make the subscriber best_effort, or take the override of this publisher's reliability away",
    QoSPolicyKind.DURABILITY: "make the subscriber volatile: this topic keeps nothing for late joiners",
}


def input_profile(reliability: str) -> QoSProfile:
    """The image subscription's profile; reliability: best_effort or reliable."""
    policy = {"best_effort": ReliabilityPolicy.BEST_EFFORT, "reliable": ReliabilityPolicy.RELIABLE}[
        reliability
    ]
    return QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=1, reliability=policy)


def results_profile() -> QoSProfile:
    """Of persons and detections. (Functions, not constants: rclpy writes overrides into the profile that it is given.)"""
    return QoSProfile(depth=10)


def picture_profile() -> QoSProfile:
    """Of pictures: reliable, which is what RViz asks for; only the newest, which is what a viewer wants."""
    return QoSProfile(depth=1)


def latched_profile() -> QoSProfile:
    """Of what is said once and must reach those who come later."""
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
) -> Any:
    """A subscription that logs a publisher which cannot be heard, with the cure."""

    def incompatible(event: Any) -> None:
        _log(node, "publisher", "input", topic, event, _CURES)

    options: dict[str, Any] = {"qos_overriding_options": overridable(), "callback_group": callback_group}
    try:
        events = SubscriptionEventCallbacks(incompatible_qos=incompatible)
        return node.create_subscription(
            message_type, topic, callback, profile, event_callbacks=events, **options
        )
    except UnsupportedEventTypeError:  # this middleware does not tell
        return node.create_subscription(message_type, topic, callback, profile, **options)


def create_publisher(
    node: Node, create: Callable[..., Any], message_type: type, topic: str, profile: QoSProfile
) -> Any:
    """A publisher, made by ``create`` (a method of the node), that logs a subscriber which cannot hear it, with the cure."""

    def incompatible(event: Any) -> None:
        _log(node, "subscriber", "result", topic, event, _OUTPUT_CURES)

    options: dict[str, Any] = {"qos_overriding_options": overridable()}
    try:
        events = PublisherEventCallbacks(incompatible_qos=incompatible)
        return create(message_type, topic, profile, event_callbacks=events, **options)
    except UnsupportedEventTypeError:
        return create(message_type, topic, profile, **options)


def _log(node: Node, other: str, what: str, topic: str, event: Any, cures: dict[QoSPolicyKind, str]) -> None:
    policy = QoSPolicyKind(event.last_policy_kind)
    cure = cures.get(policy, f"give both sides the same {policy.name.lower()}")
    node.get_logger().warning(
        f"a {other} of {node.resolve_topic_name(topic)} ({what}) does not fit in its {policy.name.lower()} and is not"
        f" connected: {cure}"
    )

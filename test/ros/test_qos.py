# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("rclpy")

from rclpy.qos import DurabilityPolicy, HistoryPolicy, ReliabilityPolicy
from std_msgs.msg import Empty

from pose_resnet_ros.ros import qos


def test_profiles() -> None:
    assert qos.input_profile("best_effort").reliability == ReliabilityPolicy.BEST_EFFORT
    assert qos.input_profile("reliable").reliability == ReliabilityPolicy.RELIABLE
    for profile in (qos.input_profile("best_effort"), qos.image_profile(), qos.latched_profile()):
        assert (profile.history, profile.depth) == (HistoryPolicy.KEEP_LAST, 1)
    for profile in (qos.results_profile(), qos.image_profile(), qos.latched_profile()):
        assert profile.reliability == ReliabilityPolicy.RELIABLE
    assert qos.latched_profile().durability == DurabilityPolicy.TRANSIENT_LOCAL
    assert qos.results_profile().durability == DurabilityPolicy.VOLATILE


def test_an_override_of_one_topic_does_not_reach_the_next(world: Any) -> None:
    import rclpy

    arguments = ["--ros-args", "-p", "qos_overrides./one.publisher.depth:=7"]
    node = rclpy.create_node("overridden", cli_args=arguments)
    world.executor.add_node(node)
    try:
        one, two = (
            qos.create_publisher(node, node.create_publisher, Empty, topic, qos.image_profile()) for topic in ("/one", "/two")
        )
        assert node.get_parameter("qos_overrides./one.publisher.depth").value == 7
        assert node.get_parameter("qos_overrides./two.publisher.depth").value == 1
        assert one.topic_name != two.topic_name
        assert qos.image_profile().depth == 1
    finally:
        world.executor.remove_node(node)
        node.destroy_node()


def test_a_middleware_without_such_events_gets_plain_endpoints(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stands for a middleware that cannot be had here: it refuses endpoints that ask for the event."""
    node = world.peer
    refused = []

    def only_plain(create: Any) -> Any:
        def call(*arguments: Any, event_callbacks: Any = None, **options: Any) -> Any:
            if event_callbacks is not None:
                refused.append(arguments[1])
                raise qos.UnsupportedEventTypeError("this middleware does not tell")
            return create(*arguments, **options)

        return call

    monkeypatch.setattr(node, "create_subscription", only_plain(node.create_subscription))
    monkeypatch.setattr(node, "create_publisher", only_plain(node.create_publisher))
    received: list[Empty] = []
    qos.create_subscription(node, Empty, "/plain", received.append, qos.input_profile("reliable"))
    publisher = qos.create_publisher(node, node.create_publisher, Empty, "/plain", qos.results_profile())
    world.until(publisher.get_subscription_count, "the connection")
    publisher.publish(Empty())
    world.until(lambda: received, "the message")
    assert refused == ["/plain", "/plain"]

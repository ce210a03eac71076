# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""A ROS domain of its own for every test that asks for one."""

from __future__ import annotations

import functools
import itertools
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import spot_model

from pose_resnet_ros.ros.programs.domain import ClaimedDomain

DEADLINE_S = 300.0  # only for what never comes: a loaded machine may need minutes
TURNS = 10  # of the executor: enough for all that has been published, if the machine stood still while the time went by
PUBLISH_AGAIN_TURNS = 250
# Any of these may pass between two lines of a test on a busy machine. So none does, but where the test sets it.
NEVER_S = 1e6
LIMITS = (
    "health.diagnostics.SILENT_AFTER_S",
    "health.diagnostics.NO_RESULT_AFTER_S",
    "health.diagnostics.OVERLOADED_AFTER_S",
    "health.statistics.WINDOW_S",
    "ros_log.REPEAT_AFTER_S",
    "depth_3d.COMPLAIN_AFTER_S",
    "external_detections.COMPLAIN_AFTER_S",
    "hri_publisher.RETIRE_AFTER_S",
    "hri_publisher.SILENT_AFTER_S",
    "video_stream.TELL_AFTER_S",
    "video_stream.COMPLAIN_AFTER_S",
)


def call_once_before(subscription: Any, action: Callable[[], Any]) -> None:
    """Do this before the subscription's next call; after that it is as it was."""
    callback = subscription.callback

    @functools.wraps(callback)
    def first(*arguments: Any) -> Any:
        subscription.callback = callback
        action()
        return callback(*arguments)

    subscription.callback = first


class World:
    """One ROS domain: pose nodes in this process, and somebody who sends images and listens.

    Everything is spun by ``until``, on the test's own thread.
    """

    def __init__(self) -> None:
        import rclpy
        from rclpy.executors import SingleThreadedExecutor

        self._domain = ClaimedDomain()
        self.domain_id = self._domain.id
        rclpy.init(args=[], domain_id=self.domain_id)
        self.executor = SingleThreadedExecutor()
        self.peer = rclpy.create_node("peer")
        self.executor.add_node(self.peer)
        self._nodes: list[Any] = []

    def pose_node(self, *arguments: str, start: bool = True, **parameters: Any) -> Any:
        """A pose node with these ROS arguments and parameters; it finds the brightest spot unless told otherwise."""
        from rclpy.parameter import Parameter

        from pose_resnet_ros.ros.node import PoseNode

        given = {"detector_model": "full_frame", **parameters}
        overrides = [Parameter(name.replace("__", "."), value=value) for name, value in given.items()]
        node = PoseNode(parameter_overrides=overrides, cli_args=["--ros-args", *arguments])
        self.add(node)
        if start:
            node.start()
        return node

    def add(self, node: Any) -> None:
        """Spin this node too, and close it at the end."""
        self._nodes.append(node)
        self.executor.add_node(node)

    def remove(self, node: Any) -> None:
        """Close a node before the end."""
        self._nodes.remove(node)
        self.executor.remove_node(node)
        node.close()

    def listen(self, message_type: type, topic: str, qos: Any = 10) -> list:
        """The messages of a topic, as they come."""
        messages: list = []
        self.peer.create_subscription(message_type, topic, messages.append, qos)
        return messages

    def publisher(self, message_type: type, topic: str = "/image", qos: Any = 1) -> Any:
        """A publisher that has found its subscriber, and has been found by it: its first message arrives."""
        publisher = self.peer.create_publisher(message_type, topic, qos)
        self.until_connected(publisher)
        return publisher

    def until_connected(self, publisher: Any) -> None:
        """Spin until a publisher of the peer's has found its subscriber, and has been found by it."""
        topic = publisher.topic_name
        self.until(publisher.get_subscription_count, f"somebody to subscribe to {topic}")
        count = sum(other.topic_name == topic for other in self.peer.publishers)
        known = lambda: all(s.get_publisher_count() == count for s in self._subscriptions(topic))  # noqa: E731
        self.until(known, f"{topic} to know its {count} publisher(s)")

    def _subscriptions(self, topic: str) -> list[Any]:
        """Of the pose nodes."""
        return [s for node in self._nodes for s in node.subscriptions if s.topic_name == topic]

    def deliver(self, publisher: Any, message: Any) -> None:
        """Publish, and spin until each pose node that subscribes has been called with it.

        Best effort may lose a message: it is then published again, so this is for those that may come twice.
        """
        topic = publisher.topic_name
        waiting = self._subscriptions(topic)
        assert waiting, f"no node subscribes to {topic}"
        for subscription in waiting[:]:
            call_once_before(subscription, lambda s=subscription: waiting.remove(s))
        turns = itertools.count()

        def delivered() -> bool:
            if waiting and next(turns) % PUBLISH_AGAIN_TURNS == 0:
                publisher.publish(message)
            return not waiting

        self.until(delivered, f"a message on {topic} to arrive")

    def parameter_client(self) -> Any:
        """Calls the pose node's parameter services, as ``ros2 param`` does."""
        from rclpy.parameter_client import AsyncParameterClient

        client = AsyncParameterClient(self.peer, "/pose_resnet")
        self.until(client.services_are_ready, "the parameter services")
        return client

    def until(self, condition: Callable[[], Any], what: str) -> Any:
        """Spin until the condition holds; its value."""
        end_s = time.monotonic() + DEADLINE_S
        while not (value := condition()):
            assert time.monotonic() < end_s, f"waited {DEADLINE_S:.0f} s for {what}"
            self.executor.spin_once(timeout_sec=0.02)
        return value

    def spin_for(self, seconds: float) -> None:
        """Give something that must not happen the time to happen."""
        end_s, turns = time.monotonic() + seconds, 0
        while time.monotonic() < end_s or turns < TURNS:
            self.executor.spin_once(timeout_sec=0.02)
            turns += 1

    def close(self) -> None:
        import rclpy

        for node in self._nodes:
            node.close()
        self.peer.destroy_node()
        self.executor.shutdown()
        rclpy.try_shutdown()
        self._domain.close()


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    pytest.importorskip("rclpy")
    for limit in LIMITS:
        monkeypatch.setattr(f"pose_resnet_ros.ros.{limit}", NEVER_S)
    monkeypatch.setattr("pose_resnet_ros.ros.node.STOP_TIMEOUT_S", DEADLINE_S)
    world = World()
    yield world
    world.close()


@pytest.fixture
def until_logged(world: World, capfd: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Spins until the log, which is standard error, has held a text; between two looks at it, does something. Returns the log."""
    log = ""

    def until(text: str, meanwhile: Callable[[], Any] = lambda: None) -> str:
        def said() -> bool:
            nonlocal log
            log += capfd.readouterr().err
            if text not in log:
                meanwhile()
            return text in log

        world.until(said, f"'{text}' in the log")
        return log

    return until


@pytest.fixture(scope="session")
def spot(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Path of a fast pose model that finds the brightest spot."""
    return str(spot_model.spot_model(tmp_path_factory.mktemp("models") / "spot.onnx"))


@pytest.fixture(scope="session")
def slow_spot(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The same, but a white spot takes a fraction of a second."""
    return str(spot_model.spot_model(tmp_path_factory.mktemp("models") / "slow_spot.onnx", delay=150))


@pytest.fixture(scope="session")
def endless_spot(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The same, but a white spot takes longer than any test waits."""
    return str(spot_model.spot_model(tmp_path_factory.mktemp("models") / "endless_spot.onnx", delay=3_000_000))


@pytest.fixture
def ros_environment(world: World) -> dict[str, str]:
    """Environment of a process that shall meet ``world``."""
    return {**os.environ, "ROS_DOMAIN_ID": str(world.domain_id), "PYTHONUNBUFFERED": "1"}


@pytest.fixture
def image_message() -> Callable[..., Any]:
    """Makes sensor_msgs/Image messages: bgr8, black with a white spot, unless told otherwise."""
    from builtin_interfaces.msg import Time
    from sensor_msgs.msg import Image

    def make(pixels: np.ndarray | None = None, *, encoding: str = "bgr8", number: int = 1, **fields: Any) -> Image:
        pixels = picture_with_spot() if pixels is None else pixels
        message = Image(height=pixels.shape[0], width=pixels.shape[1], encoding=encoding)
        message.header.stamp = Time(sec=number, nanosec=500)
        message.header.frame_id = "camera_optical_frame"
        message.step = pixels.nbytes // pixels.shape[0]
        message.data.frombytes(np.ascontiguousarray(pixels).tobytes())
        for name, value in fields.items():
            setattr(message, name, value)
        return message

    return make


def picture_with_spot(*, at: tuple[int, int] = (80, 60), size: tuple[int, int] = (160, 120)) -> np.ndarray:
    """(H, W, 3) black with a white square of 12 pixels around ``at`` (x, y)."""
    picture = np.zeros((size[1], size[0], 3), np.uint8)
    x, y = at
    picture[y - 6 : y + 6, x - 6 : x + 6] = 255
    return picture

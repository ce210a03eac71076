# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Frames that nobody would use stay in the middleware, where each new one takes the place of the last."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("rclpy")

import rclpy
from rclpy.qos import QoSProfile
from sensor_msgs.msg import Image

from pose_resnet_ros.ros import image_input, qos
from pose_resnet_ros.ros.health.statistics import Statistics
from pose_resnet_ros.ros.image_input import ImageInput
from pose_resnet_ros.ros.topics import CameraContext
from pose_resnet_ros.settings import Settings

MakeImage = Callable[..., Image]


class Bench:
    """An input whose worker is as idle as the test says, and a camera."""

    def __init__(self, world: Any, make: MakeImage, *arguments: str) -> None:
        self._world, self._make = world, make
        settings: Any = Settings()
        self.idle = True
        self.forwarded: list[tuple[int, float]] = []  # number, time of receipt
        self.statistics = Statistics()
        node = rclpy.create_node("listener", cli_args=["--ros-args", *arguments])
        node.close = node.destroy_node
        self.input = ImageInput(
            CameraContext(node, "", lambda: settings),
            is_wanted=lambda: self.idle,
            forward=lambda frame: self.forwarded.append((frame.image.header.stamp.sec, frame.received_s)),
            statistics=self.statistics,
        )
        world.add(node)
        self.camera = world.publisher(Image)

    @property
    def numbers(self) -> list[int]:
        return [number for number, _ in self.forwarded]

    def send(self, *numbers: int) -> None:
        """One after the other: each is taken, or had the time to be where it must stay unread."""
        for number in numbers:
            self.camera.publish(self._make(number=number))
            if self.input.is_waiting:
                self._world.spin_for(0.1)
            else:
                self.until_forwarded(number)

    def until_forwarded(self, number: int) -> None:
        self._world.until(lambda: self.numbers[-1:] == [number], f"frame {number} to be taken")

    def let_go(self, number: int) -> None:
        """Until the frame of this number, which was left unread, is taken."""
        self.idle = True
        self.input.resume()
        self.until_forwarded(number)

    def counts(self) -> tuple[int, int]:
        summary = self.statistics.summary()
        assert summary.lost == 0  # on this machine, at this pace
        return summary.received, summary.unread


MakeBench = Callable[..., Bench]


@pytest.fixture
def make_bench(world: Any, image_message: MakeImage, monkeypatch: pytest.MonkeyPatch) -> MakeBench:
    def make(profile: QoSProfile | None = None, *arguments: str) -> Bench:
        if profile is not None:
            monkeypatch.setattr(qos, "input_profile", lambda reliability, depth: profile)
        return Bench(world, image_message, *arguments)

    return make


def test_only_the_newest_is_taken_when_the_worker_is_idle_again(make_bench: MakeBench) -> None:
    bench = make_bench()
    bench.send(1)
    bench.idle = False
    bench.send(2, 3)
    sent_s = time.monotonic()
    bench.send(4)
    assert bench.numbers == [1]
    assert bench.input.is_waiting
    resumed_s = time.monotonic()
    bench.let_go(4)
    assert bench.numbers == [1, 4]
    assert not bench.input.is_waiting
    assert sent_s - 0.01 < bench.forwarded[1][1] < resumed_s  # the time of receipt, not that of taking it
    assert bench.counts() == (2, 2)
    bench.send(5)
    assert bench.numbers == [1, 4, 5]
    assert bench.counts() == (3, 2)


@pytest.mark.parametrize("reliability", ["best_effort", "reliable"])
def test_an_unread_frame_does_not_keep_the_executor_awake(
    make_bench: MakeBench, world: Any, monkeypatch: pytest.MonkeyPatch, reliability: str
) -> None:
    bench = make_bench(qos.input_profile(reliability))
    bench.send(1)
    bench.idle = False
    bench.send(2)
    asked, original = 0, image_input._WhileWanted.can_execute

    def can_execute(self: Any, entity: Any) -> bool:
        nonlocal asked
        asked += 1
        return original(self, entity)

    monkeypatch.setattr(image_input._WhileWanted, "can_execute", can_execute)
    for _ in range(20):
        world.executor.spin_once(timeout_sec=0.02)
    assert 0 < asked < 400  # a few entities, once or twice a round; without rest it would be thousands
    bench.let_go(2)
    assert bench.numbers == [1, 2]


def test_a_busy_worker_takes_the_first_frame_to_learn_what_the_middleware_tells(make_bench: MakeBench) -> None:
    bench = make_bench()
    bench.idle = False
    bench.send(1)
    assert bench.input.is_waiting
    bench.send(2)
    assert bench.numbers == [1]


@pytest.mark.parametrize(("depth", "arguments"), [(5, ()), (1, ("-p", "qos_overrides./image.subscription.depth:=5"))])
def test_with_a_queue_every_frame_is_taken_for_the_oldest_would_come_first(
    make_bench: MakeBench, depth: int, arguments: tuple[str, ...]
) -> None:
    bench = make_bench(QoSProfile(depth=depth), *arguments)
    bench.idle = False
    bench.send(1, 2, 3)
    assert bench.numbers == [1, 2, 3]
    assert not bench.input.is_waiting


def test_as_on_humble_without_message_info_every_frame_is_taken(make_bench: MakeBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_input, "_TELLS_RECEIPT", False)
    bench = make_bench()
    bench.idle = False
    bench.send(1, 2, 3)
    assert bench.numbers == [1, 2, 3]
    assert bench.counts() == (3, 0)


def test_with_a_middleware_that_does_not_number_every_frame_is_taken(make_bench: MakeBench, image_message: MakeImage) -> None:
    """Cyclone DDS, which also gives the time of taking for that of receipt."""
    bench = make_bench()
    bench.idle = False
    bench.input._on_image(image_message(), {"received_timestamp": time.time_ns(), "publication_sequence_number": None})
    assert not bench.input.is_waiting
    assert bench.numbers == [1]


def test_frames_of_two_cameras_are_not_numbered_together(make_bench: MakeBench, world: Any) -> None:
    bench = make_bench()
    bench.send(*range(1, 6))
    world.publisher(Image).publish(bench._make(number=100))
    bench.until_forwarded(100)
    bench.send(6, 7)
    assert bench.numbers == [1, 2, 3, 4, 5, 100, 6, 7]
    assert bench.counts() == (8, 0)


def test_a_system_clock_that_is_set_does_not_spoil_the_age(make_bench: MakeBench) -> None:
    bench = make_bench()
    bench.send(1)
    taken_s = bench.input._taken_s
    for received_ns in (0, time.time_ns() + 10**12):
        assert taken_s <= bench.input._received_s(received_ns) <= time.monotonic()

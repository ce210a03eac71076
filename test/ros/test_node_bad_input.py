# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Bad frames and broken pipelines: counted, logged with topic and reason, and the next good frame is served."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy")

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from pose_resnet_ros.msg import PersonArray
from sensor_msgs.msg import CompressedImage, Image

from pose_resnet_ros.ros.health.diagnostics import FAILING_AFTER

MakeImage = Callable[..., Image]


def test_bad_images_one_after_the_other_and_the_next_good_one_is_served(
    world: Any, spot: str, image_message: MakeImage, capfd: pytest.CaptureFixture[str]
) -> None:
    node = world.pose_node(pose_model=spot)
    persons = world.listen(PersonArray, "/pose_resnet/persons")
    camera = world.publisher(Image)
    bad = {
        "size": image_message(width=0),
        "step": image_message(step=17),
        "data length": image_message(height=121),
        "encoding": image_message(encoding="klingon"),
    }
    long = image_message()
    long.data.frombytes(b"more")
    for number, (kind, message) in enumerate([*bad.items(), ("data length", long)], start=1):
        camera.publish(message)
        world.until(lambda n=number: sum(errors(node).values()) == n, f"the error of a wrong {kind}")
        assert kind in errors(node)
        camera.publish(image_message(number=number))
        world.until(lambda n=number: len(persons) == n, "the good frame")
    assert errors(node) == {"size": 1, "step": 1, "data length": 2, "encoding": 1}
    log = capfd.readouterr().err
    assert log.count("frame on /image skipped:") == 4  # one of each kind: the second wrong length came too soon
    for reason in ("no pixels", "expected at least 480 bytes, got 17", "bytes, got", "encoding 'klingon'"):
        assert reason in log
    assert "Traceback" not in log


def errors(node: Any) -> dict[str, int]:
    return dict(node.cameras[0].statistics.summary().errors)


def test_random_bytes_as_compressed_images(world: Any, spot: str, image_message: MakeImage) -> None:
    node = world.pose_node(pose_model=spot, image_transport="compressed")
    camera = world.publisher(CompressedImage, "/image/compressed")
    random = np.random.default_rng(5)
    for number, length in enumerate((0, 1, 50, 5000), start=1):
        message = CompressedImage(format="jpeg")
        message.data.frombytes(random.bytes(length))
        camera.publish(message)
        world.until(lambda n=number: sum(errors(node).values()) == n, "the error")
    assert errors(node) == {"data length": 1, "decode": 3}


def test_an_unexpected_exception_is_logged_once_and_the_worker_lives_on(
    world: Any, spot: str, image_message: MakeImage, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    node = world.pose_node(pose_model=spot)
    persons = world.listen(PersonArray, "/pose_resnet/persons")
    arrays = world.listen(DiagnosticArray, "/diagnostics")
    camera = world.publisher(Image)

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a fault of ours")

    with monkeypatch.context() as patch:
        patch.setattr(node._pipeline, "run", broken)
        for number in range(1, FAILING_AFTER + 1):
            camera.publish(image_message(number=number))
            world.until(lambda n=number: errors(node).get("ZeroDivisionError") == n, "the error")
        world.until(lambda: arrays and arrays[-1].status[0].level == DiagnosticStatus.ERROR, "an ERROR in diagnostics")
    assert f"the last {FAILING_AFTER} frames failed" in arrays[-1].status[0].message
    log = capfd.readouterr().err
    assert log.count("Traceback") == 1
    assert "a fault of ours" in log
    assert persons == []  # silence, not "nobody there"
    camera.publish(image_message(number=9))
    world.until(lambda: persons, "the next frame")
    world.until(lambda: arrays[-1].status[0].level == DiagnosticStatus.OK, "diagnostics to recover")


def test_stamps_that_jump_back_are_served_and_told(
    world: Any, spot: str, image_message: MakeImage, capfd: pytest.CaptureFixture[str]
) -> None:
    node = world.pose_node(pose_model=spot)
    persons = world.listen(PersonArray, "/pose_resnet/persons")
    camera = world.publisher(Image)
    for count, number in enumerate((100, 101, 5, 6), start=1):  # a bag that loops
        camera.publish(image_message(number=number))
        world.until(lambda n=count: len(persons) == n, "persons")
    assert [message.header.stamp.sec for message in persons] == [100, 101, 5, 6]
    assert node.cameras[0].statistics.summary().time_jumps == 1
    assert "jumped back" in capfd.readouterr().err


def test_two_sources_on_one_topic_are_served_and_told(world: Any, spot: str, image_message: MakeImage) -> None:
    world.pose_node(pose_model=spot)
    arrays = world.listen(DiagnosticArray, "/diagnostics")
    persons = world.listen(PersonArray, "/pose_resnet/persons")
    for count, camera in enumerate((world.publisher(Image), world.publisher(Image)), start=1):
        camera.publish(image_message(number=count))
        world.until(lambda n=count: len(persons) == n, "persons")
    world.until(lambda: arrays and "2 publishers on /image" in arrays[-1].status[0].message, "the warning")
    assert arrays[-1].status[0].level == DiagnosticStatus.WARN


def test_a_camera_that_stops_is_seen_in_diagnostics(
    world: Any, spot: str, image_message: MakeImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pose_resnet_ros.ros.health.diagnostics.SILENT_AFTER_S", 0.5)
    world.pose_node(pose_model=spot)
    arrays = world.listen(DiagnosticArray, "/diagnostics")
    persons = world.listen(PersonArray, "/pose_resnet/persons")
    camera = world.publisher(Image)
    camera.publish(image_message())
    world.until(lambda: persons, "persons")
    world.until(lambda: arrays and "the source has stopped" in arrays[-1].status[0].message, "the warning")
    assert arrays[-1].status[0].level == DiagnosticStatus.WARN
    world.peer.destroy_publisher(camera)
    world.until(lambda: "no publisher on /image: the source has stopped" in arrays[-1].status[0].message, "the other warning")


def test_simulated_time_that_stands_still_does_not_stop_the_node(world: Any, spot: str, image_message: MakeImage) -> None:
    world.pose_node(pose_model=spot, use_sim_time=True)  # and nobody publishes /clock
    arrays = world.listen(DiagnosticArray, "/diagnostics")
    persons = world.listen(PersonArray, "/pose_resnet/persons")
    camera = world.publisher(Image)
    camera.publish(image_message())
    world.until(lambda: persons, "persons")
    world.until(lambda: len(arrays) > 1, "diagnostics")

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("rclpy")

from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image

from pose_resnet_ros.core.errors import SettingsError
from pose_resnet_ros.media import Picture
from pose_resnet_ros.ros.codecs.image import image_to_bgr
from pose_resnet_ros.ros.programs import image_source
from pose_resnet_ros.ros.programs.image_source import ImageSource

MANY = QoSProfile(depth=100)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pictures, each of one gray, and a file that is none."""
    for number in (1, 2, 3):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((6, 8, 3), 10 * number, np.uint8))
    (tmp_path / "2b.png").write_bytes(b"not a picture")
    (tmp_path / "notes.txt").write_text("ignored")
    return tmp_path


@pytest.fixture
def make_source(world: Any) -> Callable[..., ImageSource]:
    def make(source: object, *arguments: str, **parameters: Any) -> ImageSource:
        given = {"source": str(source), "rate": 200.0, "wait_for_subscribers": 1, **parameters}
        overrides = [Parameter(name, value=value) for name, value in given.items()]
        node = ImageSource(parameter_overrides=overrides, cli_args=["--ros-args", *arguments])
        world.add(node)
        node.start()
        return node

    return make


def grays(images: list[Image]) -> list[int]:
    return [int(image_to_bgr(image)[0, 0, 0]) for image in images]


def test_a_folder_in_order_with_camera_info_beside_it(
    world: Any, folder: Path, make_source: Callable[..., ImageSource]
) -> None:
    infos = world.listen(CameraInfo, "/camera/camera_info", MANY)
    images = world.listen(Image, "/camera/image_raw", MANY)
    node = make_source(folder, "-r", "image:=/camera/image_raw", frame_id="front_optical")
    world.until(node.finished.done, "the end")
    assert node.finished.result() == 0
    world.until(lambda: len(images) == 3, "three images")
    assert grays(images) == [10, 20, 30]
    assert {(image.encoding, image.width, image.height, image.header.frame_id) for image in images} == {
        ("bgr8", 8, 6, "front_optical")
    }
    by_stamp = {(info.header.stamp.sec, info.header.stamp.nanosec): info for info in infos}
    assert by_stamp
    for image in images:
        info = by_stamp.get((image.header.stamp.sec, image.header.stamp.nanosec))
        if info is not None:  # only the newest is kept for a listener that was not yet there
            assert (info.width, info.height, info.header.frame_id) == (8, 6, "front_optical")


def test_a_loop_begins_again(world: Any, folder: Path, make_source: Callable[..., ImageSource]) -> None:
    images = world.listen(Image, "/image", MANY)
    node = make_source(folder, loop=True)
    world.until(lambda: len(images) >= 7, "two turns")
    assert not node.finished.done()
    first = grays(images).index(10)
    assert grays(images)[first : first + 4] == [10, 20, 30, 10]


def test_a_folder_of_broken_pictures_ends_even_in_a_loop(
    world: Any, tmp_path: Path, make_source: Callable[..., ImageSource]
) -> None:
    (tmp_path / "broken.png").write_bytes(b"not a picture")
    node = make_source(tmp_path, loop=True, wait_for_subscribers=0)
    world.until(node.finished.done, "the end")
    assert node.finished.result() == 1


class EmptyVideo:
    """Opens, and has no frame that can be read."""

    fps = 30.0
    length = None

    def read(self) -> None:
        return None

    def close(self) -> None:
        pass


@pytest.mark.parametrize("loop", [False, True])
def test_a_video_without_a_frame_ends_with_a_failure_even_in_a_loop(
    world: Any,
    make_source: Callable[..., ImageSource],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    loop: bool,
) -> None:
    monkeypatch.setattr(image_source, "open_media", lambda source: EmptyVideo())
    node = make_source("street.avi", loop=loop, wait_for_subscribers=0)
    world.until(node.finished.done, "the end")
    assert node.finished.result() == 1
    assert "street.avi: no picture in it can be read" in capfd.readouterr().err


def test_a_video_at_its_own_rate(world: Any, tmp_path: Path, make_source: Callable[..., ImageSource]) -> None:
    path = str(tmp_path / "video.avi")
    writer = cv2.VideoWriter(path, cv2.VideoWriter_fourcc(*"MJPG"), 50.0, (64, 48))
    for number in range(5):
        writer.write(np.full((48, 64, 3), 40 * number, np.uint8))
    writer.release()
    images = world.listen(Image, "/image", MANY)
    node = make_source(path, rate=0.0)
    assert node._period_s == pytest.approx(0.02)
    world.until(node.finished.done, "the end")
    world.until(lambda: len(images) == 5, "five frames")
    np.testing.assert_allclose(grays(images), [0, 40, 80, 120, 160], atol=4)


@pytest.mark.parametrize("reliability", list(ReliabilityPolicy)[1:3])
def test_every_subscriber_hears_it(
    world: Any, folder: Path, make_source: Callable[..., ImageSource], reliability: ReliabilityPolicy
) -> None:
    images = world.listen(Image, "/image", QoSProfile(depth=5, reliability=reliability))
    make_source(folder, loop=True)
    world.until(lambda: images, "an image")


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("/nowhere/street.avi", "there is no '/nowhere/street.avi'"),
        ("", "expected a webcam's index"),
        ("97", "webcam 97"),
    ],
)
def test_a_source_that_is_not_there(
    world: Any, make_source: Callable[..., ImageSource], source: str, text: str
) -> None:
    with pytest.raises(SettingsError, match=text):
        make_source(source)


class Webcam:
    """Delivers ten frames as fast as they are read, then nothing: unplugged."""

    fps = 30.0
    length = None

    def __init__(self) -> None:
        self.read_count = 0

    def read(self) -> Picture | None:
        self.read_count += 1
        return Picture(np.zeros((4, 4, 3), np.uint8), Path("0"), 0) if self.read_count <= 10 else None

    def close(self) -> None:
        pass


def test_a_webcam_is_read_without_waiting_and_its_end_is_a_failure(
    world: Any,
    make_source: Callable[..., ImageSource],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    webcam = Webcam()
    monkeypatch.setattr(image_source, "open_media", lambda source: webcam)
    images = world.listen(Image, "/image", MANY)
    node = make_source("0", rate=0.1)
    world.until(node.finished.done, "the end")
    assert node.finished.result() == 1
    assert "the webcam delivers no more frames" in capfd.readouterr().err
    assert webcam.read_count == 11  # all read at once: what came too early was left out, not queued
    world.until(lambda: images, "the first frame")
    world.spin_for(0.2)
    assert len(images) == 1

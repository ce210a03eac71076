# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import streams
import videos

pytest.importorskip("rclpy")

from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image

from pose_resnet_ros.core.errors import SettingsError
from pose_resnet_ros.ros.codecs.image import image_to_bgr
from pose_resnet_ros.ros.programs.image_source import ImageSource, Pace

MANY = QoSProfile(depth=1000)


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


def test_a_folder_in_order_with_camera_info_beside_it(world: Any, folder: Path, make_source: Callable[..., ImageSource]) -> None:
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


@pytest.mark.parametrize("loop", [False, True])
def test_a_video_without_a_frame_ends_with_a_failure_even_in_a_loop(
    world: Any, tmp_path: Path, make_source: Callable[..., ImageSource], capfd: pytest.CaptureFixture[str], loop: bool
) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (1, 48, 64, 3), dtype=np.uint8)
    path = videos.cut_off(videos.write_video(tmp_path / "a.mkv", noise))
    node = make_source(path, loop=loop, wait_for_subscribers=0)
    world.until(node.finished.done, "the end")
    assert node.finished.result() == 1
    assert ("no frame in it can be read" if loop else "0 frames read") in capfd.readouterr().err


@pytest.mark.parametrize("times_s", [(), (0.0, 0.02, 0.04, 0.2, 0.22)])
def test_a_video_at_its_own_times(
    world: Any, tmp_path: Path, make_source: Callable[..., ImageSource], times_s: tuple[float, ...]
) -> None:
    pictures = [videos.gray(40 * number) for number in range(5)]
    path = videos.write_video(tmp_path / "video.mp4", pictures, fps=50.0, times_s=times_s)
    images = world.listen(Image, "/image", MANY)
    node = make_source(path, rate=0.0)
    assert str(node._pace).startswith("at its own times, about ")
    world.until(node.finished.done, "the end")
    assert node.finished.result() == 0
    world.until(lambda: len(images) == 5, "five frames")
    np.testing.assert_allclose(grays(images), [0, 40, 80, 120, 160], atol=8)


def dues(pace: Pace, times_s: list[float | None], late_s: dict[int, float] | None = None) -> list[float]:
    """When pictures are published that are read without delay, but for those that are late."""
    now_s, published = 100.0, []
    for number, time_s in enumerate(times_s):
        now_s += (late_s or {}).get(number, 0.0)
        wait_s = pace.wait_s(time_s, now_s=now_s)
        pace.take(time_s, now_s=now_s)
        now_s += max(0.0, wait_s)
        published.append(now_s - 100.0)
    return published


def test_pace() -> None:
    own = [0.0, 0.1, 0.4, 0.5]
    assert dues(Pace(0.2, is_fixed=False), own) == pytest.approx(own)
    assert dues(Pace(0.2, is_fixed=True), own) == pytest.approx([0.0, 0.2, 0.4, 0.6])
    assert dues(Pace(0.2, is_fixed=False), [None] * 3) == pytest.approx([0.0, 0.2, 0.4])
    assert dues(Pace(0.2, is_fixed=False), [*own, *own]) == pytest.approx([*own, 0.7, 0.8, 1.1, 1.2])  # a loop
    assert dues(Pace(0.2, is_fixed=False), own, {1: 1.0}) == pytest.approx([0.0, 1.0, 1.3, 1.4])


@pytest.mark.parametrize("loop", [False, True])
def test_a_video_that_was_cut_off_is_a_failure_or_said_in_each_turn(
    world: Any, tmp_path: Path, make_source: Callable[..., ImageSource], capfd: pytest.CaptureFixture[str], loop: bool
) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (8, 48, 64, 3), dtype=np.uint8)
    path = videos.cut_off(videos.write_video(tmp_path / "a.mkv", noise))
    images = world.listen(Image, "/image", MANY)
    node = make_source(path, loop=loop)
    if loop:
        world.until(lambda: len(images) >= 10, "some turns")
        assert not node.finished.done()
    else:
        world.until(node.finished.done, "the end")
        assert node.finished.result() == 1
    assert "cut_a.mkv is cut off or damaged" in capfd.readouterr().err


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
        ("", "expected a video, an image, a folder"),
        ("97", "webcam 97"),
    ],
)
def test_a_source_that_is_not_there(world: Any, make_source: Callable[..., ImageSource], source: str, text: str) -> None:
    with pytest.raises(SettingsError, match=text):
        make_source(source)


def test_a_stream_is_published_and_opened_again_when_it_is_lost(
    world: Any, make_source: Callable[..., ImageSource], capfd: pytest.CaptureFixture[str]
) -> None:
    images = world.listen(Image, "/image", MANY)
    camera = streams.Camera(frames=8)
    with streams.http(camera) as address:
        node = make_source(f"{address}/live", rate=0.0, timeout=5.0)
        world.until(lambda: camera.visits >= 3 and len(images) >= 10, "frames of several visits")
        assert not node.finished.done()
        node.close()
    said = capfd.readouterr().err
    assert f"{address}/live is lost" in said
    assert f"{address}/live is back" in said


def test_a_stream_that_stays_away_is_a_failure(
    world: Any, make_source: Callable[..., ImageSource], capfd: pytest.CaptureFixture[str]
) -> None:
    camera = streams.Camera(frames=8)
    with streams.http(camera) as address:
        node = make_source(f"{address}/live", rate=0.0, reconnect_timeout=0.0, wait_for_subscribers=0)
        world.until(node.finished.done, "the end")
    assert node.finished.result() == 1
    assert f"{address}/live ended after" in capfd.readouterr().err


def test_frames_of_a_stream_that_come_too_early_are_left_out(world: Any, make_source: Callable[..., ImageSource]) -> None:
    images = world.listen(Image, "/image", MANY)
    camera = streams.Camera(frames=20)
    with streams.http(camera) as address:
        node = make_source(f"{address}/live", rate=0.001, reconnect_timeout=0.0)
        world.until(node.finished.done, "the end")
    world.until(lambda: images, "the first frame")
    world.spin_for(0.2)
    assert len(images) == 1

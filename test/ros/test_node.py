# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The running node: what comes out for what goes in, over real topics."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import spot_model

pytest.importorskip("rclpy")

import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from pose_resnet_ros.msg import PersonArray, Skeleton
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CompressedImage, Image
from vision_msgs.msg import Detection2DArray

from pose_resnet_ros.core import draw
from pose_resnet_ros.core.skeletons import skeleton_named
from pose_resnet_ros.core.types import Detections
from pose_resnet_ros.ros import outputs
from pose_resnet_ros.ros.codecs.compressed import compressed_to_bgr
from pose_resnet_ros.ros.codecs.encodings import LAYOUTS
from pose_resnet_ros.ros.codecs.image import image_to_bgr
from pose_resnet_ros.ros.worker import FrameSlot, InputFrame

from .conftest import NEVER_S

LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
BEST_EFFORT = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
MakeImage = Callable[..., Image]


def test_a_frame_in_persons_out(world: Any, spot: str, image_message: MakeImage) -> None:
    world.pose_node(pose_model=spot)
    persons = world.listen(PersonArray, "/pose_resnet/persons")
    camera = world.publisher(Image)
    message = image_message()
    camera.publish(message)
    world.until(lambda: persons, "persons")
    assert persons[0].header == message.header  # stamp and frame, untouched
    assert (persons[0].skeleton, persons[0].image_width, persons[0].image_height) == ("openpose18", 160, 120)
    (person,) = persons[0].persons
    assert person.track_id == -1
    assert (person.bbox.center.position.x, person.bbox.center.position.y) == (80.0, 60.0)
    assert (person.bbox.size_x, person.bbox.size_y) == (160.0, 120.0)
    assert [keypoint.name for keypoint in person.keypoints] == list(skeleton_named("openpose18").joint_names)
    for keypoint in person.keypoints:
        assert abs(keypoint.x - 79.5) < 12
        assert abs(keypoint.y - 59.5) < 12
        assert keypoint.score > 0.2


def test_a_frame_with_nobody_in_it_is_published_empty(
    world: Any, spot: str, image_message: MakeImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = world.pose_node(pose_model=spot)
    monkeypatch.setattr(node._pipeline.detector, "detect_batch", lambda *_, **__: [Detections.empty()])
    persons = world.listen(PersonArray, "/pose_resnet/persons")
    detections = world.listen(Detection2DArray, "/pose_resnet/detections")
    pictures = world.listen(Image, "/pose_resnet/annotated_image")
    camera = world.publisher(Image)
    message = image_message()
    world.until(lambda: node.cameras[0].outputs[0]._detections.get_subscription_count(), "the subscription to detections")
    world.until(lambda: node.cameras[0].outputs[1]._annotated.get_subscription_count(), "the subscription to pictures")
    camera.publish(message)
    world.until(lambda: persons and detections and pictures, "results")
    assert persons[0].header == detections[0].header == pictures[0].header == message.header
    assert persons[0].persons == []
    assert detections[0].detections == []
    np.testing.assert_array_equal(image_to_bgr(pictures[0]), image_to_bgr(message))


@pytest.mark.parametrize(
    "encoding", ["bgr8", "rgba16", "mono16", "bayer_rggb8", "bayer_grbg16", "uyvy", "yuyv", "nv12", "i420", "nv24"]
)
def test_encodings(world: Any, spot: str, image_message: MakeImage, encoding: str) -> None:
    """The same gray picture in encodings of each kind gives the same keypoints."""
    gray = np.zeros((120, 160), np.uint8)
    gray[40:52, 100:112] = 250
    world.pose_node(pose_model=spot)
    persons = world.listen(PersonArray, "/pose_resnet/persons")
    camera = world.publisher(Image)
    camera.publish(image_message(in_encoding(gray, encoding), encoding=encoding, height=120))
    world.until(lambda: persons, "persons")
    nose = persons[0].persons[0].keypoints[0]
    assert abs(nose.x - 105.5) < 12
    assert abs(nose.y - 45.5) < 12


def in_encoding(gray: np.ndarray, encoding: str) -> np.ndarray:
    """Rows of values that show this gray picture: gray in all channels, and 128 where there is chroma."""
    layout = LAYOUTS[encoding]
    if len(layout.planes) > 1:
        rows = int(len(gray) * sum(across * down for across, down in layout.planes))
        return np.vstack([gray, np.full((rows - len(gray), gray.shape[1]), 128, np.uint8)])
    chroma = {"uyvy": 0, "yuv422": 0, "yuyv": 1, "yuv422_yuy2": 1}
    pixels = np.stack([gray] * layout.channels, axis=2)
    if encoding in chroma:
        pixels[..., chroma[encoding]] = 128
    return pixels.astype("<u2") * 257 if layout.dtype is np.uint16 else pixels


def test_compressed_images(world: Any, spot: str, image_message: MakeImage) -> None:
    world.pose_node("-r", "image:=/camera/image_raw", pose_model=spot, image_transport="compressed")
    persons = world.listen(PersonArray, "/pose_resnet/persons")
    camera = world.publisher(CompressedImage, "/camera/image_raw/compressed")
    raw = image_message()
    jpeg = cv2.imencode(".jpg", image_to_bgr(raw))[1].tobytes()
    message = CompressedImage(header=raw.header, format="bgr8; jpeg compressed bgr8")
    message.data.frombytes(jpeg)
    camera.publish(message)
    world.until(lambda: persons, "persons")
    assert persons[0].header == raw.header
    assert (persons[0].image_width, persons[0].image_height) == (160, 120)


def test_the_compressed_topic_may_be_remapped_by_itself(world: Any, spot: str, image_message: MakeImage) -> None:
    node = world.pose_node("-r", "image/compressed:=/jpegs", pose_model=spot, image_transport="compressed")
    world.publisher(CompressedImage, "/jpegs")
    condition = node.cameras[0].state()
    assert (condition.topic, condition.publishers, condition.matched) == ("/jpegs", 1, 1)


def test_size_and_encoding_may_change_in_mid_stream(world: Any, spot: str, image_message: MakeImage) -> None:
    world.pose_node(pose_model=spot)
    persons = world.listen(PersonArray, "/pose_resnet/persons")
    pictures = world.listen(Image, "/pose_resnet/annotated_image")
    camera = world.publisher(Image)
    for number, (shape, encoding) in enumerate(
        [((120, 160, 3), "bgr8"), ((480, 640), "mono8"), ((2, 3, 3), "rgb8"), ((600, 10, 4), "bgra8")], start=1
    ):
        camera.publish(image_message(np.full(shape, 50, np.uint8), encoding=encoding, number=number))
        world.until(lambda n=number: len(persons) == n and len(pictures) == n, f"frame {number}")
        assert (persons[-1].image_height, persons[-1].image_width) == shape[:2]
        assert (pictures[-1].height, pictures[-1].width) == shape[:2]


def test_the_skeleton_reaches_who_comes_late(world: Any, spot: str) -> None:
    world.pose_node(pose_model=spot, skeleton="coco17")
    world.spin_for(0.3)
    skeletons = world.listen(Skeleton, "/pose_resnet/skeleton", LATCHED)
    world.until(lambda: skeletons, "the latched skeleton")
    coco = skeleton_named("coco17")
    assert (skeletons[0].name, skeletons[0].joint_names) == (coco.name, list(coco.joint_names))
    assert list(zip(skeletons[0].edge_from, skeletons[0].edge_to, strict=True)) == list(coco.edges)


@pytest.mark.parametrize("qos", [QoSProfile(depth=1), BEST_EFFORT], ids=["reliable", "best_effort"])
def test_every_camera_is_heard(world: Any, spot: str, image_message: MakeImage, qos: QoSProfile) -> None:
    world.pose_node(pose_model=spot)
    persons = world.listen(PersonArray, "/pose_resnet/persons")
    camera = world.publisher(Image, qos=qos)

    def sent_and_answered() -> bool:
        camera.publish(image_message())  # best effort may lose one
        return bool(persons)

    world.until(sent_and_answered, "persons")


def test_pictures_are_drawn_only_for_somebody(
    world: Any, spot: str, image_message: MakeImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []

    def counted(name: str) -> Callable[..., np.ndarray]:
        def call(*arguments: Any, **options: Any) -> np.ndarray:
            drawn.append(name)
            return getattr(draw, name)(*arguments, **options)

        return call

    for name in ("draw_people", "draw_heatmaps"):
        monkeypatch.setattr(outputs, name, counted(name))
    world.pose_node(pose_model=spot)
    persons = world.listen(PersonArray, "/pose_resnet/persons")
    camera = world.publisher(Image)
    camera.publish(image_message(number=1))
    world.until(lambda: len(persons) == 1, "persons")
    world.spin_for(0.2)
    assert drawn == []
    annotated = world.listen(Image, "/pose_resnet/annotated_image")
    jpegs = world.listen(CompressedImage, "/pose_resnet/annotated_image/compressed")
    heatmaps = world.listen(Image, "/pose_resnet/heatmap_image")

    def sent_and_seen() -> bool:
        camera.publish(image_message(number=2))
        return bool(annotated and jpegs and heatmaps)

    world.until(sent_and_seen, "pictures")
    assert set(drawn) == {"draw_people", "draw_heatmaps"}
    source = image_to_bgr(image_message())
    for picture in (annotated[-1], heatmaps[-1]):
        assert picture.header == image_message(number=2).header
        assert (picture.encoding, picture.height, picture.width) == ("bgr8", 120, 160)
        assert (image_to_bgr(picture) != source).any()
    assert jpegs[-1].header == image_message(number=2).header
    assert np.abs(compressed_to_bgr(jpegs[-1]).astype(int) - image_to_bgr(annotated[-1])).mean() < 5


def test_overload_each_frame_is_the_newest_when_it_is_taken(
    world: Any, tmp_path: Path, image_message: MakeImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Ten times as slow as slow_spot: far behind the camera on a fast machine too.
    node = world.pose_node(pose_model=str(spot_model.spot_model(tmp_path / "slowest_spot.onnx", delay=1500)))
    persons = world.listen(PersonArray, "/pose_resnet/persons")
    sent: list[int] = []
    taken: list[tuple[int, int]] = []  # number of the frame taken, and of the newest sent at that moment
    leave = node._worker.leave

    def noted(slot: FrameSlot, frame: InputFrame) -> bool:
        taken.append((frame.image.header.stamp.sec, sent[-1]))
        return leave(slot, frame)

    monkeypatch.setattr(node._worker, "leave", noted)
    camera = world.publisher(Image)

    def sent_until_enough() -> bool:
        sent.append(len(sent) + 1)
        camera.publish(image_message(number=sent[-1]))
        return len(persons) >= 8

    world.until(sent_until_enough, "eight results of a slow model")
    assert all(number == newest for number, newest in taken), taken
    summary = node.cameras[0].statistics.summary()
    assert summary.stale == 0
    assert summary.unread > summary.published
    assert summary.lost == 0
    assert summary.received + summary.unread <= len(sent)
    assert [p.header.stamp.sec for p in persons] == sorted(p.header.stamp.sec for p in persons)


def test_a_long_inference_is_no_silence(
    world: Any, endless_spot: str, image_message: MakeImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pose_resnet_ros.ros.health.diagnostics.SILENT_AFTER_S", 0.5)
    node = world.pose_node(pose_model=endless_spot)
    arrays = world.listen(DiagnosticArray, "/diagnostics")
    camera = world.publisher(Image)
    camera.publish(image_message())
    world.until(lambda: node.cameras[0].statistics.summary().received, "the frame")
    arrays.clear()
    world.until(lambda: len(arrays) == 3, "three reports")
    assert [array.status[0].level for array in arrays] == [DiagnosticStatus.OK] * 3


@pytest.mark.parametrize("cause", ["an inference that does not end", "a limit on the age that none can keep"])
def test_frames_without_any_result_are_a_warning(
    world: Any, spot: str, endless_spot: str, image_message: MakeImage, monkeypatch: pytest.MonkeyPatch, cause: str
) -> None:
    monkeypatch.setattr("pose_resnet_ros.ros.health.diagnostics.NO_RESULT_AFTER_S", 1.0)
    endless = cause.startswith("an inference")
    world.pose_node(pose_model=endless_spot if endless else spot, max_age_ms=0.0 if endless else 0.0001)
    arrays = world.listen(DiagnosticArray, "/diagnostics")
    camera = world.publisher(Image)

    def warned() -> bool:
        camera.publish(image_message())
        return bool(arrays) and "images arrive, but no result for" in arrays[-1].status[0].message

    world.until(warned, "the warning")
    assert arrays[-1].status[0].level == DiagnosticStatus.WARN


def test_a_topic_of_another_type_is_told_with_the_cure(world: Any, spot: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pose_resnet_ros.ros.health.diagnostics.SILENT_AFTER_S", 0.0)
    world.pose_node("-r", "image:=/camera/compressed", pose_model=spot)
    arrays = world.listen(DiagnosticArray, "/diagnostics")
    driver = rclpy.Context()  # as a process of its own: Fast DDS lets none use two types under one name
    rclpy.init(args=[], context=driver, domain_id=world.domain_id)
    camera = rclpy.create_node("driver", context=driver)
    camera.create_publisher(CompressedImage, "/camera/compressed", 1)
    text = "/camera/compressed has type sensor_msgs/msg/CompressedImage: image_transport raw takes"
    world.until(lambda: arrays and text in arrays[-1].status[0].message, "the warning")
    camera.destroy_node()
    rclpy.shutdown(context=driver)


def test_frames_older_than_the_limit_are_dropped_and_counted(world: Any, slow_spot: str, image_message: MakeImage) -> None:
    node = world.pose_node(pose_model=slow_spot, max_age_ms=0.001)
    persons = world.listen(PersonArray, "/pose_resnet/persons")
    camera = world.publisher(Image)
    camera.publish(image_message())
    world.until(lambda: node.cameras[0].statistics.summary().stale == 1, "the frame to be dropped")
    assert persons == []


def test_two_nodes_side_by_side(world: Any, spot: str, image_message: MakeImage) -> None:
    world.pose_node("-r", "__ns:=/left", "-r", "image:=/left/camera", pose_model=spot)
    world.pose_node("-r", "__ns:=/right", "-r", "image:=/right/camera", pose_model=spot, skeleton="coco17")
    left = world.listen(PersonArray, "/left/pose_resnet/persons")
    right = world.listen(PersonArray, "/right/pose_resnet/persons")
    world.publisher(Image, "/left/camera").publish(image_message(number=1))
    world.until(lambda: left, "the left node")
    world.publisher(Image, "/right/camera").publish(image_message(number=2))
    world.until(lambda: right, "the right node")
    assert [message.skeleton for message in left + right] == ["openpose18", "coco17"]
    assert [message.header.stamp.sec for message in left + right] == [1, 2]


def test_diagnostics_follow_the_camera(world: Any, spot: str, image_message: MakeImage) -> None:
    world.pose_node(pose_model=spot)
    arrays = world.listen(DiagnosticArray, "/diagnostics")

    def newest() -> dict[str, str]:
        return {pair.key: pair.value for pair in arrays[-1].status[0].values} if arrays else {}

    world.until(lambda: newest().get("publishers") == "0", "diagnostics without a camera")
    camera = world.publisher(Image)
    camera.publish(image_message())
    world.until(lambda: newest().get("frames published") == "1", "the frame in the diagnostics")
    values = newest()
    assert arrays[-1].status[0].name == "pose_resnet: pose estimation"
    assert arrays[-1].status[0].hardware_id == "/image"
    assert (values["publishers matched"], values["frames received"], values["persons"]) == ("1", "1", "1")
    assert values["pose runs on"] == "CPUExecutionProvider"
    assert values["lifecycle state"] == "active"
    assert float(values["age since receipt, median (ms)"]) > 0
    assert values["age since stamp, median (ms)"] == "no sample"  # the stamp is of another time
    assert {"stage convert (ms)", "stage pose (ms)", "stage publish (ms)"} <= set(values)


def test_a_camera_whose_frames_do_not_arrive_is_told_with_the_cure(
    world: Any,
    spot: str,
    image_message: MakeImage,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    until_logged: Callable[[str], None],
) -> None:
    monkeypatch.setattr("pose_resnet_ros.ros.health.diagnostics.SILENT_AFTER_S", 0.5)
    node = world.pose_node(pose_model=spot)
    arrays = world.listen(DiagnosticArray, "/diagnostics")
    camera = world.publisher(Image)  # connected, and silent
    world.until(lambda: arrays and "fastdds_images.xml" in arrays[-1].status[0].message, "the hint")
    world.spin_for(1.2)
    assert capfd.readouterr().err.count("fastdds_images.xml") == 1  # to the log too, once
    camera.publish(image_message())
    world.until(lambda: node.cameras[0].statistics.summary().published, "the first result")
    monkeypatch.setattr("pose_resnet_ros.ros.health.diagnostics.SILENT_AFTER_S", NEVER_S)
    world.until(lambda: arrays[-1].status[0].level == DiagnosticStatus.OK, "the first frame in diagnostics")
    until_logged("back to normal")


def test_images_that_the_network_loses_are_told_with_the_cure(world: Any, ros_environment: dict[str, str], spot: str) -> None:
    """Two processes without the profile: Fast DDS loses most images of 6 MB between them."""
    bare = {key: value for key, value in ros_environment.items() if "PROFILES_FILE" not in key}
    camera = f"""
import os, time, rclpy
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image
rclpy.init(args=[])
node = rclpy.create_node("camera")
publisher = node.create_publisher(Image, "/image", QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT))
message = Image(width=1920, height=1080, encoding="bgr8", step=3 * 1920)
message.data.frombytes(bytes(3 * 1920 * 1080))
while os.getppid() == {os.getpid()}:
    publisher.publish(message)
    rclpy.spin_once(node, timeout_sec=0.1)
"""
    words = ["pose_node", "--ros-args", "-p", f"pose_model:={spot}", "-p", "detector_model:=full_frame"]
    arrays = world.listen(DiagnosticArray, "/diagnostics")
    processes = [
        subprocess.Popen([sys.executable, *command], env=bare) for command in (["-m", "pose_resnet_ros", *words], ["-c", camera])
    ]
    try:
        text = "images on /image were lost in transit in the last 5 s: start camera and node with FASTRTPS_DEFAULT"
        world.until(lambda: arrays and text in arrays[-1].status[0].message, "the warning")
    finally:
        for process in processes:
            process.kill()
            process.wait()
    assert arrays[-1].status[0].level == DiagnosticStatus.WARN
    values = {pair.key: pair.value for pair in arrays[-1].status[0].values}
    assert int(values["frames lost in transit"]) > int(values["frames left unread"])


@pytest.mark.parametrize(
    ("asked", "published", "topic", "message_type"),
    [("raw", "compressed", "/image/compressed", CompressedImage), ("compressed", "raw", "/image", Image)],
)
def test_images_of_the_other_transport_are_told(
    world: Any, spot: str, monkeypatch: pytest.MonkeyPatch, asked: str, published: str, topic: str, message_type: type
) -> None:
    monkeypatch.setattr("pose_resnet_ros.ros.health.diagnostics.SILENT_AFTER_S", 0.5)
    world.pose_node(pose_model=spot, image_transport=asked)
    arrays = world.listen(DiagnosticArray, "/diagnostics")
    world.peer.create_publisher(message_type, topic, 1)
    text = f"one on {topic}: set image_transport to {published}"
    world.until(lambda: arrays and text in arrays[-1].status[0].message, "the warning")
    assert arrays[-1].status[0].level == DiagnosticStatus.WARN


def test_an_overload_that_lasts_is_told_unless_it_is_wanted(
    world: Any, tmp_path: Path, image_message: MakeImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pose_resnet_ros.ros.health.diagnostics.OVERLOADED_AFTER_S", 2.0)
    # Ten times as slow as slow_spot, and every image is to have its result: too slow, however slow the machine makes the camera.
    slowest = spot_model.spot_model(tmp_path / "slowest_spot.onnx", delay=1500)
    node = world.pose_node(pose_model=str(slowest), min_output_ratio=1.0)
    arrays = world.listen(DiagnosticArray, "/diagnostics")
    camera = world.publisher(Image)

    def newest_says(text: str) -> bool:
        camera.publish(image_message())
        world.spin_for(0.02)  # not so fast that images are lost, which is told first
        return bool(arrays) and text in arrays[-1].status[0].message

    world.until(lambda: newest_says("overloaded for"), "the warning")
    assert arrays[-1].status[0].level == DiagnosticStatus.WARN
    node.set_parameters([Parameter("min_output_ratio", value=0.0)])
    world.until(lambda: newest_says("results/s, 1 persons"), "no warning")
    assert arrays[-1].status[0].level == DiagnosticStatus.OK


def test_a_camera_started_after_the_node_is_given_time(world: Any, spot: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pose_resnet_ros.ros.health.diagnostics.SILENT_AFTER_S", 0.5)
    world.pose_node(pose_model=spot)
    arrays = world.listen(DiagnosticArray, "/diagnostics")
    world.until(lambda: arrays and "no publisher on" in arrays[-1].status[0].message, "the first silence")
    world.publisher(Image)
    time.sleep(1.0)  # longer than a silence may last: a busy machine

    def seen() -> list[DiagnosticStatus]:
        values = [({v.key: v.value for v in a.status[0].values}, a.status[0]) for a in arrays]
        return [status for value, status in values if value["publishers"] == "1"]

    world.until(seen, "the camera in diagnostics")
    assert seen()[0].level == DiagnosticStatus.OK


def test_every_state_speaks(world: Any, spot: str) -> None:
    node = world.pose_node(pose_model=spot, start=False)
    arrays = world.listen(DiagnosticArray, "/diagnostics")
    for state, change in (
        ("unconfigured", lambda: None),
        ("inactive", node.trigger_configure),
        ("active", node.trigger_activate),
        ("inactive", node.trigger_deactivate),
        ("unconfigured", node.trigger_cleanup),
        ("finalized", node.trigger_shutdown),
    ):
        change()
        arrays.clear()  # one of the state before may still be on its way
        told = KeyValue(key="lifecycle state", value=state)
        world.until(lambda told=told: arrays and told in arrays[-1].status[0].values, f"diagnostics to say {state}")


def test_an_incompatible_camera_is_logged_with_topic_and_cure(world: Any, spot: str, until_logged: Callable[..., str]) -> None:
    world.pose_node(pose_model=spot, image_reliability="reliable")
    world.peer.create_publisher(Image, "/image", BEST_EFFORT)
    log = until_logged("image_reliability")
    assert "/image" in log
    assert "best_effort" in log


def test_several_incompatible_cameras_are_one_line(
    world: Any, spot: str, until_logged: Callable[..., str], capfd: pytest.CaptureFixture[str]
) -> None:
    world.pose_node(pose_model=spot, image_reliability="reliable")
    for _ in range(3):
        world.peer.create_publisher(Image, "/image", BEST_EFFORT)
    log = until_logged("incompatible QoS (reliability)")
    world.spin_for(1.0)
    assert (log + capfd.readouterr().err).count("incompatible QoS (reliability)") == 1


def test_an_incompatible_listener_is_logged_with_topic_and_cure(world: Any, spot: str, until_logged: Callable[..., str]) -> None:
    world.pose_node(pose_model=spot)
    world.listen(PersonArray, "/pose_resnet/persons", LATCHED)
    assert "/pose_resnet/persons" in until_logged("make the subscriber volatile")


def test_qos_can_be_overridden_from_outside(world: Any, spot: str) -> None:
    node = world.pose_node(pose_model=spot, **{"qos_overrides./image.subscription.reliability": "reliable"})
    (info,) = node.get_subscriptions_info_by_topic("/image")
    assert info.qos_profile.reliability == ReliabilityPolicy.RELIABLE

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""``image_transport`` ffmpeg and foxglove: the node decodes a video topic, whose packets the test encodes."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("av")
pytest.importorskip("ffmpeg_image_transport_msgs")
pytest.importorskip("foxglove_msgs")
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from encoded_video import GOP, SIZE_WH, Packet, encoded, found_at, tolerance_px
from ffmpeg_image_transport_msgs.msg import FFMPEGPacket
from foxglove_msgs.msg import CompressedVideo
from pose_resnet_ros.msg import PersonArray
from rclpy.qos import QoSProfile
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from vision_msgs.msg import Detection2D, Detection2DArray, ObjectHypothesisWithPose

from pose_resnet_ros.core.errors import SettingsError
from pose_resnet_ros.ros import video_stream
from pose_resnet_ros.ros.health.statistics import Statistics
from pose_resnet_ros.ros.video_stream import VideoStream
from pose_resnet_ros.ros.worker import InputFrame

FRAME_ID = "camera_optical_frame"


def stamp(number: int) -> Time:
    return Time(sec=number + 1, nanosec=500)


def ffmpeg_packet(packet: Packet, encoding: str = "h264;yuv420p;bgr8;bgr8") -> FFMPEGPacket:
    message = FFMPEGPacket(header=Header(stamp=stamp(packet.number), frame_id=FRAME_ID), encoding=encoding)
    message.pts, message.flags = packet.number, int(packet.is_key)
    message.data.frombytes(packet.data)
    return message


def compressed_video(packet: Packet, codec: str = "h264") -> CompressedVideo:
    message = CompressedVideo(timestamp=stamp(packet.number), frame_id=FRAME_ID, format=codec)
    message.data.frombytes(packet.data)
    return message


MAKE = {"ffmpeg": ffmpeg_packet, "foxglove": compressed_video}
TRANSPORTS = pytest.mark.parametrize("transport", MAKE)


class Stream:
    """A node with one camera, the publisher of its video, and the persons that come of it."""

    def __init__(self, world: Any, model: str, transport: str = "ffmpeg", *arguments: str, **parameters: Any) -> None:
        self.world, self._make = world, MAKE[transport]
        self.persons = world.listen(PersonArray, "/pose_resnet/persons")
        self.node = world.pose_node(*arguments, pose_model=model, image_transport=transport, **parameters)
        self._arrays = world.listen(DiagnosticArray, "/diagnostics")
        kind = FFMPEGPacket if transport == "ffmpeg" else CompressedVideo
        self.publisher = world.publisher(kind, f"/image/{transport}", QoSProfile(depth=500))
        self.camera = self.node.cameras[0]

    def send(self, packets: Iterable[Packet], **fields: Any) -> None:
        for packet in packets:
            self.publisher.publish(self._make(packet, **fields))

    def send_one_by_one(self, packets: Iterable[Packet], **fields: Any) -> None:
        """Each when the one before has been worked at, so that no image is replaced by a newer one."""
        for packet in packets:
            before = len(self.persons)
            self.send([packet], **fields)
            self.world.until(lambda seen=before: len(self.persons) > seen, "persons")

    def until_decoded(self, count: int) -> None:
        """So many packets have been taken, and what they gave is known."""
        video = self.camera.input.video
        self.world.until(lambda: self.camera.statistics.received >= count and not video._packets, "the packets")
        self.world.spin_for(0.3)

    def numbers(self) -> list[int]:
        """Of the images that gave a result; each person is where it is in that image."""
        for message in self.persons:
            number = message.header.stamp.sec - 1
            assert message.header == Header(stamp=stamp(number), frame_id=FRAME_ID)
            nose = message.persons[0].keypoints[0]
            size_wh = message.image_width, message.image_height
            assert (nose.x, nose.y) == pytest.approx(found_at(number, size_wh), abs=tolerance_px(size_wh)), number
        return [message.header.stamp.sec - 1 for message in self.persons]

    def status(self, condition: Callable[[DiagnosticStatus], bool], what: str) -> DiagnosticStatus:
        """The first status from now on that meets the condition."""
        self._arrays.clear()
        return self.world.until(lambda: next((a.status[0] for a in self._arrays if condition(a.status[0])), None), what)


def values(status: DiagnosticStatus) -> dict[str, str]:
    return {pair.key: pair.value for pair in status.values}


@TRANSPORTS
@pytest.mark.parametrize("codec", ["h264", "hevc", "av1"])
def test_every_image_of_a_video_has_its_persons_and_its_header(world: Any, spot: str, transport: str, codec: str) -> None:
    stream = Stream(world, spot, transport)
    stream.send_one_by_one(encoded(codec), **{"encoding" if transport == "ffmpeg" else "codec": codec})
    assert stream.numbers() == list(range(12))
    status = stream.status(lambda s: "video" in values(s), "the video's values")
    assert values(status)["video"] == f"{codec}, 192 x 256"
    assert float(values(status)["video decoding (ms)"]) > 0
    assert status.level == DiagnosticStatus.OK


def test_images_out_of_order_have_their_own_stamps(world: Any, spot: str) -> None:
    stream = Stream(world, spot)
    packets = encoded(b_frames=2)
    for packet in packets:
        stream.send([packet])
        world.spin_for(0.1)  # so that not all but the last are replaced
    world.until(lambda: 9 in stream.numbers(), "the last images that need no later one")
    assert stream.numbers() == sorted(stream.numbers())


def test_the_detector_gets_the_newest_image_and_the_decoder_all(world: Any, slow_spot: str) -> None:
    stream = Stream(world, slow_spot, "foxglove")
    stream.send(encoded(count=40, gop=40))
    world.until(lambda: 39 in stream.numbers(), "the last image")
    assert len(stream.persons) < 20
    statistics = stream.camera.statistics
    # The last result is counted after it is published.
    world.until(lambda: statistics.summary().stale + statistics.summary().published == 40, "all images to be accounted for")
    assert statistics.received == 40
    assert not statistics.summary().errors


def test_a_video_joined_in_the_middle_waits_for_a_key_frame_and_says_so(
    world: Any, spot: str, until_logged: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video_stream, "TELL_AFTER_S", 0.0)
    monkeypatch.setattr(video_stream, "COMPLAIN_AFTER_S", 0.0)
    stream = Stream(world, spot)
    packets = encoded()
    stream.send(packets[1:GOP])
    until_logged("/image/ffmpeg: waiting for a key frame for 0 s (1 packets), because the stream was joined in the middle; set")
    skipped = "video packets skipped before a key frame"
    status = stream.status(
        lambda s: "waiting for a key frame for" in s.message and values(s)[skipped] == "4", "the warning of all four packets"
    )
    assert status.level == DiagnosticStatus.WARN
    assert "gop_size" in status.message
    assert stream.persons == []
    stream.send_one_by_one(packets[GOP:])
    until_logged("/image/ffmpeg: key frame received")
    assert stream.numbers() == list(range(GOP, 12))
    assert values(stream.status(lambda s: s.level == DiagnosticStatus.OK, "no warning"))["waiting for a key frame (s)"] == "0.0"


def test_after_lost_packets_only_a_key_frame_counts(world: Any, spot: str) -> None:
    """More packets than the subscription keeps while nothing reads them: the oldest are lost, and only their numbers tell."""
    stream = Stream(world, spot, "foxglove")
    packets = encoded(count=170, gop=100)
    stream.send_one_by_one(packets[:3])
    stream.send(packets[3:])
    stream.until_decoded(100)
    assert set(stream.numbers()) & set(range(3, 100)) == set()
    world.until(lambda: 169 in stream.numbers(), "the last image")
    assert stream.camera.input.video._decoder.why == video_stream.LOST


def test_a_subscription_that_keeps_one_packet_notices_those_that_were_replaced(world: Any, spot: str) -> None:
    stream = Stream(world, spot, "foxglove", "-p", "qos_overrides./image/foxglove.subscription.depth:=1")
    packets = encoded(count=12, gop=10)
    stream.send_one_by_one(packets[:3])
    stream.send(packets[3:8])  # the node reads the last one only
    stream.until_decoded(4)
    assert stream.numbers() == [0, 1, 2]
    stream.send_one_by_one(packets[10:])
    assert stream.numbers() == [0, 1, 2, 10, 11]
    assert stream.camera.statistics.received == 6


def test_another_publisher_begins_with_a_key_frame(world: Any, spot: str) -> None:
    stream = Stream(world, spot, "foxglove")
    packets = encoded()
    stream.send_one_by_one(packets[:8])
    world.peer.destroy_publisher(stream.publisher)
    world.until(lambda: not stream.camera.input.images.matched_publishers(), "the end of the publisher")
    stream.publisher = world.publisher(CompressedVideo, "/image/foxglove", 100)
    stream.send(packets[8:10])
    stream.until_decoded(10)
    assert stream.numbers() == list(range(8))
    stream.send_one_by_one(packets[10:])
    assert stream.numbers() == [*range(8), 10, 11]


def test_a_bad_packet_is_counted_and_the_video_goes_on(world: Any, spot: str, until_logged: Callable[[str], None]) -> None:
    stream = Stream(world, spot)
    packets = encoded()
    stream.send_one_by_one(packets[:6])
    stream.send([Packet(b"\0\0\0\1\xff broken", 6, False), *packets[7:10]])
    until_logged("frame on /image/ffmpeg skipped: the video packet cannot be decoded")
    stream.send_one_by_one(packets[10:])
    assert stream.numbers() == [*range(6), 10, 11]
    assert stream.camera.statistics.summary().errors == {"image": 1}


def test_a_codec_that_is_none_is_told(
    world: Any, spot: str, until_logged: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video_stream, "TELL_AFTER_S", 0.0)
    stream = Stream(world, spot)
    stream.send(encoded(count=3), encoding="mjpeg")
    until_logged("skipped: video format 'mjpeg': expected av1, h264, h265, hevc, vp8 or vp9")
    stream.until_decoded(3)
    assert stream.camera.input.video.warning == ""  # no key frame would help


def test_size_and_codec_may_change(world: Any, spot: str, until_logged: Callable[[str], None]) -> None:
    stream = Stream(world, spot, "foxglove")
    stream.send_one_by_one(encoded(count=2))
    stream.send_one_by_one(encoded(count=2, size_wh=(240, 320)))
    until_logged("the video on /image/foxglove has changed: h264, 192 x 256 -> h264, 240 x 320")
    stream.send_one_by_one(encoded("hevc", count=2), codec="h265")
    until_logged("h264, 240 x 320 -> hevc, 192 x 256")
    assert stream.numbers() == [0, 1] * 3


def test_activated_again_it_waits_for_a_key_frame(world: Any, spot: str) -> None:
    stream = Stream(world, spot)
    packets = encoded()
    stream.send_one_by_one(packets[:7])
    old = stream.camera.input.video
    stream.node.trigger_deactivate()
    assert not old._thread.is_alive()
    stream.node.trigger_activate()
    world.until_connected(stream.publisher)
    stream.send(packets[7:10])
    stream.until_decoded(10)
    assert stream.numbers() == list(range(7))
    stream.send_one_by_one(packets[10:])
    assert stream.numbers() == [*range(7), 10, 11]


def test_cameras_with_different_transports(world: Any, spot: str, image_message: Callable[..., Image]) -> None:
    arguments = ("-p", "cameras:=[a, b, c]", "-p", "a.image_transport:=ffmpeg", "-p", "b.image_transport:=foxglove")
    persons = {name: world.listen(PersonArray, f"/pose_resnet/{name}/persons") for name in "abc"}
    world.pose_node(*arguments, pose_model=spot)
    kinds = {"a": (FFMPEGPacket, "/ffmpeg"), "b": (CompressedVideo, "/foxglove"), "c": (Image, "")}
    publishers = {name: world.publisher(kind, f"/{name}/image{suffix}") for name, (kind, suffix) in kinds.items()}
    (packet,) = encoded(count=1)
    publishers["a"].publish(ffmpeg_packet(packet))
    publishers["b"].publish(compressed_video(packet))
    publishers["c"].publish(image_message())
    world.until(lambda: all(persons.values()), "persons of all cameras")
    assert [persons[name][0].image_width for name in "abc"] == [192, 192, 160]


def test_boxes_of_another_detector_meet_the_decoded_image(world: Any, spot: str) -> None:
    stream = Stream(world, spot, detector_model="external")
    boxes = world.publisher(Detection2DArray, "/detections")
    for packet in encoded(count=3):
        detection = Detection2D(results=[ObjectHypothesisWithPose()])
        detection.results[0].hypothesis.class_id, detection.results[0].hypothesis.score = "person", 0.9
        detection.bbox.size_x, detection.bbox.size_y = map(float, SIZE_WH)
        detection.bbox.center.position.x, detection.bbox.center.position.y = (side / 2 for side in SIZE_WH)
        boxes.publish(Detection2DArray(header=Header(stamp=stamp(packet.number), frame_id=FRAME_ID), detections=[detection]))
        stream.send_one_by_one([packet])
    assert stream.numbers() == [0, 1, 2]


def test_a_video_faster_than_the_decoder_goes_on_at_a_key_frame(world: Any, spot: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits is given up at once, so that results are never old."""
    monkeypatch.setattr(video_stream, "MOST_WAITING", 10)
    context = world.pose_node(pose_model=spot, image_transport="ffmpeg", start=False).cameras[0].context
    may_go_on, numbers = threading.Event(), []

    def forward(frame: InputFrame) -> None:
        may_go_on.wait()
        numbers.append(frame.image.header.stamp.sec - 1)

    stream = VideoStream(context, forward=forward, statistics=Statistics())
    for number, packet in enumerate(encoded(count=19)):  # the first is being decoded, ten are given up
        stream.put(InputFrame(ffmpeg_packet(packet), received_s=0.0, number=number))
        world.until(lambda: not stream._packets or numbers or stream._images, "the first image to be on its way")
    may_go_on.set()
    world.until(lambda: numbers[-1:] == [18], "the last image")
    stream.close()
    assert numbers == [0, *range(15, 19)]
    assert stream._decoder.why == video_stream.SLOW


@pytest.mark.parametrize(
    ("transport", "missing", "says"),
    [
        ("ffmpeg", "av", r"image_transport ffmpeg: video topics need the package av \(PyAV\): pip install 'av>=12'"),
        ("ffmpeg", "ffmpeg_image_transport_msgs.msg", "sudo apt install ros-.ROS_DISTRO-ffmpeg-image-transport-msgs"),
        ("foxglove", "foxglove_msgs.msg", "foxglove_msgs/msg/CompressedVideo is not installed; run sudo apt install"),
    ],
)
def test_without_what_it_needs_it_does_not_start(
    world: Any, spot: str, monkeypatch: pytest.MonkeyPatch, transport: str, missing: str, says: str
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    node = world.pose_node(pose_model=spot, image_transport=transport, start=False)
    with pytest.raises(Exception, match=says):
        node.start()
    assert node.state == "unconfigured"
    with pytest.raises(SettingsError, match=says):
        node.cameras[0].context.transport.require()

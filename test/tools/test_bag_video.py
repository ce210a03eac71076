# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Recordings of H.264 topics, encoded by the test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rosbags")
pytest.importorskip("av")
import spot_model
from bag_files import header, log_ns
from encoded_video import GOP, Packet, encoded, found_at, tolerance_px
from rosbags.highlevel import AnyReader
from rosbags.rosbag2 import StoragePlugin, Writer

from pose_resnet_ros.tools.bags.bag_messages import typestore
from pose_resnet_ros.tools.predict import predict
from pose_resnet_ros.video.packets import PACKET, VIDEO

COUNT = 12


def ffmpeg_packet(packet: Packet) -> Any:
    return typestore().types[PACKET](
        header=header(packet.number),
        width=192,
        height=256,
        encoding="h264;yuv420p;bgr8;bgr8",
        pts=packet.number,
        flags=int(packet.is_key),
        is_bigendian=False,
        data=np.frombuffer(packet.data, np.uint8),
    )


def compressed_video(packet: Packet) -> Any:
    return typestore().types[VIDEO](
        timestamp=header(packet.number).stamp,
        frame_id="camera_optical_frame",
        data=np.frombuffer(packet.data, np.uint8),
        format="h264",
    )


KINDS = pytest.mark.parametrize("make", [ffmpeg_packet, compressed_video])


def write(folder: Path, messages: list[Any], *, beside: bytes = b"") -> Path:
    """beside: recorded with each message on another topic."""
    kind = messages[0].__msgtype__
    with Writer(folder, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        connection = writer.add_connection("/camera/video", kind, typestore=typestore())
        other = writer.add_connection("/other", "std_msgs/msg/String", typestore=typestore()) if beside else None
        for number, message in enumerate(messages):
            writer.write(connection, log_ns(number), typestore().serialize_cdr(message, kind))
            if other:
                writer.write(other, log_ns(number), beside)
    return folder


def predicted(tmp_path: Path, messages: list[Any], *arguments: str) -> tuple[int, list[tuple[int, Any]]]:
    """Exit code, and each PersonArray with the time at which it was recorded."""
    return persons_in(tmp_path, write(tmp_path / "bag", messages), *arguments)


def persons_in(tmp_path: Path, bag: Path, *arguments: str) -> tuple[int, list[tuple[int, Any]]]:
    model = spot_model.spot_model(tmp_path / "spot.onnx")
    options = ["--pose-model", str(model), "--detector-model", "full_frame", *arguments]
    code = predict.main([str(bag), "-o", str(tmp_path / "out.mcap"), *options])
    with AnyReader([tmp_path / "out.mcap"]) as reader:
        persons = [c for c in reader.connections if c.topic == "/pose_resnet/persons"]
        return code, [(when, reader.deserialize(raw, c.msgtype)) for c, when, raw in reader.messages(persons)]


@KINDS
def test_a_recording_s_people_have_the_headers_of_the_packets(
    tmp_path: Path, make: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    code, found = predicted(tmp_path, [make(packet) for packet in encoded()])
    assert code == 0
    assert [when for when, _ in found] == [log_ns(n) for n in range(COUNT)]
    assert [str(message.header) for _, message in found] == [str(header(n)) for n in range(COUNT)]
    xs = [message.persons[0].keypoints[0].x for _, message in found]
    assert xs == pytest.approx([found_at(n)[0] for n in range(COUNT)], abs=tolerance_px())
    assert "key frame" not in capsys.readouterr().out


@KINDS
def test_a_stream_that_starts_in_the_middle_waits_for_its_key_frame(
    tmp_path: Path, make: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    code, found = predicted(tmp_path, [make(packet) for packet in encoded()][2:])
    assert code == 0
    assert [when for when, _ in found] == [log_ns(n) for n in range(GOP - 2, COUNT - 2)]
    said = capsys.readouterr()
    assert "7 images, 7 people" in said.out
    assert "starts in the middle, or has gaps: 3 packets skipped until a key frame" in said.out
    assert said.err == "" or "error" not in said.err


def test_images_out_of_order_have_the_headers_of_their_own_packets(tmp_path: Path) -> None:
    packets = encoded(b_frames=2)
    code, found = predicted(tmp_path, [ffmpeg_packet(packet) for packet in packets])
    assert code == 0
    assert [str(message.header) for _, message in found] == [str(header(n)) for n in range(COUNT)]
    times = [when for when, _ in found]
    assert times == sorted(times)
    assert times[0] > log_ns(0)  # an image is known with the packet that completes it
    xs = [message.persons[0].keypoints[0].x for _, message in found]
    assert xs == pytest.approx([found_at(n)[0] for n in range(COUNT)], abs=tolerance_px())


def test_images_that_were_held_back_when_a_recording_breaks_off_are_kept(tmp_path: Path) -> None:
    folder = write(tmp_path / "bag", [ffmpeg_packet(packet) for packet in encoded(b_frames=2)], beside=bytes(400_000))
    whole = next(folder.glob("*.mcap")).read_bytes()
    (tmp_path / "broken.mcap").write_bytes(whole[: len(whole) * 2 // 3])
    code, found = persons_in(tmp_path, tmp_path / "broken.mcap")
    assert code != 0
    assert [str(message.header) for _, message in found] == [str(header(n)) for n in range(6)]


def test_a_damaged_packet_is_one_unusable_image(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    packets = encoded()
    packets[6] = Packet(b"\0\0\0\1\xff broken", 6, False)
    code, found = predicted(tmp_path, [ffmpeg_packet(packet) for packet in packets])
    assert code != 0
    assert [when for when, _ in found] == [log_ns(n) for n in (0, 1, 2, 3, 4, 5, 10, 11)]
    said = capsys.readouterr()
    assert "the video packet cannot be decoded" in said.err
    assert "1 unusable images; the video starts in the middle, or has gaps: 3 packets" in said.out


def test_a_video_is_not_cut_into_parts(tmp_path: Path) -> None:
    messages = [ffmpeg_packet(packet) for packet in encoded()] * 18
    code, found = predicted(tmp_path, messages, "--workers", "2")
    assert code == 0
    assert len(found) == len(messages)

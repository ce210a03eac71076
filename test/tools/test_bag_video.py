# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Recordings of H.264 topics, encoded by the test."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rosbags")
pytest.importorskip("av")
import av
import spot_model
from bag_files import header, log_ns
from rosbags.highlevel import AnyReader
from rosbags.rosbag2 import StoragePlugin, Writer

from pose_resnet_ros.core.errors import ImageError
from pose_resnet_ros.tools.bags.bag_messages import typestore
from pose_resnet_ros.tools.bags.bag_video import PACKET, VIDEO, VideoDecoder
from pose_resnet_ros.tools.predict import predict

GOP = 5
COUNT = 12


def square(number: int) -> np.ndarray:
    """(96, 128, 3): black with a white square that moves."""
    pixels = np.zeros((96, 128, 3), np.uint8)
    pixels[30:50, 20 + 5 * number : 40 + 5 * number] = 255
    return pixels


def packets() -> list[bytes]:
    """A packet for each image, a key frame every GOP images."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 128, 96, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, 10), Fraction(10)
    encoder.gop_size = GOP
    encoder.options = {"tune": "zerolatency", "bf": "0", "x264-params": "scenecut=0"}
    found = []
    for number in range(COUNT):
        frame = av.VideoFrame.from_ndarray(square(number), format="bgr24").reformat(format="yuv420p")
        frame.pts = number
        found += [bytes(packet) for packet in encoder.encode(frame)]
    return found + [bytes(packet) for packet in encoder.encode(None)]


def ffmpeg_packet(number: int, data: bytes, encoding: str = "h264;yuv420p;bgr8;bgr8") -> Any:
    return typestore().types[PACKET](
        header=header(number),
        width=128,
        height=96,
        encoding=encoding,
        pts=number,
        flags=0,
        is_bigendian=False,
        data=np.frombuffer(data, np.uint8),
    )


def compressed_video(number: int, data: bytes, encoding: str = "h264") -> Any:
    stamp = header(number).stamp
    return typestore().types[VIDEO](
        timestamp=stamp, frame_id="camera_optical_frame", data=np.frombuffer(data, np.uint8), format=encoding
    )


KINDS = pytest.mark.parametrize("make", [ffmpeg_packet, compressed_video])


def write(folder: Path, messages: list[Any]) -> Path:
    kind = messages[0].__msgtype__
    with Writer(folder, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        connection = writer.add_connection("/camera/video", kind, typestore=typestore())
        for number, message in enumerate(messages):
            writer.write(connection, log_ns(number), typestore().serialize_cdr(message, kind))
    return folder


def predicted(tmp_path: Path, messages: list[Any], *arguments: str) -> tuple[int, list[tuple[int, Any]]]:
    """Exit code, and each PersonArray with the time at which it was recorded."""
    model = spot_model.spot_model(tmp_path / "spot.onnx")
    options = ["--pose-model", str(model), "--detector-model", "full_frame", *arguments]
    code = predict.main([str(write(tmp_path / "bag", messages)), "-o", str(tmp_path / "out.mcap"), *options])
    with AnyReader([tmp_path / "out.mcap"]) as reader:
        persons = [c for c in reader.connections if c.topic == "/pose_resnet/persons"]
        return code, [(when, reader.deserialize(raw, c.msgtype)) for c, when, raw in reader.messages(persons)]


@KINDS
@pytest.mark.parametrize("encoding", ["h264", "libx264", "h264_nvenc"])
def test_each_packet_gives_its_own_image_at_once(make: Callable[..., Any], encoding: str) -> None:
    decoder = VideoDecoder()
    for number, data in enumerate(packets()):
        found = decoder.decode(make(number, data, encoding))
        assert found is not None
        assert np.abs(found.astype(int) - square(number)).mean() < 6
    assert decoder.before_key_frame == 0


@KINDS
def test_a_recording_s_people_have_the_headers_of_the_packets(
    tmp_path: Path, make: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    code, found = predicted(tmp_path, [make(number, data) for number, data in enumerate(packets())])
    assert code == 0
    assert [when for when, _ in found] == [log_ns(n) for n in range(COUNT)]
    assert [str(message.header) for _, message in found] == [str(header(n)) for n in range(COUNT)]
    xs = [message.persons[0].keypoints[0].x for _, message in found]
    assert xs[-1] - xs[0] == pytest.approx(5 * (COUNT - 1), abs=15)
    assert "key frame" not in capsys.readouterr().out


@KINDS
def test_a_stream_that_starts_in_the_middle_waits_for_its_key_frame(
    tmp_path: Path, make: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    code, found = predicted(tmp_path, [make(number, data) for number, data in enumerate(packets())][2:])
    assert code == 0
    assert [when for when, _ in found] == [log_ns(n) for n in range(GOP - 2, COUNT - 2)]
    said = capsys.readouterr()
    assert "7 images, 7 people" in said.out
    assert "starts in the middle: 3 packets before its first key frame skipped" in said.out
    assert said.err == "" or "error" not in said.err


def test_a_damaged_packet_is_told_and_the_next_key_frame_waited_for() -> None:
    data = packets()
    decoder = VideoDecoder()
    for number in range(GOP + 1):
        decoder.decode(ffmpeg_packet(number, data[number]))
    with pytest.raises(ImageError, match="video packet"):
        decoder.decode(ffmpeg_packet(6, b"\0\0\0\1\xff broken"))
    assert [decoder.decode(ffmpeg_packet(n, data[n])) is not None for n in range(7, COUNT)] == [False] * 3 + [True] * 2


@pytest.mark.parametrize("encoding", ["mjpeg", "", "h263", "rawvideo;bgr8"])
def test_another_codec_is_refused_by_name(encoding: str) -> None:
    with pytest.raises(ImageError, match=f"video format '{encoding}': expected av1, h264, h265, hevc, vp8 or vp9"):
        VideoDecoder().decode(compressed_video(0, b"\0", encoding))


def test_a_packet_without_an_image_is_told() -> None:
    first = packets()[0]
    parameters = first[: first.index(b"\0\0\1\x65")]  # all that stands before the key frame itself
    decoder = VideoDecoder()
    assert decoder.decode(ffmpeg_packet(0, first)) is not None
    with pytest.raises(ImageError, match="video packet"):
        decoder.decode(ffmpeg_packet(1, parameters))


def test_a_video_is_not_cut_into_parts(tmp_path: Path) -> None:
    messages = [ffmpeg_packet(number, data) for number, data in enumerate(packets())] * 18
    code, found = predicted(tmp_path, messages, "--workers", "2")
    assert code == 0
    assert len(found) == len(messages)

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Video topics, decoded packet by packet; encoded by the test."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("av")
import encoded_video
from encoded_video import GOP, SIZE_WH, Packet, encoded, square

from pose_resnet_ros.core.errors import ImageError, SettingsError
from pose_resnet_ros.video.packets import VideoDecoder

EVERY_CODEC = pytest.mark.parametrize("codec", encoded_video.ENCODERS)


def ffmpeg_packet(packet: Packet, encoding: str = "h264;yuv420p;bgr8;bgr8") -> Any:
    return SimpleNamespace(data=np.frombuffer(packet.data, np.uint8), pts=packet.number, encoding=encoding)


def compressed_video(packet: Packet, codec: str = "h264") -> Any:
    return SimpleNamespace(data=packet.data, format=codec)


def numbers(decoder: VideoDecoder, messages: list[Any], packets: list[Packet]) -> list[list[int]]:
    """The numbers of the images that each message gives, which are the right images."""
    return [[checked(frame) for frame in decoder.decode(m, p.number)] for m, p in zip(messages, packets, strict=True)]


def checked(frame: Any) -> int:
    """The number of the packet that a decoded image came with, if it is that image."""
    found = frame.to_bgr()
    assert np.abs(found.astype(int) - square(frame.origin, frame.size_wh)).mean() < 1
    return frame.origin


@EVERY_CODEC
def test_each_packet_gives_its_own_image_at_once(codec: str) -> None:
    packets, decoder = encoded(codec), VideoDecoder()
    found = numbers(decoder, [compressed_video(p, codec) for p in packets], packets)
    assert found == [[n] for n in range(len(packets))]
    assert decoder.skipped == 0
    assert not decoder.is_waiting


@pytest.mark.parametrize("encoding", ["h264;yuv420p;bgr8;bgr8", "libx264", "h264_nvenc", "h264"])
def test_the_codec_is_found_in_every_way_of_writing_it(encoding: str) -> None:
    packets = encoded(count=2)
    assert numbers(VideoDecoder(), [ffmpeg_packet(p, encoding) for p in packets], packets) == [[0], [1]]


@EVERY_CODEC
def test_a_stream_that_starts_in_the_middle_waits_for_its_key_frame(codec: str) -> None:
    packets, decoder = encoded(codec)[2:], VideoDecoder()
    found = numbers(decoder, [compressed_video(p, codec) for p in packets], packets)
    assert found == [[]] * (GOP - 2) + [[n] for n in range(GOP, 12)]
    assert decoder.skipped == GOP - 2


@EVERY_CODEC
def test_after_a_lost_packet_comes_nothing_but_a_key_frame(codec: str) -> None:
    packets, decoder = encoded(codec), VideoDecoder()
    assert numbers(decoder, [compressed_video(p, codec) for p in packets[:2]], packets[:2]) == [[0], [1]]
    decoder.interrupt("one is lost")
    assert (decoder.is_waiting, decoder.why) == (True, "one is lost")
    found = numbers(decoder, [compressed_video(p, codec) for p in packets[3:]], packets[3:])
    assert found == [[], [], *([n] for n in range(GOP, 12))]
    assert decoder.skipped == 2


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_images_out_of_order_keep_their_packets(codec: str) -> None:
    packets, decoder = encoded(codec, b_frames=2), VideoDecoder()
    assert [p.number for p in packets] != sorted(p.number for p in packets)
    found = [n for some in numbers(decoder, [ffmpeg_packet(p, codec) for p in packets], packets) for n in some]
    found += [checked(frame) for frame in decoder.flush()]
    assert found == list(range(12))
    assert decoder.skipped == 0


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_a_key_frame_from_before_the_gap_does_not_end_the_waiting(codec: str) -> None:
    """With B-frames, it comes out of the decoder after the packet that is missing."""
    packets, decoder = encoded(codec, b_frames=2), VideoDecoder()
    second = next(n for n, p in enumerate(packets) if p.is_key and n)
    before, after = packets[: second + 1], packets[second + 2 :]
    numbers(decoder, [compressed_video(p, codec) for p in before], before)
    decoder.interrupt("lost")
    found = [n for some in numbers(decoder, [compressed_video(p, codec) for p in after], after) for n in some]
    found += [checked(frame) for frame in decoder.flush()]
    assert found[0] == 2 * GOP
    assert found == sorted(found)


@pytest.mark.parametrize("lost", [range(2), range(8, 9)])
def test_images_that_are_refreshed_bit_by_bit_come_when_they_are_whole(lost: range) -> None:
    packets, decoder = encoded(count=40, intra_refresh=True), VideoDecoder()
    # Without the parameter sets of the first packet, a decoder waits for those that each refresh begins with.
    packets = [p for p in packets if p.number not in lost]
    found = [n for some in numbers(decoder, [ffmpeg_packet(p) for p in packets], packets) for n in some]
    after = [n for n in found if n > lost[-1]]
    assert found[: -len(after)] == list(range(lost[0]))
    assert after == list(range(after[0], 40))
    assert lost[-1] + GOP < after[0] < lost[-1] + 4 * GOP


def test_a_step_of_the_encoders_count_tells_of_a_gap() -> None:
    packets = [p for p in encoded() if p.number != 2]
    decoder = VideoDecoder()
    found = numbers(decoder, [ffmpeg_packet(p) for p in packets], packets)
    assert found == [[0], [1], [], [], *([n] for n in range(GOP, 12))]
    assert decoder.skipped == 2


def test_gaps_one_after_the_other() -> None:
    packets = [p for p in encoded(count=20) if p.number not in (4, 6, 8)]
    assert [n for some in numbers(VideoDecoder(), [ffmpeg_packet(p) for p in packets], packets) for n in some] == [
        *range(4),
        5,  # a key frame between two gaps
        *range(10, 20),
    ]


@pytest.mark.parametrize("pts", [lambda n: 0, lambda n: 33_333 * n, lambda n: 90_000 - n])
def test_a_count_that_is_none_is_ignored(pts: Any) -> None:
    packets = encoded()
    messages = [ffmpeg_packet(p) for p in packets]
    for number, message in enumerate(messages):
        message.pts = pts(number)
    assert numbers(VideoDecoder(), messages, packets) == [[n] for n in range(12)]


def test_a_stream_that_changes_its_size_goes_on() -> None:
    packets = encoded(count=3) + encoded(count=3, size_wh=(240, 320)) + encoded(count=2)
    decoder = VideoDecoder()
    sizes = [frame.size_wh for p in packets for frame in decoder.decode(compressed_video(p), p.number) if checked(frame) >= 0]
    assert sizes == [SIZE_WH] * 3 + [(240, 320)] * 3 + [SIZE_WH] * 2


def test_a_stream_that_changes_its_codec_goes_on_at_a_key_frame() -> None:
    h264, hevc = encoded(count=3), encoded("hevc", count=12)[2:]
    decoder = VideoDecoder()
    numbers(decoder, [compressed_video(p) for p in h264], h264)
    found = numbers(decoder, [compressed_video(p, "h265") for p in hevc], hevc)
    assert [n for some in found for n in some] == list(range(GOP, 12))
    assert decoder.skipped == GOP - 2


@pytest.mark.parametrize("damaged", [b"\0\0\0\1\xff broken", b"\x12\0"])
def test_a_damaged_packet_is_told_and_the_next_key_frame_waited_for(damaged: bytes) -> None:
    packets, decoder = encoded(), VideoDecoder()
    numbers(decoder, [compressed_video(p) for p in packets[:6]], packets[:6])
    with pytest.raises(ImageError, match="the video packet cannot be decoded"):
        decoder.decode(compressed_video(Packet(damaged, 6, False)), 6)
    assert decoder.why == "a packet is damaged"
    found = numbers(decoder, [compressed_video(p) for p in packets[7:]], packets[7:])
    assert found == [[], [], [], [10], [11]]


def test_an_empty_packet_does_not_end_the_stream() -> None:
    packets, decoder = encoded(), VideoDecoder()
    numbers(decoder, [compressed_video(p) for p in packets[:6]], packets[:6])
    with pytest.raises(ImageError, match="the video packet is empty"):
        decoder.decode(compressed_video(Packet(b"", 6, False)), 6)
    assert numbers(decoder, [compressed_video(p) for p in packets[6:]], packets[6:]) == [[n] for n in range(6, 12)]


@pytest.mark.parametrize("encoding", ["mjpeg", "", "h263", "rawvideo;bgr8"])
def test_another_codec_is_refused_by_name(encoding: str) -> None:
    with pytest.raises(ImageError, match=f"video format '{encoding}': expected av1, h264, h265, hevc, vp8 or vp9"):
        VideoDecoder().decode(compressed_video(Packet(b"\0", 0, False), encoding), 0)


def test_without_pyav_it_says_what_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(SettingsError, match=r"^video topics need the package av \(PyAV\): pip install"):
        VideoDecoder().decode(compressed_video(Packet(b"\0", 0, True)), 0)


def test_what_waits_for_its_image_is_forgotten_in_the_end() -> None:
    packets, decoder = encoded(count=6)[1:2], VideoDecoder()
    for number in range(200):
        decoder.decode(compressed_video(packets[0]), number)
    assert len(decoder._origins) <= 64

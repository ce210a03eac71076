# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Recordings of a few bytes that would unpack to gigabytes, and large ones that may be large."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rosbags")
import zstandard
from bag_files import TOPIC, image, mixed_mcap, write_bag, write_ros1_bag
from mcap.writer import Writer

from pose_resnet_ros.tools.bags.bag_limits import MAX_UNPACKED_BYTES, unpacked_message, why_too_large
from pose_resnet_ros.tools.bags.bag_reading import BagImages
from pose_resnet_ros.tools.bags.bag_salvage import BagError

MAGIC = b"\x89MCAP0\r\n"
HUGE = 4 << 30


def frame(declared: int) -> bytes:
    """The beginning of a Zstandard frame that says its size in eight bytes (RFC 8878, 3.1.1)."""
    return b"\x28\xb5\x2f\xfd\xe0" + struct.pack("<Q", declared)


def with_chunk(path: Path, *, declared: int, compression: bytes = b"zstd", data: bytes = b"") -> Path:
    chunk = struct.pack("<QQQI", 0, 9, declared, 0) + struct.pack("<I", len(compression)) + compression
    chunk += struct.pack("<Q", len(data)) + data
    path.write_bytes(MAGIC + b"\x06" + struct.pack("<Q", len(chunk)) + chunk + MAGIC)
    return path


@pytest.mark.parametrize(
    ("declared", "compression", "data"),
    [
        (HUGE, b"zstd", frame(HUGE)),
        (HUGE, b"lz4", b"\x04\x22\x4d\x18"),
        (100, b"zstd", frame(HUGE)),  # the chunk and the frame in it do not say the same
        (HUGE, b"zstd", b"no frame at all"),
        (100 << 20, b"zstd", frame(100 << 20)),  # not so large, but out of nothing
    ],
)
def test_a_chunk_that_would_unpack_to_gigabytes_is_refused(
    tmp_path: Path, declared: int, compression: bytes, data: bytes
) -> None:
    path = with_chunk(tmp_path / "bomb.mcap", declared=declared, compression=compression, data=data)
    with pytest.raises(BagError, match=r"bomb\.mcap: refused, a chunk of \d+ bytes would unpack to \d+ bytes"):
        BagImages(path, None)


def test_one_that_is_not_packed_takes_what_it_has(tmp_path: Path) -> None:
    """What it declares is not believed by whoever reads it."""
    assert not why_too_large(with_chunk(tmp_path / "plain.mcap", declared=HUGE, compression=b""))


@pytest.mark.parametrize("content", [b"", MAGIC, MAGIC + b"\x06", MAGIC + b"\x06" + b"\xff" * 8, MAGIC + b"\x06\x09" + bytes(16)])
def test_a_file_that_is_cut_off_or_something_else_is_left_to_others(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "cut.mcap"
    path.write_bytes(content)
    assert not why_too_large(path)


def test_recordings_of_robots_are_read(tmp_path: Path) -> None:
    assert not why_too_large(mixed_mcap(tmp_path / "mixed.mcap", "proto"))
    black = tmp_path / "black.mcap"
    with black.open("wb") as file:
        writer = Writer(file, chunk_size=1)
        writer.start("ros2", "test")
        schema = writer.register_schema("sensor_msgs/msg/Image", "ros2msg", b"")
        channel = writer.register_channel(TOPIC, "cdr", schema)
        writer.add_message(channel, 0, bytes(3 * 1920 * 1080), 0)  # a covered lens
        writer.finish()
    assert black.stat().st_size < 5000
    assert not why_too_large(black)


@pytest.mark.parametrize("has_size", [True, False])
def test_a_message_is_unpacked_as_far_as_the_limit(monkeypatch: pytest.MonkeyPatch, has_size: bool) -> None:
    def packed(data: bytes) -> bytes:
        return zstandard.ZstdCompressor(write_content_size=has_size).compress(data)

    assert unpacked_message(packed(b"abc" * 1000)) == b"abc" * 1000
    assert MAX_UNPACKED_BYTES == 1 << 30
    monkeypatch.setattr("pose_resnet_ros.tools.bags.bag_limits.MAX_UNPACKED_BYTES", 2 << 20)
    with pytest.raises(ValueError, match="more than 2 MiB"):
        unpacked_message(packed(bytes(3 << 20)))


@pytest.mark.parametrize("compression", ["BZ2", "LZ4"])
def test_a_chunk_of_ros_1_is_unpacked_as_far_as_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compression: str
) -> None:
    bag = write_ros1_bag(tmp_path / "old.bag", [image(n) for n in range(20)], compression=compression)
    with BagImages(bag, None) as images:
        assert len(list(images)) == 20
    monkeypatch.setattr("pose_resnet_ros.tools.bags.bag_limits.MAX_UNPACKED_BYTES", 1 << 18)
    with BagImages(bag, None) as images, pytest.raises(BagError, match="after 0 images: a chunk is cut off, or unpacks to more"):
        list(images)


def test_messages_that_were_packed_one_by_one_are_read(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / "bag", {TOPIC: [image(0)]}, storage="sqlite3", compressed="message")
    with BagImages(bag, None) as images:
        (found,) = images
    np.testing.assert_array_equal(np.asarray(found.message.data), image(0).data)

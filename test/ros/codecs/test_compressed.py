# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

import cv2
import numpy as np
import pytest

from pose_resnet_ros.ros.codecs.compressed import compressed_to_bgr, declared_size
from pose_resnet_ros.ros.codecs.encodings import BadFrameError

PICTURE = np.zeros((30, 50, 3), np.uint8)
PICTURE[:, :25] = (200, 100, 50)


@dataclass(frozen=True)
class Message:
    """The fields of sensor_msgs/CompressedImage."""

    format: str
    data: bytes


def encoded(suffix: str, picture: np.ndarray = PICTURE) -> bytes:
    return cv2.imencode(suffix, picture)[1].tobytes()


@pytest.mark.parametrize(
    "declared", ["bgr8; png compressed bgr8", "rgb8; png compressed bgr8", "png", "", "bgr8; png compressed "]
)
def test_png(declared: str) -> None:
    np.testing.assert_array_equal(compressed_to_bgr(Message(declared, encoded(".png"))), PICTURE)


def test_png_of_rgb_pixels() -> None:
    message = Message("rgb8; png compressed rgb8", encoded(".png", PICTURE))
    np.testing.assert_array_equal(compressed_to_bgr(message), PICTURE[..., ::-1])


def test_jpeg() -> None:
    got = compressed_to_bgr(Message("bgr8; jpeg compressed bgr8", encoded(".jpg")))
    np.testing.assert_allclose(got[:, 2:22].astype(int), PICTURE[:, 2:22].astype(int), atol=4)


def test_a_turn_noted_in_exif_data_is_left_undone() -> None:
    """Its pixels are those of camera_info, and of every other listener."""
    entry = struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0)  # orientation, short, one value: turn right (EXIF 2.3, 4.6.4)
    exif = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 1) + entry + struct.pack("<I", 0)
    plain = encoded(".jpg")
    turned = plain[:2] + b"\xff\xe1" + struct.pack(">H", 2 + len(exif)) + exif + plain[2:]
    assert cv2.imdecode(np.frombuffer(turned, np.uint8), cv2.IMREAD_COLOR).shape == (50, 30, 3)
    np.testing.assert_array_equal(compressed_to_bgr(Message("jpeg", turned)), compressed_to_bgr(Message("jpeg", plain)))


def test_gray_and_16_bit_pictures_become_bgr_of_8_bits() -> None:
    gray = np.full((4, 6), 90, np.uint8)
    expected = np.full((4, 6, 3), 90, np.uint8)
    np.testing.assert_array_equal(compressed_to_bgr(Message("mono8; png compressed ", encoded(".png", gray))), expected)
    levels = np.tile(np.array([0, 40, 200, 255], np.uint16), (4, 2))
    deep = levels * 16  # 12 bits
    got = compressed_to_bgr(Message("mono16; png compressed ", encoded(".png", deep)))
    np.testing.assert_array_equal(got, np.stack([levels] * 3, axis=2))


def test_a_picture_of_floats_is_refused() -> None:
    floats = np.ones((4, 6, 3), np.float32)
    with pytest.raises(BadFrameError, match="float32: expected 8 or 16 bits"):
        compressed_to_bgr(Message("", encoded(".hdr", floats)))


def bomb() -> bytes:
    """A PNG of a few bytes that declares 60000 x 60000 pixels."""
    header = b"IHDR" + struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))


@pytest.mark.parametrize(
    ("message", "kind", "text"),
    [
        (Message("jpeg", b""), "data length", "no data"),
        (Message("bgr8; jpeg compressed bgr8", b"not a picture"), "decode", "cannot be decoded"),
        (Message("jpeg", encoded(".jpg")[:20]), "decode", "cannot be decoded"),
        (Message("png", bomb()), "size", "60000 x 60000 is more than the limit"),
        (Message("16UC1; compressedDepth png", encoded(".png")), "encoding", "depth map"),
    ],
)
def test_what_cannot_be_decoded_says_why(message: Message, kind: str, text: str) -> None:
    with pytest.raises(BadFrameError, match=text) as caught:
        compressed_to_bgr(message)
    assert caught.value.kind == kind


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_the_size_is_known_before_decoding(suffix: str) -> None:
    data = encoded(suffix)
    assert declared_size(memoryview(data)) == (50, 30)
    with pytest.raises(BadFrameError, match="50 x 30 is more than the limit of 1000 pixels"):
        compressed_to_bgr(Message(suffix, data), max_pixels=1000)


def test_fill_bytes_before_a_marker_do_not_hide_the_size() -> None:
    data = encoded(".jpg")
    filled = data[:2] + b"\xff\xff\xff" + data[2:]
    assert declared_size(memoryview(filled)) == (50, 30)


def test_a_header_without_end_is_given_up() -> None:
    """A search through every byte of a large message would take seconds."""
    for segment in (b"\xff", b"\xff\xe0\x00\x02"):
        endless = b"\xff\xd8" + segment * 2000
        assert declared_size(memoryview(endless + encoded(".jpg")[2:])) is None


def test_formats_without_a_known_header_are_checked_after_decoding() -> None:
    data = encoded(".bmp")
    assert declared_size(memoryview(data)) is None
    with pytest.raises(BadFrameError, match="more than the limit"):
        compressed_to_bgr(Message("bmp", data), max_pixels=1000)


def test_random_data_gives_a_bad_frame() -> None:
    random = np.random.default_rng(3)
    for start in (b"", b"\xff\xd8", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n"):
        for length in (1, 9, 30, 200):
            with pytest.raises(BadFrameError):
                compressed_to_bgr(Message("jpeg", start + random.bytes(length)), max_pixels=10_000_000)

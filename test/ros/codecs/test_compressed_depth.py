# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Compressed depth images, encoded by the test as the transports' sources say."""

from __future__ import annotations

import struct
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from pose_resnet_ros.ros.codecs.compressed_depth import compressed_depth_array
from pose_resnet_ros.ros.codecs.encodings import BadFrameError

RNG = np.random.default_rng(0)


def rvl(depth: np.ndarray) -> bytes:
    """Pixel by pixel, half byte by half byte."""
    nibbles: list[int] = []

    def put(number: int) -> None:
        while True:
            number, low = number >> 3, number & 7
            nibbles.append(low | 8 if number else low)
            if not number:
                return

    values, at, last = depth.ravel().tolist(), 0, 0
    while at < len(values):
        zeros = next((k for k, value in enumerate(values[at:]) if value), len(values) - at)
        at += zeros
        others = next((k for k, value in enumerate(values[at:]) if not value), len(values) - at)
        put(zeros)
        put(others)
        for value in values[at : at + others]:
            difference = value - last
            put(2 * difference if difference >= 0 else -2 * difference - 1)
            last = value
        at += others
    nibbles += [0] * (-len(nibbles) % 8)
    words = [int("".join(f"{n:x}" for n in nibbles[k : k + 8]), 16) for k in range(0, len(nibbles), 8)]
    return struct.pack("<ii", depth.shape[1], depth.shape[0]) + b"".join(struct.pack("<I", word) for word in words)


def png(depth: np.ndarray) -> bytes:
    return cv2.imencode(".png", depth)[1].tobytes()


def message(format_: str, data: bytes, *, a: float = 0.0, b: float = 0.0) -> SimpleNamespace:
    header = struct.pack("<iff", 0, a, b) if "compressedDepth" in format_ else b""
    return SimpleNamespace(format=format_, data=header + data)


def room() -> np.ndarray:
    """(48, 64) uint16: a slope with noise and holes."""
    depth = (np.arange(64 * 48).reshape(48, 64) + 500 + RNG.integers(0, 300, (48, 64))).astype(np.uint16)
    depth[RNG.random(depth.shape) < 0.2] = 0
    depth[10:20, 5:40] = 0
    depth[0, :2] = 65535, 1
    return depth


IMAGES = {
    "room": room(),
    "empty": np.zeros((6, 8), np.uint16),
    "full": np.full((6, 8), 1234, np.uint16),
    "hole at the end": np.r_[np.full(40, 7), np.zeros(8)].reshape(6, 8).astype(np.uint16),
}


@pytest.mark.parametrize("depth", IMAGES.values(), ids=IMAGES)
@pytest.mark.parametrize(
    ("format_", "encode"),
    [
        ("16UC1; compressedDepth rvl", rvl),
        ("16UC1; compressedDepth png", png),
        ("16UC1; compressedDepth", png),  # older versions
        ("16UC1; png compressed ", png),
        ("mono16; png compressed mono16", png),
    ],
)
def test_millimetres_are_kept_to_the_bit(depth: np.ndarray, format_: str, encode) -> None:
    found = compressed_depth_array(message(format_, encode(depth)))
    assert found.dtype == np.uint16
    np.testing.assert_array_equal(found, depth)


@pytest.mark.parametrize(("codec", "encode"), [("rvl", rvl), ("png", png)])
def test_metres_come_back_as_exactly_as_they_were_stored(codec: str, encode) -> None:
    metres = RNG.uniform(0.5, 8.0, (48, 64)).astype(np.float32)
    metres[3:9, 4:30] = np.nan
    quantization, far = 100.0, 10.0  # the transport's defaults
    a = quantization * (quantization + 1)
    b = 1 - a / far
    with np.errstate(invalid="ignore"):
        stored = np.where(metres < far, a / metres + b, 0).astype(np.uint16)
    found = compressed_depth_array(message(f"32FC1; compressedDepth {codec}", encode(stored), a=a, b=b))
    assert found.dtype == np.float32
    np.testing.assert_array_equal(np.isnan(found), np.isnan(metres))
    step = metres**2 / a  # of the depth, for one step of what is stored
    assert (np.abs(found - metres)[~np.isnan(metres)] <= 1.01 * step[~np.isnan(metres)]).all()


GOOD = rvl(IMAGES["room"])


@pytest.mark.parametrize(
    ("format_", "data", "says"),
    [
        ("16UC1; compressedDepth rvl", GOOD[:-40], "do not hold 64 x 48 pixels"),
        ("16UC1; compressedDepth rvl", GOOD[:8], "do not hold 64 x 48 pixels"),
        ("16UC1; compressedDepth rvl", GOOD[:5], "expected at least 8 bytes"),
        ("16UC1; compressedDepth rvl", struct.pack("<ii", 64, 48) + b"\xff" * 64, "do not hold|too long"),
        ("16UC1; compressedDepth rvl", struct.pack("<ii", 64, 48) + b"\xff\xff\xff\x7f" * 64, "do not hold|too long"),
        ("16UC1; compressedDepth rvl", struct.pack("<ii", 65536, 65536), "more than the limit"),
        ("16UC1; compressedDepth rvl", struct.pack("<ii", -4, 5), "no pixels"),
        ("16UC1; compressedDepth png", b"", "more than 12 bytes"),
        ("16UC1; compressedDepth png", png(IMAGES["room"])[:60], "cannot be decoded"),
        ("16UC1; compressedDepth png", GOOD, "expected PNG or RVL"),
        ("16UC1; jpeg compressed ", cv2.imencode(".jpg", np.zeros((6, 8), np.uint8))[1].tobytes(), "expected PNG or RVL"),
        ("32FC1; png compressed ", png(IMAGES["room"]), "32FC1 with compressedDepth"),
        ("rgb8; png compressed bgr8", png(np.zeros((6, 8, 3), np.uint8)), "one channel of 16 bits"),
        ("", b"", "expected PNG or RVL"),
    ],
)
def test_what_is_no_depth_image_is_refused(format_: str, data: bytes, says: str) -> None:
    with pytest.raises(BadFrameError, match=says):
        compressed_depth_array(message(format_, data))


def test_a_number_of_pixels_that_does_not_fit_takes_no_memory() -> None:
    """Two billion pixels that are not zero, in a few bytes."""
    nibbles = [8 | 7] * 9 + [7]
    zeros_and_others = [0, *nibbles]
    zeros_and_others += [0] * (-len(zeros_and_others) % 8)
    words = [int("".join(f"{n:x}" for n in zeros_and_others[k : k + 8]), 16) for k in range(0, len(zeros_and_others), 8)]
    data = struct.pack("<ii", 64, 48) + b"".join(struct.pack("<I", word) for word in words)
    with pytest.raises(BadFrameError, match="do not hold"):
        compressed_depth_array(message("16UC1; compressedDepth rvl", data))

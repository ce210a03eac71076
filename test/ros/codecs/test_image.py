# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from pose_resnet_ros.core.errors import ImageError
from pose_resnet_ros.ros.codecs.encodings import ENCODINGS, LAYOUTS, BadFrameError
from pose_resnet_ros.ros.codecs.image import image_to_bgr


@dataclass(frozen=True)
class Message:
    """The fields of sensor_msgs/Image."""

    height: int
    width: int
    encoding: str
    step: int
    data: bytes
    is_bigendian: int = 0


def message(pixels: np.ndarray, encoding: str, *, padding: int = 0, is_bigendian: int = 0) -> Message:
    """A message with these pixels, each row followed by ``padding`` bytes of 0xEE."""
    rows = pixels.reshape(len(pixels), -1).view(np.uint8)
    rows = np.pad(rows, ((0, 0), (0, padding)), constant_values=0xEE)
    return Message(pixels.shape[0], pixels.shape[1], encoding, rows.shape[1], rows.tobytes(), is_bigendian)


BLUE, GREEN, RED, GRAY = (255, 0, 0), (0, 255, 0), (0, 0, 255), (128, 128, 128)
BGR = np.array([[BLUE, GREEN], [RED, GRAY], [(1, 2, 3), (4, 5, 6)]], np.uint8)
ALPHA = np.full((3, 2, 1), 77, np.uint8)

COLOUR = {
    "bgr8": BGR,
    "8UC3": BGR,
    "rgb8": BGR[..., ::-1],
    "bgra8": np.concatenate([BGR, ALPHA], axis=2),
    "8UC4": np.concatenate([BGR, ALPHA], axis=2),
    "rgba8": np.concatenate([BGR[..., ::-1], ALPHA], axis=2),
}


@pytest.mark.parametrize("padding", [0, 5])
@pytest.mark.parametrize("encoding", COLOUR)
def test_colour(encoding: str, padding: int) -> None:
    np.testing.assert_array_equal(image_to_bgr(message(np.ascontiguousarray(COLOUR[encoding]), encoding, padding=padding)), BGR)


@pytest.mark.parametrize("padding", [0, 3])
@pytest.mark.parametrize("encoding", ["mono8", "8UC1"])
def test_gray(encoding: str, padding: int) -> None:
    gray = np.array([[0, 100, 255], [7, 8, 9]], np.uint8)
    expected = np.stack([gray] * 3, axis=2)
    np.testing.assert_array_equal(image_to_bgr(message(gray, encoding, padding=padding)), expected)


DEEP = {
    "mono16": "g", "16UC1": "g", "bgr16": "bgr", "16UC3": "bgr", "rgb16": "rgb", "bgra16": "bgra", "16UC4": "bgra",
    "rgba16": "rgba",
}  # fmt: skip


@pytest.mark.parametrize("padding", [0, 3])
@pytest.mark.parametrize("is_bigendian", [0, 1])
@pytest.mark.parametrize("encoding", DEEP)
def test_the_byte_order_of_16_bits_is_honoured(encoding: str, is_bigendian: int, padding: int) -> None:
    bgr = np.tile(BGR, (20, 30, 1))  # enough of 0 and 255 that they are the darkest and the brightest
    gray = bgr[..., 2]
    channels = {"b": bgr[..., 0], "g": bgr[..., 1], "r": bgr[..., 2], "a": np.full_like(gray, 77)}
    if DEEP[encoding] == "g":
        channels["g"], bgr = gray, np.stack([gray] * 3, axis=2)
    pixels = np.stack([channels[letter] for letter in DEEP[encoding]], axis=2).astype(np.uint16) * 257
    stored = pixels.astype(">u2" if is_bigendian else "<u2")
    got = image_to_bgr(message(stored, encoding, padding=padding, is_bigendian=is_bigendian))
    np.testing.assert_array_equal(got, bgr)


RAMP = np.tile(np.arange(256, dtype=np.uint16), (100, 1))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (RAMP * 4 + 3, RAMP),  # 10 bits
        (RAMP * 16, RAMP),
        (RAMP * 64, RAMP),
        (RAMP * 257, RAMP),
        (RAMP + 29315, RAMP),  # thermal: hundredths of a kelvin, 20 degrees and what is warmer
        (RAMP // 8 + 500, RAMP // 8),  # nothing is made of a difference that is hardly there
    ],
    ids=["10 bits", "12 bits", "14 bits", "16 bits", "thermal", "dark"],
)
@pytest.mark.parametrize("encoding", ["mono16", "16UC1"])
def test_gray_of_few_bits_is_neither_black_nor_flat(encoding: str, values: np.ndarray, expected: np.ndarray) -> None:
    got = image_to_bgr(message(values.astype("<u2"), encoding))[..., 0].astype(int)
    assert np.abs(got - expected).max() <= 2  # half a percent at each end is cut off


def test_a_few_dead_and_glaring_pixels_do_not_count() -> None:
    values = RAMP * 16
    values[::50, ::50] = 65535
    values[1::50, 1::50] = 0
    got = image_to_bgr(message(values, "mono16"))[..., 0].astype(int)
    plain = np.ones_like(got, bool)
    plain[::50, ::50] = plain[1::50, 1::50] = False
    assert np.abs(got - RAMP)[plain].max() <= 2


@pytest.mark.parametrize(
    ("encoding", "first_rows"),
    [("bayer_rggb8", ["rg", "gb"]), ("bayer_bggr8", ["bg", "gr"]), ("bayer_gbrg8", ["gb", "rg"]), ("bayer_grbg8", ["gr", "bg"])],
)
@pytest.mark.parametrize("is_16_bits", [False, True])
@pytest.mark.parametrize("bgr", [BLUE, GREEN, RED, (10, 90, 200)])
def test_bayer_patterns_are_named_by_their_first_two_rows(
    encoding: str, first_rows: list[str], bgr: tuple[int, int, int], is_16_bits: bool
) -> None:
    # A picture of one colour, as a sensor with that filter sees it, must come back as that colour.
    tile = np.array([["bgr".index(colour) for colour in row] for row in first_rows])
    raw = np.array(bgr, np.uint8)[np.tile(tile, (4, 4))]
    if is_16_bits:  # 14 of them; the darkest of three is 0
        encoding, bgr = (encoding.replace("8", "16"), tuple(255 * (v - min(bgr)) / (max(bgr) - min(bgr)) for v in bgr))
        raw = raw.astype(np.uint16) * 64
    got = image_to_bgr(message(raw, encoding, padding=4)).astype(float)
    np.testing.assert_allclose(got, np.full((8, 8, 3), bgr), atol=0.5 if is_16_bits else 0)


# ITU-R BT.601, studio range, of pure colours: Y, U (Cb), V (Cr); from the standard's tables, not from OpenCV.
YUV_OF = {RED: (81, 90, 240), GREEN: (145, 54, 34), BLUE: (41, 240, 110), (255, 255, 255): (235, 128, 128)}


@pytest.mark.parametrize("bgr", YUV_OF)
@pytest.mark.parametrize(("encoding", "order"), [("yuv422", "uyvy"), ("uyvy", "uyvy"), ("yuv422_yuy2", "yuyv"), ("yuyv", "yuyv")])
def test_yuv422(encoding: str, order: str, bgr: tuple[int, int, int]) -> None:
    two_pixels = [YUV_OF[bgr]["yuv".index(letter)] for letter in order]
    raw = np.tile(np.array(two_pixels, np.uint8), (2, 3)).reshape(2, 6, 2)
    expected = np.full((2, 6, 3), bgr, np.uint8)
    np.testing.assert_allclose(image_to_bgr(message(raw, encoding, padding=2)).astype(int), expected, atol=2)


def planar(encoding: str, yuv: np.ndarray, *, padding: int = 0) -> Message:
    """A message with this picture, (H, W, 3) Y, U and V; the rows of luma are followed by ``padding`` bytes of 0xEE."""
    luma, half = yuv[..., :1], yuv[::2, ::2, 1:]
    planes = {
        "nv12": [luma, half],
        "nv21": [luma, half[..., ::-1]],
        "i420": [luma, half[..., :1], half[..., 1:]],
        "nv24": [luma, yuv[..., 1:]],
    }[encoding]
    height, width, _ = yuv.shape
    data = b""
    for plane in planes:
        rows = plane.reshape(len(plane), -1)
        share = padding * rows.shape[1] // width
        data += np.pad(rows, ((0, 0), (0, share)), constant_values=0xEE).tobytes()
    return Message(height, width, encoding, width + padding, data)


@pytest.mark.parametrize("padding", [0, 6])
@pytest.mark.parametrize("size_wh", [(8, 4), (8, 6), (10, 8)])
@pytest.mark.parametrize("encoding", ["nv12", "nv21", "i420", "nv24"])
def test_planes(encoding: str, size_wh: tuple[int, int], padding: int) -> None:
    """Every two by two pixels another colour, so that each must find its own chroma."""
    width, height = size_wh
    which = np.arange(width // 2 * (height // 2)).reshape(height // 2, -1) * 7 % len(YUV_OF)
    which = which.repeat(2, axis=0).repeat(2, axis=1)
    got = image_to_bgr(planar(encoding, np.array([*YUV_OF.values()], np.uint8)[which], padding=padding))
    np.testing.assert_allclose(got.astype(int), np.array([*YUV_OF])[which], atol=2)


@pytest.mark.parametrize("encoding", ["nv12", "nv21", "i420", "nv24"])
def test_every_pixel_has_its_own_luma(encoding: str) -> None:
    luma = np.random.default_rng(0).integers(16, 236, (6, 8))
    yuv = np.stack([luma, np.full_like(luma, 128), np.full_like(luma, 128)], axis=2).astype(np.uint8)
    expected = (luma - 16) * 255 / 219  # ITU-R BT.601: 16 is black, 235 is white
    got = image_to_bgr(planar(encoding, yuv, padding=2)).astype(float)
    np.testing.assert_allclose(got, np.stack([expected] * 3, axis=2), atol=1)


def test_bgr8_is_a_view_that_cannot_be_written_to() -> None:
    source = message(BGR, "bgr8", padding=5)
    image = image_to_bgr(source)
    assert np.shares_memory(image, np.frombuffer(source.data, np.uint8))
    with pytest.raises(ValueError, match="read-only"):
        image[0, 0, 0] = 1
    cv2.resize(image, (5, 5))  # OpenCV takes the padded rows as they are


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_smallest_picture_of_each_encoding(encoding: str) -> None:
    layout = LAYOUTS[encoding]
    width, height = (2, 2) if encoding.startswith("bayer") else layout.multiple_wh
    width = max(width, 2)  # one pixel is too few
    row = width * layout.channels * np.dtype(layout.dtype).itemsize
    shares = [across / layout.channels * rows for across, rows in layout.planes]
    smallest = Message(height, width, encoding, row, bytes(int(row * height * sum(shares))))
    assert image_to_bgr(smallest).shape == (height, width, 3)


def test_one_pixel_is_no_image() -> None:
    with pytest.raises(BadFrameError, match="more than one pixel"):
        image_to_bgr(Message(1, 1, "rgb8", 3, b"abc"))


def test_every_encoding_of_sensor_msgs_is_a_picture_or_none_for_a_reason() -> None:
    parents = Path(pytest.importorskip("sensor_msgs").__file__).parents
    prefix = next(folder for folder in parents if (folder / "include" / "sensor_msgs").is_dir())
    (header,) = (prefix / "include" / "sensor_msgs").rglob("image_encodings.hpp")
    names = re.findall(r'^const char \w+\[\] = "(\w+)";', header.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(names) > 40
    left_out = sorted(set(names) - set(ENCODINGS))
    without_meaning = re.compile(r"(8|16)UC2|(8|16|32)SC[1-4]|(32|64)FC[1-4]")
    assert [name for name in left_out if not without_meaning.fullmatch(name)] == []


GOOD = message(BGR, "bgr8")


@pytest.mark.parametrize(
    ("bad", "kind", "text"),
    [
        (replace(GOOD, width=0), "size", "no pixels: 0 x 3"),
        (replace(GOOD, height=0), "size", "no pixels: 2 x 0"),
        (replace(GOOD, step=5), "step", "expected at least 6 bytes, got 5"),
        (replace(GOOD, step=0), "step", "expected at least 6 bytes, got 0"),
        (replace(GOOD, data=GOOD.data[:-1]), "data length", "expected 18 bytes, got 17"),
        (replace(GOOD, data=GOOD.data + b"x"), "data length", "expected 18 bytes, got 19"),
        (replace(GOOD, data=b""), "data length", "expected 18 bytes, got 0"),
        (replace(GOOD, width=3, step=9, encoding="yuv422"), "size", "even width, got 3"),
        (replace(GOOD, encoding="nv12"), "size", "even height, got 3"),
        (replace(GOOD, height=2, step=4, encoding="i420"), "data length", "expected 12 bytes, got 18"),
        (replace(GOOD, encoding="32FC1"), "encoding", "'32FC1' cannot be converted to an image.*one of bgr8, rgb8"),
        (replace(GOOD, encoding=""), "encoding", "encoding '' cannot be converted"),
        (replace(GOOD, width=100_000, height=100_000), "size", "more than the limit"),
    ],
)
def test_a_message_that_cannot_be_says_what_was_expected(bad: Message, kind: str, text: str) -> None:
    with pytest.raises(BadFrameError, match=text) as caught:
        image_to_bgr(bad)
    assert caught.value.kind == kind
    assert isinstance(caught.value, ImageError)


def test_random_messages_give_a_picture_or_a_bad_frame() -> None:
    random = np.random.default_rng(7)
    for _ in range(500):
        height, width, step = (int(number) for number in random.integers(0, (9, 9, 40)))
        data = random.bytes(int(random.integers(0, 200)) if random.random() < 0.5 else height * step)
        encoding = str(random.choice(ENCODINGS))
        try:
            image = image_to_bgr(Message(height, width, encoding, step, data, int(random.integers(0, 2))))
        except BadFrameError:
            continue
        assert image.shape == (height, width, 3)
        assert image.dtype == np.uint8

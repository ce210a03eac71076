# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass, replace
from types import ModuleType

import cv2
import numpy as np
import pytest

from pose_resnet_ros.core.errors import ImageError
from pose_resnet_ros.ros.codecs import image as image_codec
from pose_resnet_ros.ros.codecs.image import ENCODINGS, BadFrameError, image_to_bgr


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
    "rgba8": np.concatenate([BGR[..., ::-1], ALPHA], axis=2),
}


@pytest.mark.parametrize("padding", [0, 5])
@pytest.mark.parametrize("encoding", COLOUR)
def test_colour(encoding: str, padding: int) -> None:
    np.testing.assert_array_equal(
        image_to_bgr(message(np.ascontiguousarray(COLOUR[encoding]), encoding, padding=padding)), BGR
    )


@pytest.mark.parametrize("padding", [0, 3])
@pytest.mark.parametrize("encoding", ["mono8", "8UC1"])
def test_gray(encoding: str, padding: int) -> None:
    gray = np.array([[0, 100, 255], [7, 8, 9]], np.uint8)
    expected = np.stack([gray] * 3, axis=2)
    np.testing.assert_array_equal(image_to_bgr(message(gray, encoding, padding=padding)), expected)


@pytest.mark.parametrize("padding", [0, 3])
@pytest.mark.parametrize("is_bigendian", [0, 1])
@pytest.mark.parametrize("encoding", ["mono16", "16UC1"])
def test_gray_of_16_bits_is_scaled_and_its_byte_order_honoured(
    encoding: str, is_bigendian: int, padding: int
) -> None:
    stored = np.array([[0, 257, 65535], [12850, 128, 129]], ">u2" if is_bigendian else "<u2")
    expected = np.array([[0, 1, 255], [50, 0, 1]], np.uint8)  # v * 255 / 65535, rounded
    got = image_to_bgr(message(stored, encoding, padding=padding, is_bigendian=is_bigendian))
    np.testing.assert_array_equal(got, np.stack([expected] * 3, axis=2))


@pytest.mark.parametrize(
    ("encoding", "first_rows"),
    [
        ("bayer_rggb8", ["rg", "gb"]),
        ("bayer_bggr8", ["bg", "gr"]),
        ("bayer_gbrg8", ["gb", "rg"]),
        ("bayer_grbg8", ["gr", "bg"]),
    ],
)
@pytest.mark.parametrize("bgr", [BLUE, GREEN, RED, (10, 90, 200)])
def test_bayer_patterns_are_named_by_their_first_two_rows(
    encoding: str, first_rows: list[str], bgr: tuple[int, int, int]
) -> None:
    # A picture of one colour, as a sensor with that filter sees it, must come back as that colour.
    tile = np.array([["bgr".index(colour) for colour in row] for row in first_rows])
    raw = np.array(bgr, np.uint8)[np.tile(tile, (4, 4))]
    np.testing.assert_array_equal(
        image_to_bgr(message(raw, encoding, padding=4)), np.full((8, 8, 3), bgr, np.uint8)
    )


# ITU-R BT.601, studio range, of pure colours: Y, U (Cb), V (Cr); from the standard's tables, not from OpenCV.
YUV_OF = {RED: (81, 90, 240), GREEN: (145, 54, 34), BLUE: (41, 240, 110), (255, 255, 255): (235, 128, 128)}


@pytest.mark.parametrize("bgr", YUV_OF)
@pytest.mark.parametrize(
    ("encoding", "order"), [("yuv422", "uyvy"), ("uyvy", "uyvy"), ("yuv422_yuy2", "yuyv"), ("yuyv", "yuyv")]
)
def test_yuv422(encoding: str, order: str, bgr: tuple[int, int, int]) -> None:
    two_pixels = [YUV_OF[bgr]["yuv".index(letter)] for letter in order]
    raw = np.tile(np.array(two_pixels, np.uint8), (2, 3)).reshape(2, 6, 2)
    expected = np.full((2, 6, 3), bgr, np.uint8)
    np.testing.assert_allclose(image_to_bgr(message(raw, encoding, padding=2)).astype(int), expected, atol=2)


def test_bgr8_is_a_view_that_cannot_be_written_to() -> None:
    source = message(BGR, "bgr8", padding=5)
    image = image_to_bgr(source)
    assert np.shares_memory(image, np.frombuffer(source.data, np.uint8))
    with pytest.raises(ValueError, match="read-only"):
        image[0, 0, 0] = 1
    cv2.resize(image, (5, 5))  # OpenCV takes the padded rows as they are


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_smallest_picture_of_each_encoding(encoding: str) -> None:
    channels = {"rgba8": 4, "bgra8": 4}.get(encoding, 3 if encoding in COLOUR else 1)
    if encoding.startswith(("yu", "uy")):
        channels = 2
    dtype = np.uint16 if encoding in ("mono16", "16UC1") else np.uint8
    width, height = (2, 2) if encoding.startswith("bayer") else (2, 1)
    assert image_to_bgr(message(np.zeros((height, width, channels), dtype), encoding)).shape == (
        height,
        width,
        3,
    )


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


@pytest.fixture
def forget_cv_bridge():
    image_codec._cv_bridge.cache_clear()
    yield
    image_codec._cv_bridge.cache_clear()


@pytest.mark.parametrize(
    "error",
    [
        ImportError("numpy.core.multiarray failed to import"),
        AttributeError("_ARRAY_API not found"),
        SystemError("initialization of cv_bridge_boost raised unreported exception"),
    ],
)
def test_a_cv_bridge_that_cannot_be_imported_spoils_only_its_encodings(
    error: Exception, monkeypatch: pytest.MonkeyPatch, forget_cv_bridge: None
) -> None:
    attempts = []

    class Broken:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "cv_bridge":
                attempts.append(name)
                raise error

    monkeypatch.delitem(sys.modules, "cv_bridge", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    for _ in range(2):
        with pytest.raises(
            BadFrameError, match=r"encoding '32FC1' needs cv_bridge, which cannot be imported .*Cure: "
        ) as caught:
            image_to_bgr(replace(GOOD, encoding="32FC1"))
        assert str(error) in str(caught.value)
        assert caught.value.kind == "encoding"
    assert len(attempts) == 1  # a broken import is slow, and prints: once is enough
    np.testing.assert_array_equal(image_to_bgr(GOOD), BGR)


class FakeBridge:
    """What cv_bridge answers, good or bad."""

    def imgmsg_to_cv2(self, given: Message, desired_encoding: str) -> np.ndarray:
        assert desired_encoding == "bgr8"
        if given.encoding == "nonsense":
            raise TypeError("no such encoding")
        return BGR


def test_other_encodings_are_left_to_cv_bridge(
    monkeypatch: pytest.MonkeyPatch, forget_cv_bridge: None
) -> None:
    module = ModuleType("cv_bridge")
    module.CvBridge = FakeBridge  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "cv_bridge", module)
    np.testing.assert_array_equal(image_to_bgr(replace(GOOD, encoding="bgr16")), BGR)
    with pytest.raises(
        BadFrameError, match="cv_bridge cannot make bgr8 of encoding 'nonsense': no such encoding"
    ):
        image_to_bgr(replace(GOOD, encoding="nonsense"))


def test_the_installed_cv_bridge_agrees() -> None:
    """The oracle, where a ROS install has one that imports; the hand-written pictures above stand for it elsewhere."""
    try:
        bridge = importlib.import_module("cv_bridge").CvBridge()
        messages = importlib.import_module("sensor_msgs.msg")
    except Exception:  # noqa: BLE001 - not there, or broken by its NumPy
        return
    random = np.random.default_rng(1)
    for encoding in (
        "bgr8",
        "rgb8",
        "bgra8",
        "rgba8",
        "mono8",
        "mono16",
        "bayer_rggb8",
        "bayer_gbrg8",
        "yuv422",
    ):
        channels = {"bgra8": 4, "rgba8": 4, "bgr8": 3, "rgb8": 3, "yuv422": 2}.get(encoding, 1)
        dtype = np.uint16 if encoding == "mono16" else np.uint8
        ours = message(random.integers(0, 255, (8, 8, channels)).astype(dtype), encoding, padding=8)
        theirs = messages.Image(height=8, width=8, encoding=encoding, step=ours.step)
        theirs.data.frombytes(ours.data)
        np.testing.assert_array_equal(image_to_bgr(ours), bridge.imgmsg_to_cv2(theirs, "bgr8"))

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Packets of video topics, encoded by the tests with PyAV."""

from __future__ import annotations

import os
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
import pytest

os.environ.setdefault("SVT_LOG", "1")  # else it describes itself on stderr

GOP = 5
SIZE_WH = (192, 256)  # in the proportions of the model's input
# The encoder of each codec, and what makes it send an image at once, with a key frame every GOP images; B: of B-frames.
ENCODERS = {
    "h264": ("libx264", {"preset": "ultrafast", "tune": "zerolatency", "x264-params": "scenecut=0:bframes=B"}),
    "hevc": (
        "libx265",
        {
            "preset": "ultrafast",
            "x265-params": f"log-level=none:scenecut=0:keyint={GOP}:min-keyint={GOP}:bframes=B:rc-lookahead=4:open-gop=0",
        },
    ),
    "av1": ("libsvtav1", {"preset": "12", "svtav1-params": "pred-struct=1:lookahead=0"}),
    "vp8": ("libvpx", {"deadline": "realtime", "lag-in-frames": "0", "cpu-used": "8"}),
    "vp9": ("libvpx-vp9", {"deadline": "realtime", "lag-in-frames": "0", "cpu-used": "8"}),
}


@dataclass(frozen=True)
class Packet:
    """In the order of decoding. number: of its image, in the order of display."""

    data: bytes
    number: int
    is_key: bool


def square(number: int, size_wh: tuple[int, int] = SIZE_WH) -> np.ndarray:
    """(H, W, 3): black with a white square, which the model of ``spot_model`` finds."""
    pixels = np.zeros((size_wh[1], size_wh[0], 3), np.uint8)
    (x, y), half = square_center(number, size_wh), cell_px(size_wh) // 2 - 3
    pixels[y - half : y + half, x - half : x + half] = 255
    return pixels


def square_center(number: int, size_wh: tuple[int, int] = SIZE_WH) -> tuple[int, int]:
    """Where it is, x, y: one cell of the heatmap further in each image."""
    row, column = divmod(number % 80, 8)
    cell = cell_px(size_wh)
    return round(size_wh[0] / 2 + cell * (column - 3.5)), round(size_wh[1] / 2 + cell * (row - 4.5))


def found_at(number: int, size_wh: tuple[int, int] = SIZE_WH) -> tuple[float, float]:
    """Where the model finds it, give or take ``tolerance_px``: at the first corner of the cell."""
    x, y = square_center(number, size_wh)
    return x - cell_px(size_wh) / 2, y - cell_px(size_wh) / 2


def tolerance_px(size_wh: tuple[int, int] = SIZE_WH) -> float:
    """Less than half of what lies between two images."""
    return 0.45 * cell_px(size_wh)


def cell_px(size_wh: tuple[int, int]) -> int:
    """A heatmap is 12 cells wide, and the crop of a whole image 1.25 times as wide as that."""
    return round(size_wh[0] * 1.25 / 12)


def encoded(
    codec: str = "h264",
    *,
    count: int = 12,
    b_frames: int = 0,
    gop: int = GOP,
    size_wh: tuple[int, int] = SIZE_WH,
    intra_refresh: bool = False,
) -> list[Packet]:
    """A packet for each image ``square(n)``; skips the test where this PyAV has no such encoder.

    intra_refresh: of H.264; one key frame, then a part of each image is coded anew, all of it in ``gop`` images.
    """
    name, options = ENCODERS[codec]
    try:
        encoder = av.CodecContext.create(name, "w")
    except av.codec.codec.UnknownCodecError:
        pytest.skip(f"this build of PyAV cannot encode {codec}", allow_module_level=True)
    (encoder.width, encoder.height), encoder.pix_fmt = size_wh, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, 10), Fraction(10)
    encoder.gop_size = gop
    given = {key: value.replace("=B", f"={b_frames}") for key, value in options.items()}
    if b_frames:
        given.pop("tune", None)
    if intra_refresh:
        given["x264-params"] += ":intra-refresh=1"
    encoder.options = given
    packets = []
    for number in range(count):
        frame = av.VideoFrame.from_ndarray(square(number, size_wh), format="bgr24").reformat(format="yuv420p")
        frame.pts = number
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    return [Packet(bytes(packet), packet.pts, packet.is_keyframe) for packet in packets]

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Videos as other programs make them, written by the tests with PyAV."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

TICK = Fraction(1, 1000)


def gray(shade: int, size_wh: tuple[int, int] = (64, 48)) -> np.ndarray:
    """(H, W, 3) uint8 of one shade."""
    return np.full((size_wh[1], size_wh[0], 3), shade, np.uint8)


def write_video(
    path: Path,
    pictures: Iterable[np.ndarray],
    *,
    fps: float = 10.0,
    times_s: Sequence[float] = (),
    codec: str = "mpeg4",
    options: dict[str, str] | None = None,
) -> Path:
    """A video of pictures, (H, W, 3) uint8 BGR, in the container of the suffix; times_s: else index / fps."""
    with av.open(str(path), "w", options=options or {}) as container:
        stream = container.add_stream(codec, rate=Fraction(fps).limit_denominator(100_000))
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        if times_s:
            stream.codec_context.time_base = TICK
        for number, picture in enumerate(pictures):
            if number == 0:
                stream.height, stream.width = picture.shape[:2]
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24").reformat(format=stream.pix_fmt)
            if times_s:
                frame.pts, frame.time_base = round(times_s[number] / TICK), TICK
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def cut_off(path: Path, share: float = 0.5) -> Path:
    """The beginning of a file, beside it."""
    data = path.read_bytes()
    cut = path.with_name(f"cut_{path.name}")
    cut.write_bytes(data[: int(share * len(data))])
    return cut


def turned(path: Path, degrees: int) -> Path:
    """The same MP4, beside it, with a note that it is to be turned clockwise, as phones write it (ISO/IEC 14496-12, 8.3.2)."""
    data = bytearray(path.read_bytes())
    matrix = data.index(b"tkhd") + 44
    a, b = {0: (1, 0), 90: (0, 1), 180: (-1, 0), 270: (0, -1)}[degrees]
    one = 1 << 16
    data[matrix : matrix + 36] = struct.pack(">9i", a * one, b * one, 0, -b * one, a * one, 0, 0, 0, 1 << 30)
    target = path.with_name(f"turned_{degrees}.mp4")
    target.write_bytes(data)
    return target


def times_of(path: Path) -> list[float]:
    """The presentation times in a file, in seconds, in order."""
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.pts is not None]
        return sorted(float(packet.pts * packet.time_base) for packet in packets)


def duration_of(path: Path) -> float:
    """In seconds."""
    with av.open(str(path)) as container:
        return container.duration / 1e6


def pictures_of(path: Path) -> list[np.ndarray]:
    """All frames, (H, W, 3) uint8 BGR."""
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]

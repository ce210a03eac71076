# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The encodings of ``sensor_msgs/Image``: how each lies in memory, is checked against size and step, and becomes BGR.

All of sensor_msgs' image_encodings.hpp that have a colour or gray meaning, and the planar ones that drivers publish beside them
(nv12, i420). Left out are those without such a meaning: two values a pixel (8UC2, 16UC2), signed values (8SC, 16SC, 32SC), floats
(32FC, 64FC). A new encoding is one row here and one case in the test.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import cv2
import numpy as np

from pose_resnet_ros.core.errors import ImageError
from pose_resnet_ros.core.library_setup import MAX_PIXELS


class BadFrameError(ImageError):
    """A message that holds no usable image; ``kind`` is one word or two, for counting."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True)
class Layout:
    """How an encoding lies in memory.

    planes: one (values across, rows) per plane, both for each pixel: NV12 is ((1, 1), (1, 0.5)), 1.5 times the height.
    dtype: of the values in the message. multiple_wh: what width and height must be multiples of.
    to_bgr: what ``read_pixels`` returns, with uint16 scaled to uint8, to (H, W, 3) uint8 BGR; None for depth.
    """

    planes: tuple[tuple[float, float], ...]
    to_bgr: Callable[[np.ndarray], np.ndarray] | None = None
    dtype: type[np.generic] = np.uint8
    multiple_wh: tuple[int, int] = (1, 1)

    @property
    def channels(self) -> int:
        """Values per pixel in the first plane."""
        return int(self.planes[0][0])


def check_size(width: int, height: int, *, max_pixels: int = MAX_PIXELS) -> None:
    """Raises BadFrameError unless there are at least two pixels, which OpenCV 4.5 needs, and at most max_pixels."""
    if width <= 0 or height <= 0:
        raise BadFrameError("size", f"the image has no pixels: {width} x {height}")
    if width * height == 1:
        raise BadFrameError("size", "expected an image of more than one pixel")
    if width * height > max_pixels:
        raise BadFrameError("size", f"{width} x {height} is more than the limit of {max_pixels} pixels")


def read_pixels(message: Any, layout: Layout, *, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """One plane: (H, W) or (H, W, C), a view into ``message.data`` where its byte order is the machine's. Several planes: all of
    their values without padding, as rows of W.

    Raises BadFrameError for a size that the encoding cannot have, and for a ``step`` or ``data`` that does not fit the size.
    """
    check_size(message.width, message.height, max_pixels=max_pixels)
    _check_buffer(message, layout)
    return _view(message, layout) if len(layout.planes) == 1 else _joined_planes(message, layout)


def _check_buffer(message: Any, layout: Layout) -> None:
    width, height, step = message.width, message.height, message.step
    for what, length, multiple in zip(("width", "height"), (width, height), layout.multiple_wh, strict=True):
        if length % multiple:
            raise BadFrameError("size", f"{message.encoding}: expected an even {what}, got {length}")
    row_bytes = width * layout.channels * np.dtype(layout.dtype).itemsize
    size = f"{width} x {height} {message.encoding}"
    if step < row_bytes:
        raise BadFrameError("step", f"step of a {size} image: expected at least {row_bytes} bytes, got {step}")
    expected, got = sum(rows * stride for rows, stride, _ in _planes(message, layout)), len(message.data)
    if got != expected:
        raise BadFrameError("data length", f"data of a {size} image with step {step}: expected {expected} bytes, got {got}")


def _planes(message: Any, layout: Layout) -> list[tuple[int, int, int]]:
    """(rows, bytes from row to row, values in a row) of each plane; padding is in proportion to the values."""
    return [
        (int(message.height * rows), int(message.step * across / layout.channels), int(message.width * across))
        for across, rows in layout.planes
    ]


def _view(message: Any, layout: Layout) -> np.ndarray:
    dtype = np.dtype(layout.dtype)
    stored = dtype.newbyteorder(">" if message.is_bigendian else "<")
    shape = (message.height, message.width, *(() if layout.channels == 1 else (layout.channels,)))
    strides = (message.step, layout.channels * dtype.itemsize, dtype.itemsize)[: len(shape)]
    return np.ndarray(shape, stored, buffer=message.data, strides=strides).astype(dtype, copy=False)


def _joined_planes(message: Any, layout: Layout) -> np.ndarray:
    data, begin, planes = np.frombuffer(message.data, np.uint8), 0, []
    for rows, stride, values in _planes(message, layout):
        end = begin + rows * stride
        planes.append(data[begin:end].reshape(rows, stride)[:, :values].ravel())
        begin = end
    return np.concatenate(planes).reshape(-1, message.width)


def _nv24_to_bgr(rows: np.ndarray) -> np.ndarray:
    """By way of 4:2:2, which OpenCV can convert: two columns share every second one's chroma."""
    height = len(rows) // 3
    chroma = rows[height:].reshape(height, -1, 2)
    yuyv = np.empty_like(chroma)
    yuyv[..., 0] = rows[:height]
    yuyv[:, ::2, 1], yuyv[:, 1::2, 1] = chroma[:, ::2, 0], chroma[:, ::2, 1]
    return cv2.cvtColor(yuyv, cv2.COLOR_YUV2BGR_YUY2)


def _packed(channels: int, code: int, *, multiple_wh: tuple[int, int] = (1, 1)) -> Layout:
    return Layout(((channels, 1),), partial(cv2.cvtColor, code=code), multiple_wh=multiple_wh)


def _planar(chroma: tuple[tuple[float, float], ...], code: int) -> Layout:
    return Layout(((1, 1), *chroma), partial(cv2.cvtColor, code=code), multiple_wh=(2, 2))


def _uint16(layout: Layout) -> Layout:
    return replace(layout, dtype=np.uint16)


_BGR = Layout(((3, 1),), np.asarray)  # as it is
_RGB = _packed(3, cv2.COLOR_RGB2BGR)
_BGRA = _packed(4, cv2.COLOR_BGRA2BGR)
_RGBA = _packed(4, cv2.COLOR_RGBA2BGR)
_GRAY = _packed(1, cv2.COLOR_GRAY2BGR)
_UYVY = _packed(2, cv2.COLOR_YUV2BGR_UYVY, multiple_wh=(2, 1))
_YUYV = _packed(2, cv2.COLOR_YUV2BGR_YUY2, multiple_wh=(2, 1))
# ROS names a Bayer pattern by the first two pixels of the first two rows; OpenCV by the second and third pixel of the second row:
# its BG is what ROS calls RGGB.
_BAYER = {
    "rggb": _packed(1, cv2.COLOR_BayerBG2BGR),
    "bggr": _packed(1, cv2.COLOR_BayerRG2BGR),
    "gbrg": _packed(1, cv2.COLOR_BayerGR2BGR),
    "grbg": _packed(1, cv2.COLOR_BayerGB2BGR),
}

LAYOUTS: dict[str, Layout] = {
    "bgr8": _BGR,
    "rgb8": _RGB,
    "bgra8": _BGRA,
    "rgba8": _RGBA,
    "mono8": _GRAY,
    "bgr16": _uint16(_BGR),
    "rgb16": _uint16(_RGB),
    "bgra16": _uint16(_BGRA),
    "rgba16": _uint16(_RGBA),
    "mono16": _uint16(_GRAY),
    # OpenCV's own names, and its order of colours.
    "8UC1": _GRAY,
    "8UC3": _BGR,
    "8UC4": _BGRA,
    "16UC1": _uint16(_GRAY),
    "16UC3": _uint16(_BGR),
    "16UC4": _uint16(_BGRA),
    **{f"bayer_{pattern}8": layout for pattern, layout in _BAYER.items()},
    **{f"bayer_{pattern}16": _uint16(layout) for pattern, layout in _BAYER.items()},
    "yuv422": _UYVY,
    "uyvy": _UYVY,
    "yuv422_yuy2": _YUYV,
    "yuyv": _YUYV,
    # Planes, as V4L2 has them: luma at full size, then chroma; the message's height and step are those of the luma.
    "nv12": _planar(((1, 0.5),), cv2.COLOR_YUV2BGR_NV12),
    "nv21": _planar(((1, 0.5),), cv2.COLOR_YUV2BGR_NV21),
    "i420": _planar(((0.5, 0.5), (0.5, 0.5)), cv2.COLOR_YUV2BGR_I420),
    "nv24": Layout(((1, 1), (2, 1)), _nv24_to_bgr, multiple_wh=(2, 1)),
}
ENCODINGS = tuple(LAYOUTS)
# REP-118: 16UC1 is millimetres, 32FC1 metres, 0 no measurement; some drivers call their millimetres mono16.
DEPTH_LAYOUTS = {
    "16UC1": Layout(((1, 1),), dtype=np.uint16),
    "mono16": Layout(((1, 1),), dtype=np.uint16),
    "32FC1": Layout(((1, 1),), dtype=np.float32),
}

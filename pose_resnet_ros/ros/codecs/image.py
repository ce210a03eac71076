# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""``sensor_msgs/Image`` to a BGR array, by the table in ``encodings``; what is not in it is offered to cv_bridge.

Nothing here imports ROS: a message is anything with the fields of ``sensor_msgs/Image``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pose_resnet_ros.core.errors import ImageError
from pose_resnet_ros.core.image_limits import MAX_PIXELS
from pose_resnet_ros.ros.codecs.eight_bits import to_eight_bits
from pose_resnet_ros.ros.codecs.encodings import ENCODINGS, LAYOUTS, Layout
from pose_resnet_ros.ros.codecs.other_encodings import by_cv_bridge


class BadFrameError(ImageError):
    """A frame that cannot be decoded; ``kind`` is one word or two for counting."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def image_to_bgr(message: Any, *, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """The message's picture as (H, W, 3) uint8 BGR, read only.

    bgr8 is a view into ``message.data``, without a copy; rows may be padded (``step``). Values of 16 bits are scaled
    (``eight_bits``).

    Raises BadFrameError (an ImageError) for less than two pixels or more than max_pixels, a size that the encoding cannot have, a
    ``step`` or ``data`` that does not fit the size, and an encoding that neither the table nor cv_bridge knows.
    """
    check_size(message.width, message.height, max_pixels=max_pixels)
    layout = LAYOUTS.get(message.encoding)
    bgr = _by_other_means(message) if layout is None else _by_table(message, layout)
    bgr.flags.writeable = False
    return bgr


def _by_table(message: Any, layout: Layout) -> np.ndarray:
    _check_layout(message, layout)
    pixels = _pixels(message, layout) if len(layout.planes) == 1 else _joined_planes(message, layout)
    return layout.to_bgr(pixels if pixels.dtype == np.uint8 else to_eight_bits(pixels))


def _by_other_means(message: Any) -> np.ndarray:
    converted = by_cv_bridge(message)
    if isinstance(converted, str):
        raise BadFrameError(
            "encoding",
            f"encoding '{message.encoding}' is no picture that can be converted ({converted}); let the driver publish one of"
            f" {', '.join(ENCODINGS)}",
        )
    if converted.shape != (message.height, message.width, 3) or converted.dtype != np.uint8:
        raise BadFrameError("encoding", f"cv_bridge made {converted.dtype} {converted.shape} of '{message.encoding}'")
    return converted


def check_size(width: int, height: int, *, max_pixels: int) -> None:
    """Raises BadFrameError unless there are at least two pixels, which OpenCV 4.5 wants, and at most max_pixels."""
    if width <= 0 or height <= 0:
        raise BadFrameError("size", f"the image has no pixels: {width} x {height}")
    if width * height == 1:
        raise BadFrameError("size", "expected an image of more than one pixel")
    if width * height > max_pixels:
        raise BadFrameError("size", f"{width} x {height} is more than the limit of {max_pixels} pixels")


def _check_layout(message: Any, layout: Layout) -> None:
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
    """(rows, bytes from row to row, values in a row) of each plane; padding is shared out as the values are."""
    return [
        (int(message.height * rows), int(message.step * across / layout.channels), int(message.width * across))
        for across, rows in layout.planes
    ]


def _pixels(message: Any, layout: Layout) -> np.ndarray:
    """(H, W) or (H, W, C) view into the message's data, in the machine's byte order."""
    dtype = np.dtype(layout.dtype)
    stored = dtype.newbyteorder(">" if message.is_bigendian else "<")
    channels = () if layout.channels == 1 else (layout.channels,)
    shape = (message.height, message.width, *channels)
    strides = (message.step, layout.channels * dtype.itemsize, dtype.itemsize)[: len(shape)]
    pixels = np.ndarray(shape, stored, buffer=message.data, strides=strides)
    # OpenCV takes rows of bytes with any padding, rows of 16 bits not.
    return pixels if dtype.itemsize == 1 else pixels.astype(dtype)


def _joined_planes(message: Any, layout: Layout) -> np.ndarray:
    """All planes of bytes, without padding, as rows of the picture's width."""
    data, begin, planes = np.frombuffer(message.data, np.uint8), 0, []
    for rows, stride, values in _planes(message, layout):
        end = begin + rows * stride
        planes.append(data[begin:end].reshape(rows, stride)[:, :values].ravel())
        begin = end
    return np.concatenate(planes).reshape(-1, message.width)

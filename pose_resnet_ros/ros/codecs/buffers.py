# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The buffer of a ``sensor_msgs/Image`` as an array, checked against its size, step and encoding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

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

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""``sensor_msgs/Image`` to a BGR array.

The encodings of everyday cameras are converted here, by a table; every other one goes to cv_bridge, which is imported only
then, so that a broken one stops those frames and not the node. Nothing here imports ROS: a message is anything with the
fields of ``sensor_msgs/Image``.

16 bit gray is scaled linearly, 65535 to 255. A Bayer name says the first two pixels of the first two rows, e.g. RGGB.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import cv2
import numpy as np

from pose_resnet_ros.core.errors import ImageError
from pose_resnet_ros.core.image_limits import MAX_PIXELS


class BadFrameError(ImageError):
    """A frame that cannot be decoded; ``kind`` is one word or two for counting."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True)
class _Layout:
    """How an encoding lies in memory, and what makes BGR of it: (H, W[, C]) array in, (H, W, 3) uint8 out."""

    channels: int
    to_bgr: Callable[[np.ndarray], np.ndarray]
    dtype: type[np.generic] = np.uint8


def _unchanged(pixels: np.ndarray) -> np.ndarray:
    return pixels


def _gray16_to_bgr(pixels: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(cv2.convertScaleAbs(pixels, alpha=255.0 / 65535.0), cv2.COLOR_GRAY2BGR)


def _color(code: int) -> Callable[[np.ndarray], np.ndarray]:
    return partial(cv2.cvtColor, code=code)


_MONO8 = _Layout(1, _color(cv2.COLOR_GRAY2BGR))
_MONO16 = _Layout(1, _gray16_to_bgr, np.uint16)
_UYVY = _Layout(2, _color(cv2.COLOR_YUV2BGR_UYVY))
_YUYV = _Layout(2, _color(cv2.COLOR_YUV2BGR_YUY2))

_LAYOUTS: dict[str, _Layout] = {
    "bgr8": _Layout(3, _unchanged),
    "8UC3": _Layout(3, _unchanged),
    "rgb8": _Layout(3, _color(cv2.COLOR_RGB2BGR)),
    "bgra8": _Layout(4, _color(cv2.COLOR_BGRA2BGR)),
    "rgba8": _Layout(4, _color(cv2.COLOR_RGBA2BGR)),
    "mono8": _MONO8,
    "8UC1": _MONO8,
    "mono16": _MONO16,
    "16UC1": _MONO16,
    # OpenCV names a Bayer pattern by the second and third pixel of the second row: its BG is what ROS calls RGGB.
    "bayer_rggb8": _Layout(1, _color(cv2.COLOR_BayerBG2BGR)),
    "bayer_bggr8": _Layout(1, _color(cv2.COLOR_BayerRG2BGR)),
    "bayer_gbrg8": _Layout(1, _color(cv2.COLOR_BayerGR2BGR)),
    "bayer_grbg8": _Layout(1, _color(cv2.COLOR_BayerGB2BGR)),
    "yuv422": _UYVY,
    "uyvy": _UYVY,
    "yuv422_yuy2": _YUYV,
    "yuyv": _YUYV,
}

ENCODINGS = tuple(_LAYOUTS)


def image_to_bgr(message: Any, *, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """The message's picture as (H, W, 3) uint8 BGR, read only.

    bgr8 is a view into ``message.data``, without a copy; rows may be padded (``step``).

    Raises BadFrameError (an ImageError) for a size of zero or above max_pixels, a ``step`` or ``data`` that does not fit
    the size, and an encoding that neither the table nor cv_bridge knows.
    """
    check_size(message.width, message.height, max_pixels=max_pixels)
    layout = _LAYOUTS.get(message.encoding)
    if layout is None:
        return _by_cv_bridge(message)
    if layout.channels == 2 and message.width % 2:
        raise BadFrameError(
            "size", f"{message.encoding} holds pixels in pairs: expected an even width, got {message.width}"
        )
    bgr = layout.to_bgr(_pixels(message, layout))
    bgr.flags.writeable = False
    return bgr


def check_size(width: int, height: int, *, max_pixels: int) -> None:
    """Raises BadFrameError unless there is at least one pixel and at most max_pixels."""
    if width <= 0 or height <= 0:
        raise BadFrameError("size", f"the image has no pixels: {width} x {height}")
    if width * height > max_pixels:
        raise BadFrameError("size", f"{width} x {height} is more than the limit of {max_pixels} pixels")


def _pixels(message: Any, layout: _Layout) -> np.ndarray:
    """(H, W) or (H, W, C) view into the message's data, in the machine's byte order."""
    dtype = np.dtype(layout.dtype)
    row_bytes = message.width * layout.channels * dtype.itemsize
    _check_rows(message, row_bytes)
    stored = dtype.newbyteorder(">" if message.is_bigendian else "<")
    channels = () if layout.channels == 1 else (layout.channels,)
    shape = (message.height, message.width, *channels)
    strides = (message.step, layout.channels * dtype.itemsize, dtype.itemsize)[: len(shape)]
    pixels = np.ndarray(shape, stored, buffer=message.data, strides=strides)
    # OpenCV takes rows of bytes with any padding, rows of 16 bits not.
    return pixels if dtype.itemsize == 1 else pixels.astype(dtype)


def _check_rows(message: Any, row_bytes: int) -> None:
    size = f"{message.width} x {message.height} {message.encoding}"
    if message.step < row_bytes:
        raise BadFrameError(
            "step", f"step of a {size} image: expected at least {row_bytes} bytes, got {message.step}"
        )
    expected, got = message.step * message.height, len(message.data)
    if got != expected:
        raise BadFrameError(
            "data length",
            f"data of a {size} image with step {message.step}: expected {expected} bytes, got {got}",
        )


@lru_cache(maxsize=1)
def _cv_bridge() -> tuple[Any, str]:
    """(bridge, "") or (None, why not). Asked once: a broken import is slow and prints pages each time."""
    try:
        from cv_bridge import CvBridge

        return CvBridge(), ""
    except Exception as error:  # noqa: BLE001 - a NumPy ABI clash raises ImportError, AttributeError or SystemError
        return None, f"{type(error).__name__}: {error}"


def _by_cv_bridge(message: Any) -> np.ndarray:
    bridge, problem = _cv_bridge()
    if bridge is None:
        raise BadFrameError(
            "encoding",
            f"encoding '{message.encoding}' needs cv_bridge, which cannot be imported ({problem}). Cure: let the driver publish"
            f" one of {', '.join(ENCODINGS)}; or install ros-$ROS_DISTRO-cv-bridge with the NumPy that it was built for"
            " (NumPy below 2 before Lyrical)",
        )
    try:
        bgr = bridge.imgmsg_to_cv2(message, desired_encoding="bgr8")
    except Exception as error:
        raise BadFrameError(
            "encoding", f"cv_bridge cannot make bgr8 of encoding '{message.encoding}': {error}"
        ) from error
    return np.ascontiguousarray(bgr)

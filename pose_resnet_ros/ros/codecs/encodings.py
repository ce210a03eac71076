# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The encodings of ``sensor_msgs/Image``: how each lies in memory, and how it becomes BGR.

All of sensor_msgs' image_encodings.hpp that have a colour or gray meaning, and the planar ones that drivers publish beside them
(nv12, i420). Left out are those without such a meaning: two values a pixel (8UC2, 16UC2), signed values (8SC, 16SC, 32SC), floats
(32FC, 64FC). A new encoding is one row here and one case in the test.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import cv2
import numpy as np

from pose_resnet_ros.ros.codecs.buffers import Layout


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

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""``sensor_msgs/Image`` to BGR or depth, by the table in ``encodings``; other encodings are left to cv_bridge."""

from __future__ import annotations

from typing import Any

import numpy as np

from pose_resnet_ros.core.image_decoding import to_uint8
from pose_resnet_ros.core.library_setup import MAX_PIXELS
from pose_resnet_ros.ros.codecs.buffers import BadFrameError, read_pixels
from pose_resnet_ros.ros.codecs.cv_bridge_fallback import by_cv_bridge
from pose_resnet_ros.ros.codecs.encodings import DEPTH_LAYOUTS, LAYOUTS


def image_to_bgr(message: Any, *, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """The message's image as (H, W, 3) uint8 BGR, read-only.

    bgr8 is a view into ``message.data``, without a copy; rows may be padded (``step``). 16 bits are scaled by ``to_uint8``.

    Raises BadFrameError (an ImageError) for less than two pixels or more than max_pixels, a size that the encoding cannot have, a
    ``step`` or ``data`` that does not fit the size, and an encoding that neither the table nor cv_bridge knows.
    """
    layout = LAYOUTS.get(message.encoding)
    if layout is None or layout.to_bgr is None:
        bgr = by_cv_bridge(message, max_pixels=max_pixels)
    else:
        bgr = layout.to_bgr(to_uint8(read_pixels(message, layout, max_pixels=max_pixels)))
    bgr.flags.writeable = False
    return bgr


def depth_array(message: Any) -> np.ndarray:
    """(H, W) uint16 millimetres or float32 metres: a view into the message's data where its byte order is the machine's.

    Raises BadFrameError for another encoding, and for a size, ``step`` or ``data`` that do not belong together.
    """
    layout = DEPTH_LAYOUTS.get(message.encoding)
    if layout is None:
        raise BadFrameError("encoding", f"depth image: expected 16UC1 (mm) or 32FC1 (m), got '{message.encoding}'")
    return read_pixels(message, layout)

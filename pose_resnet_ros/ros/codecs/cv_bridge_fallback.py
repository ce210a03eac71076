# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Encodings that are not in our table, by cv_bridge: that of a newer ROS may know them."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from pose_resnet_ros.ros.codecs.encodings import ENCODINGS, BadFrameError, check_size


def by_cv_bridge(message: Any, *, max_pixels: int) -> np.ndarray:
    """(H, W, 3) uint8 BGR. Raises BadFrameError if cv_bridge cannot be imported or does not know the encoding."""
    check_size(message.width, message.height, max_pixels=max_pixels)
    bridge, problem = cv_bridge()
    try:
        if bridge is not None:
            bgr = np.ascontiguousarray(bridge.imgmsg_to_cv2(message, desired_encoding="bgr8"))
    except Exception as error:  # noqa: BLE001 - it raises CvBridgeError, TypeError, KeyError or cv2.error
        problem = f"cv_bridge: {error}"
    if problem:
        raise BadFrameError(
            "encoding",
            f"encoding '{message.encoding}' cannot be converted to an image ({problem}); let the driver publish one of"
            f" {', '.join(ENCODINGS)}",
        )
    if bgr.shape != (message.height, message.width, 3) or bgr.dtype != np.uint8:
        raise BadFrameError("encoding", f"cv_bridge made {bgr.dtype} {bgr.shape} of '{message.encoding}'")
    return bgr


@cache
def cv_bridge() -> tuple[Any, str]:
    """(bridge, "") or (None, why not). Asked once: a broken import is slow and prints pages each time."""
    try:
        from cv_bridge import CvBridge

        return CvBridge(), ""
    except Exception as error:  # noqa: BLE001 - a NumPy ABI clash raises ImportError, AttributeError or SystemError
        return None, f"cv_bridge cannot be imported ({type(error).__name__}: {error})"

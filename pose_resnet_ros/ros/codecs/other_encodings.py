# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Encodings beyond our table, through cv_bridge: that of a newer ROS may know some that the table does not."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np


def by_cv_bridge(message: Any) -> np.ndarray | str:
    """(H, W, 3) uint8 BGR, or in words why cv_bridge gives none: it cannot be imported, or it refuses the encoding."""
    bridge, problem = cv_bridge()
    if bridge is None:
        return f"cv_bridge cannot be imported ({problem})"
    try:
        bgr = bridge.imgmsg_to_cv2(message, desired_encoding="bgr8")
    except Exception as error:  # noqa: BLE001 - it raises CvBridgeError, TypeError, KeyError or cv2.error
        return f"cv_bridge: {error}"
    return np.ascontiguousarray(bgr)


@cache
def cv_bridge() -> tuple[Any, str]:
    """(bridge, "") or (None, why not). Asked once: a broken import is slow and prints pages each time."""
    try:
        from cv_bridge import CvBridge

        return CvBridge(), ""
    except Exception as error:  # noqa: BLE001 - a NumPy ABI clash raises ImportError, AttributeError or SystemError
        return None, f"{type(error).__name__}: {error}"

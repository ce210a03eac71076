# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""A header's time as one number. Imports no ROS."""

from __future__ import annotations

from typing import Any


def stamp_ns(message: Any) -> int:
    """Nanoseconds of the message's ``header.stamp``; 0: not stamped."""
    return message.header.stamp.sec * 1_000_000_000 + message.header.stamp.nanosec

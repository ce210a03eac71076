# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Warnings that repeat themselves, but not with every frame. (rclpy's own throttle counts places in the code, not messages.)"""

from __future__ import annotations

import time
from collections.abc import Callable

REPEAT_AFTER_S = 5.0


class Throttle:
    """One kind of warning does not silence another. clock: seconds, monotonic; handed in by tests."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._said_s: dict[str, float] = {}

    def may_say(self, kind: str) -> bool:
        """Whether this kind was silent for a while; true counts as said."""
        now_s = self._clock()
        if now_s - self._said_s.get(kind, -REPEAT_AFTER_S) < REPEAT_AFTER_S:
            return False
        self._said_s[kind] = now_s
        return True

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""``max_rate_hz``: when the next frame may be taken. No ROS in here."""

from __future__ import annotations

import time
from collections.abc import Callable


class RateLimit:
    """At most so many frames per second, spread evenly. clock: monotonic, in seconds."""

    def __init__(self, max_hz: Callable[[], float], clock: Callable[[], float] = time.monotonic) -> None:
        """max_hz: gives the limit, asked each time; 0: none."""
        self._max_hz = max_hz
        self._clock = clock
        self._taken_s: float | None = None  # when the last frame was due

    @property
    def due_in_s(self) -> float:
        """Seconds until the next frame may be taken; 0: now."""
        max_hz = self._max_hz()
        if not max_hz or self._taken_s is None:
            return 0.0
        return max(self._taken_s + 1.0 / max_hz - self._clock(), 0.0)

    @property
    def is_due(self) -> bool:
        """Whether a frame may be taken now."""
        return self.due_in_s == 0.0

    def take(self) -> bool:
        """Take a frame, if one is due; whether it was."""
        if not self.is_due:
            return False
        now_s, max_hz = self._clock(), self._max_hz()
        due_s = now_s if self._taken_s is None or not max_hz else self._taken_s + 1.0 / max_hz
        # A frame a little late does not delay the next one; after a pause, nothing is made up for.
        self._taken_s = due_s if max_hz and now_s - due_s < 1.0 / max_hz else now_s
        return True

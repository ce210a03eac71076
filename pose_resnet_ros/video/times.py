# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Presentation times that can be relied on, out of those that a container tells."""

from __future__ import annotations

MAX_FPS = 1000.0  # what a header says beyond it is not believed
DEFAULT_FPS = 25.0
_SMALLEST_STEP_S = 1.0 / MAX_FPS
_LARGEST_STEP_BACK_S = 1.0  # further back is another time scale (a recording that was joined, a counter that began again)


def believable(fps: float | None) -> float | None:
    """The rate of a header, None where it cannot be one."""
    return fps if fps is not None and 0.0 < fps <= MAX_FPS else None


class FrameTimes:
    """Seconds since the first frame, always growing.

    A time that is missing, a jump back, and frames that follow one another faster than MAX_FPS under a header whose rate is not
    believable, are replaced: such a frame comes one period after the last.
    """

    def __init__(self, fps: float | None) -> None:
        """fps: of the header, None if it tells none."""
        self._has_rate = believable(fps) is not None
        self._period_s = 1.0 / (believable(fps) or DEFAULT_FPS)
        self._origin_s: float | None = None
        self._last_s: float | None = None

    def of(self, told_s: float | None) -> float:
        """The time of the next frame, whose container tells told_s."""
        time_s = self._next(told_s)
        self._last_s = time_s
        return time_s

    def _next(self, told_s: float | None) -> float:
        if self._last_s is None:
            self._origin_s = told_s
            return 0.0
        if told_s is None:
            self._origin_s = None
            return self._last_s + self._period_s
        step_s = -float("inf") if self._origin_s is None else told_s - self._origin_s - self._last_s
        if step_s < (-_LARGEST_STEP_BACK_S if self._has_rate else _SMALLEST_STEP_S):
            self._origin_s = told_s - self._last_s - self._period_s
            return self._last_s + self._period_s
        return self._last_s + max(step_s, _SMALLEST_STEP_S)

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Decoded frames as upright BGR arrays, and presentation times that can be relied on."""

from __future__ import annotations

import struct
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from pose_resnet_ros.video.source import pyav

MAX_FPS = 1000.0  # a header that declares more is not believed
DEFAULT_FPS = 25.0
_SMALLEST_STEP_S = 1.0 / MAX_FPS
_LARGEST_STEP_BACK_S = 1.0  # further back is another time scale (a joined recording, a counter that restarted)
_MATRIX = struct.Struct("=9i")
_of_thread = threading.local()


@dataclass(frozen=True, eq=False)
class Frame:
    """One image of a source.

    bgr: (H, W, 3) uint8, upright; path: its file (of a webcam or a stream: a name for it); index: counted from 0 within the
    source; time_s: presentation time since the first frame, always growing, None for a still; page: of an image file with several
    pages, counted from 0, else None.
    """

    bgr: np.ndarray
    path: Path
    index: int
    time_s: float | None = None
    page: int | None = None

    @property
    def is_video(self) -> bool:
        """Whether it comes from a video, a webcam or a stream."""
        return self.time_s is not None


class UprightFrames:
    """Frames of one source as arrays, rotated by its display matrix, which not every frame repeats.

    Source: ISO/IEC 14496-12, 6.2.2; the matrix maps the coded image to the displayed one.
    """

    def __init__(self) -> None:
        self._matrix: tuple[int, ...] = ()

    def of(self, decoded: Any) -> np.ndarray:
        """decoded: a frame of PyAV; (H, W, 3) uint8 BGR."""
        declared = decoded.side_data.get("DISPLAYMATRIX")
        if declared is not None:
            self._matrix = _MATRIX.unpack(bytes(declared)[: _MATRIX.size])
        bgr = bgr_of(decoded)
        return rotated(bgr, self._matrix) if self._matrix else bgr


def bgr_of(decoded: Any) -> np.ndarray:
    """decoded: a frame of PyAV; (H, W, 3) uint8 BGR. Raises ValueError or PyAV's FFmpegError for an unknown pixel format.

    ``decoded.to_ndarray`` would make a converter for each frame, with threads that live until the frame is collected.
    """
    kind = tuple(getattr(decoded, name, None) for name in ("width", "height", "colorspace", "color_range"))
    if getattr(_of_thread, "kind", None) != (decoded.format.name, *kind):
        # PyAV 12 keeps the value range of the first kind of frames for all that follow.
        _of_thread.converter = pyav().video.reformatter.VideoReformatter()
        _of_thread.kind = (decoded.format.name, *kind)
    return np.asarray(_of_thread.converter.reformat(decoded, format="bgr24").to_ndarray())


def rotated(bgr: np.ndarray, matrix: tuple[int, ...]) -> np.ndarray:
    """The image as a display matrix shows it; matrix: a b u c d v x y w, of which a, b, c and d rotate in steps of 90 degrees."""
    a, b, _, c, d = matrix[:5]
    x_sign, y_sign = a, d
    if abs(b) > abs(a):
        bgr, x_sign, y_sign = cv2.transpose(bgr), c, b
    axis = {(True, True): -1, (True, False): 1, (False, True): 0}.get((x_sign < 0, y_sign < 0))
    return bgr if axis is None else cv2.flip(bgr, axis)


def believable(fps: float | None) -> float | None:
    """The rate of a header, None if it cannot be one."""
    return fps if fps is not None and 0.0 < fps <= MAX_FPS else None


class FrameTimes:
    """Seconds since the first frame, always growing.

    A frame comes one period after the last if its time is missing or jumps back, or if frames follow one another faster than
    MAX_FPS under a header whose rate is not believable.
    """

    def __init__(self, fps: float | None) -> None:
        """fps: of the header, None if it declares none."""
        self._has_rate = believable(fps) is not None
        self._period_s = 1.0 / (believable(fps) or DEFAULT_FPS)
        self._origin_s: float | None = None
        self._last_s: float | None = None

    def of(self, declared_s: float | None) -> float:
        """The time of the next frame, whose container declares declared_s."""
        self._last_s = self._next(declared_s)
        return self._last_s

    def _next(self, declared_s: float | None) -> float:
        if self._last_s is None:
            self._origin_s = declared_s
            return 0.0
        if declared_s is None:
            self._origin_s = None
            return self._last_s + self._period_s
        step_s = -float("inf") if self._origin_s is None else declared_s - self._origin_s - self._last_s
        if step_s < (-_LARGEST_STEP_BACK_S if self._has_rate else _SMALLEST_STEP_S):
            self._origin_s = declared_s - self._last_s - self._period_s
            return self._last_s + self._period_s
        return self._last_s + max(step_s, _SMALLEST_STEP_S)

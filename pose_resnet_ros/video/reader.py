# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Frames of a video file or a webcam."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from pose_resnet_ros.core.errors import SettingsError


@dataclass(frozen=True, eq=False)
class Frame:
    """bgr: (H, W, 3) uint8; index: counted from 0; time_s: since the first frame, None where the source does not tell."""

    bgr: np.ndarray
    index: int
    time_s: float | None


class VideoReader:
    """A video file or, where the source is a whole number, a webcam. Note that a webcam's read blocks for a frame time."""

    def __init__(self, source: str) -> None:
        """Raises SettingsError if it cannot be opened."""
        self.is_live = source.isdecimal()
        self._capture = cv2.VideoCapture(int(source) if self.is_live else source)
        if not self._capture.isOpened():
            what = (
                f"webcam {source} (is it plugged in, and free?)"
                if self.is_live
                else f"'{source}' as a video or an image"
            )
            raise SettingsError(f"source: OpenCV cannot open {what}")
        fps, count = self._capture.get(cv2.CAP_PROP_FPS), int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        self.fps = fps if fps > 0 else None
        self.length = count if count > 0 and not self.is_live else None
        self._next = 0

    def read(self) -> Frame | None:
        """The next frame, None at the end."""
        there, bgr = self._capture.read()
        if not there:
            return None
        index, self._next = self._next, self._next + 1
        return Frame(bgr, index, index / self.fps if self.fps and not self.is_live else None)

    def close(self) -> None:
        """Release the device or file."""
        self._capture.release()

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Frames into a video file."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from pose_resnet_ros.core.errors import SettingsError


class VideoWriter:
    """An MP4 of pictures of one size, that of the first; others are scaled to it."""

    def __init__(self, path: Path, fps: float) -> None:
        self.path = path
        self._fps = fps
        self._writer: cv2.VideoWriter | None = None
        self._size_wh = (0, 0)

    def write(self, image: np.ndarray) -> None:
        """Add a picture. Raises SettingsError if the video cannot be written."""
        if self._writer is None:
            self._size_wh = (image.shape[1], image.shape[0])
            fourcc = cv2.VideoWriter_fourcc(*"mp4v")  # type: ignore[attr-defined]
            self._writer = cv2.VideoWriter(str(self.path), fourcc, self._fps, self._size_wh)
            if not self._writer.isOpened():
                raise SettingsError(
                    f"output: cannot write {self.path} (disk full, no permission, or an OpenCV without MP4)"
                )
        if (image.shape[1], image.shape[0]) != self._size_wh:
            image = cv2.resize(image, self._size_wh)
        self._writer.write(image)

    def close(self) -> None:
        """Finish the file."""
        if self._writer is not None:
            self._writer.release()

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Pictures from a webcam, a video, an image or a folder of images, one after the other."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from pose_resnet_ros.core.errors import ImageError, SettingsError
from pose_resnet_ros.video.reader import VideoReader

IMAGE_SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp")


@dataclass(frozen=True, eq=False)
class Picture:
    """bgr: (H, W, 3) uint8; path: the file it comes from (a webcam's: its index); index: counted from 0 within the source;
    time_s: in a video, since its first frame; None where there is no such time.
    """

    bgr: np.ndarray
    path: Path
    index: int
    time_s: float | None = None


class Media(Protocol):
    """A source that was opened.

    fps: its own rate, None where it has none (stills); length: pictures, None if not known; is_live: a camera, whose pictures
    come when they are taken and end only when it fails.
    """

    fps: float | None
    length: int | None
    is_live: bool

    def read(self) -> Picture | None:
        """The next picture, None at the end. Raises ImageError for one that is damaged; the next call goes on after it."""

    def close(self) -> None:
        """Release the device or file."""


def open_media(source: str) -> Media:
    """Open a webcam's index ("0"), a video, an image or a folder (its images in order of their names).

    Raises SettingsError if there is no such source, if it is empty, or if OpenCV cannot open it.
    """
    if source.isdecimal():
        return Video(source)
    path = Path(os.path.expanduser(source))  # as the shell: the ~ of a user who is not there stays
    if path.is_dir():
        files = _images_of(path)
        if not files:
            raise SettingsError(
                f"source: no images in the folder {path} (looked for {', '.join(IMAGE_SUFFIXES)})"
            )
        return Stills(files)
    if not path.is_file():
        raise SettingsError(
            f"source: expected a webcam's index, a video, an image or a folder; there is no '{source}'"
        )
    return Stills([path]) if path.suffix.lower() in IMAGE_SUFFIXES else Video(str(path))


def _images_of(folder: Path) -> list[Path]:
    try:
        return sorted(file for file in folder.iterdir() if file.suffix.lower() in IMAGE_SUFFIXES)
    except OSError as error:
        raise SettingsError(f"source: cannot read the folder {folder}: {error.strerror}") from error


class Stills:
    """Image files in the order given."""

    fps: float | None = None
    is_live = False

    def __init__(self, files: list[Path]) -> None:
        self._files = files
        self._next = 0
        self.length: int | None = len(files)

    def read(self) -> Picture | None:
        if self._next == len(self._files):
            return None
        index, path = self._next, self._files[self._next]
        self._next += 1
        bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if bgr is None:
            raise ImageError(f"{path} is not an image that OpenCV can read")
        return Picture(bgr, path, index)

    def close(self) -> None:
        pass


class Video:
    """A video file or a webcam."""

    def __init__(self, source: str) -> None:
        """Raises SettingsError if it cannot be opened."""
        self._path, self._reader = Path(source), VideoReader(source)
        self.fps, self.length, self.is_live = self._reader.fps, self._reader.length, self._reader.is_live

    def read(self) -> Picture | None:
        frame = self._reader.read()
        return None if frame is None else Picture(frame.bgr, self._path, frame.index, frame.time_s)

    def close(self) -> None:
        self._reader.close()

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Pictures from a video, a webcam, a stream, an image or a folder of images, one after the other."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from pose_resnet_ros.core.errors import ImageError, SettingsError
from pose_resnet_ros.core.log import logger_of
from pose_resnet_ros.stills import StillImage, is_still
from pose_resnet_ros.video.live import LiveSettings
from pose_resnet_ros.video.opening import open_video
from pose_resnet_ros.video.source import Source, is_video_only

_log = logger_of(__name__)

_JPEG_FILMS = (".mjpg", ".mjpeg")  # JPEGs one after the other
# Files of these names are images, and damaged where they are none; of other files the content decides.
IMAGE_SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp")


@dataclass(frozen=True, eq=False)
class Picture:
    """bgr: (H, W, 3) uint8; path: the file it comes from (of a webcam or a stream: a name for it); index: counted from 0 within
    the source; time_s: of a frame of a video, a webcam or a stream, since the first one, None for a still; page: of an image file
    with several, counted from 0, else None.
    """

    bgr: np.ndarray
    path: Path
    index: int
    time_s: float | None = None
    page: int | None = None

    @property
    def is_frame(self) -> bool:
        """Whether it is one of a video, a webcam or a stream."""
        return self.time_s is not None


class Media(Protocol):
    """A source that was opened.

    fps: its own rate, None where it has none (stills); length: pictures, None if not known; is_live: a camera or a stream,
    whose pictures come when they are taken and end only when it fails.
    """

    fps: float | None
    length: int | None
    is_live: bool

    def read(self) -> Picture | None:
        """The next picture, None at the end. Raises ImageError for one that is damaged, or for an end that should not be; the
        next call goes on after it.
        """

    def close(self) -> None:
        """Release the device or file."""


def open_media(source: str, live: LiveSettings | None = None) -> Media:
    """Open a video, a webcam ("0" or /dev/video0), an address (rtsp, http), an image, or a folder (its images in order of their
    names). live: for webcams and addresses.

    Raises SettingsError if there is no such source, if it is empty, or if it cannot be opened.
    """
    if is_video_only(source):
        return Video(Source.of(source), live)
    files = still_files(source)
    return Stills(files) if files else Video(Source.of(os.path.expanduser(source)))


def readable_pictures(source: str) -> Iterator[Picture]:
    """The pictures of a source; damaged ones are passed over, with a warning in the log. Raises SettingsError as ``open_media``
    does.
    """
    with closing(open_media(source)) as media:
        while True:
            try:
                picture = media.read()
            except ImageError as error:
                _log.warning("passed over: %s", error)
                continue
            if picture is None:
                return
            yield picture


def still_files(source: str) -> list[Path]:
    """The image files of a source: itself, or those of a folder; none where it is a video, a webcam or a stream.

    Raises SettingsError if there is no such source, or if it is a folder without images.
    """
    if is_video_only(source):
        return []
    path = Path(os.path.expanduser(source))  # as the shell: the ~ of a user who is not there stays
    if path.is_dir():
        return _images_of(path)
    if not path.exists():
        raise SettingsError(
            f"source: expected a video, an image, a folder, a webcam's index or an address; there is no '{source}'"
        )
    if not path.is_file():
        raise SettingsError(f"source: expected a file or a folder; {source} is a pipe, a socket or a device")
    return [path] if _is_image(path) else []


def _images_of(folder: Path) -> list[Path]:
    """Hidden files are left out: macOS puts one beside each image."""
    try:
        files = [file for file in folder.iterdir() if not file.name.startswith(".") and not file.is_dir()]
    except OSError as error:
        raise SettingsError(f"source: cannot read the folder {folder}: {error.strerror}") from error
    images = sorted(filter(_is_image, files))
    if not images:
        raise SettingsError(f"source: no images in the folder {folder}")
    return images


def _is_image(path: Path) -> bool:
    suffix = path.suffix.lower()
    return suffix in IMAGE_SUFFIXES or (suffix not in _JPEG_FILMS and is_still(path))


class Stills:
    """Image files in the order given, page by page."""

    fps: float | None = None
    is_live = False

    def __init__(self, files: list[Path]) -> None:
        self._files = iter(enumerate(files))
        self._image: StillImage | None = None
        self._index = 0
        self._pages: list[int] = []  # of the image, those that are to come
        self.length: int | None = len(files)

    def read(self) -> Picture | None:
        if not self._pages:
            self._index, path = next(self._files, (0, None))
            if path is None:
                return None
            self._image = StillImage(path)
            self._pages = self._image.pages.copy()
        assert self._image is not None
        page = self._pages.pop(0)
        bgr = self._image.pixels(page)
        several = len(self._image.pages) > 1
        return Picture(bgr, self._image.path, self._index, page=page if several else None)

    def close(self) -> None:
        pass


class Video:
    """A video, a webcam or a stream. name: for the names of files made of it, without a suffix."""

    def __init__(self, source: Source, settings: LiveSettings | None = None) -> None:
        """Raises SettingsError if it cannot be opened."""
        self._reader = open_video(source, settings)
        self.fps, self.length, self.is_live = self._reader.fps, self._reader.length, self._reader.is_live
        self.name = source.name
        self._path = Path(source.name if is_video_only(source.text) else source.text)

    def read(self) -> Picture | None:
        frame = self._reader.read()
        return None if frame is None else Picture(frame.bgr, self._path, frame.index, frame.time_s)

    def close(self) -> None:
        self._reader.close()

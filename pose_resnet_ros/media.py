# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Frames from a video, a webcam, a stream, an image or a folder of images, one after the other."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Protocol

from pose_resnet_ros.core.errors import ImageError, SettingsError
from pose_resnet_ros.core.library_setup import logger_of
from pose_resnet_ros.stills import StillImage, is_still
from pose_resnet_ros.video.frames import Frame
from pose_resnet_ros.video.live import LiveReader, LiveSettings
from pose_resnet_ros.video.reader import VideoReader
from pose_resnet_ros.video.source import Source, is_video_only

_log = logger_of(__name__)

_MOTION_JPEG = (".mjpg", ".mjpeg")
# Files of these names are images (damaged, if they are none); for other files the content decides.
IMAGE_SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp")


class Media(Protocol):
    """An open source.

    fps: its own rate, None if it has none (stills); length: number of frames, None if unknown; is_live: a camera or a stream,
    whose frames come when they are taken and end only when it fails; name: for files made of a video, a webcam or a stream,
    without a suffix, None for stills.
    """

    fps: float | None
    length: int | None
    is_live: bool
    name: str | None

    def read(self) -> Frame | None:
        """The next frame, None at the end. Raises ImageError for a damaged one, or for an unexpected end; the next call continues
        after it.
        """

    def close(self) -> None:
        """Release the device or file."""


def open_media(source: str, live: LiveSettings | None = None) -> Media:
    """Open a video, a webcam ("0" or /dev/video0), an address (rtsp, http), an image, or a folder (its images in order of name).
    live: for webcams and addresses.

    Raises SettingsError if there is no such source, if it is empty, or if it cannot be opened.
    """
    if is_video_only(source):
        return open_video(Source.of(source), live)
    files = still_files(source)
    return Stills(files) if files else open_video(Source.of(os.path.expanduser(source)))


def open_video(source: Source, live: LiveSettings | None = None) -> VideoReader | LiveReader:
    """Open a file, a webcam or an address; the timeout of ``live`` holds for a video behind an address too.

    An address is a video if it announces a length, else live; rtsp is always live. Raises SettingsError if it cannot be opened.
    """
    live = live or LiveSettings()
    container = source.open(live.timeout_s)
    has_end = not source.scheme or (source.scheme in ("http", "https") and container.duration is not None)
    if has_end and not source.device:
        return VideoReader(source, container)
    return LiveReader(source, container, live)


def readable_frames(source: str) -> Iterator[Frame]:
    """The frames of a source without damaged ones, which are logged. Raises SettingsError as ``open_media`` does."""
    with closing(open_media(source)) as media:
        while True:
            try:
                frame = media.read()
            except ImageError as error:
                _log.warning("skipped: %s", error)
                continue
            if frame is None:
                return
            yield frame


def still_files(source: str) -> list[Path]:
    """The image files of a source: itself, or those of a folder; none where it is a video, a webcam or a stream.

    Raises SettingsError if there is no such source, or if it is a folder without images.
    """
    if is_video_only(source):
        return []
    path = Path(os.path.expanduser(source))  # as in the shell, an unknown user's ~ stays
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
    """Without hidden files: macOS puts one beside each image."""
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
    return suffix in IMAGE_SUFFIXES or (suffix not in _MOTION_JPEG and is_still(path))


class Stills:
    """Image files in the order given, page by page."""

    fps: float | None = None
    is_live = False
    name: str | None = None

    def __init__(self, files: list[Path]) -> None:
        self.length: int | None = len(files)
        self._files = iter(enumerate(files))
        self._pages: list[tuple[StillImage, int, int]] = []  # of the current image, those that are to come

    def read(self) -> Frame | None:
        if not self._pages:
            index, path = next(self._files, (0, None))
            if path is None:
                return None
            image = StillImage(path)
            self._pages = [(image, index, page) for page in image.pages]
        image, index, page = self._pages.pop(0)
        return Frame(image.pixels(page), image.path, index, page=page if len(image.pages) > 1 else None)

    def close(self) -> None:
        pass

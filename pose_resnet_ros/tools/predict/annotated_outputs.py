# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Where annotated images go: files, videos, or a window."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import cv2
import numpy as np

from pose_resnet_ros.core.errors import ImageError, SettingsError
from pose_resnet_ros.media import Media
from pose_resnet_ros.output_files import OutputGuard, write_whole
from pose_resnet_ros.video.frames import Frame
from pose_resnet_ros.video.writer import VideoWriter

_WRITABLE = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
VIDEO_SUFFIX = ".mp4"
_QUIT_KEYS = (ord("q"), 27)  # q and Escape


class Quit(Exception):  # noqa: N818 - no error: the user closed the window
    """The user asked the live window to end."""


class Sinks:
    """All outputs of annotated images; folder, window: None if nothing is to be written or shown."""

    def __init__(self, folder: ImageFolder | None, window: Window | None) -> None:
        self.folder = folder
        self._window = window
        self._media: Media | None = None
        self._videos: dict[str, VideoWriter] = {}

    def __bool__(self) -> bool:
        return self.folder is not None or self._window is not None

    def begin(self, media: Media) -> None:
        """The images that follow come from this source; the frames of a video or a camera become one video.

        Raises SettingsError if the videos before cannot be finished.
        """
        self._finish_videos()
        self._media = media

    def put(self, frame: Frame, images: Mapping[str, np.ndarray]) -> None:
        """Write and show what was drawn for one image; keys are added to the file's name.

        Raises SettingsError if it cannot be written, Quit if the user asked for the end.
        """
        for addition, image in images.items():
            self._write(frame, addition, image)
        if self._window is not None and not self._window.show(np.hstack(list(images.values()))):
            raise Quit

    def close(self) -> None:
        """Finish the videos and close the window. Raises SettingsError if a video cannot be finished."""
        try:
            self._finish_videos()
        finally:
            if self._window is not None:
                self._window.close()

    def _write(self, frame: Frame, addition: str, image: np.ndarray) -> None:
        if self.folder is None:
            return
        if self._media is None or self._media.name is None:
            page = "" if frame.page is None else f"_page{frame.page}"
            self.folder.write_image(f"{frame.path.stem}{page}{addition}{frame.path.suffix}", image)
            return
        if addition not in self._videos:
            self._videos[addition] = self.folder.video(self._media.name + addition, self._media.fps)
        self._videos[addition].write(image, frame.time_s or 0.0)

    def _finish_videos(self) -> None:
        with ExitStack() as last:  # all of them, also where one cannot be finished
            for video in self._videos.values():
                last.callback(video.close)
            self._videos = {}


class ImageFolder:
    """Images and videos in a folder, under their own names; a name that is taken in this run gets a number."""

    def __init__(self, folder: Path, guard: OutputGuard | None = None) -> None:
        """guard: knows the inputs, which are not written over. Raises SettingsError if the folder cannot be made."""
        self.folder = folder
        self._guard = guard or OutputGuard()
        self._taken: set[str] = set()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(f"output: cannot make the folder {folder}: {error.strerror}") from error

    def write_image(self, name: str, image: np.ndarray) -> Path:
        """Raises SettingsError if the file cannot be written, ImageError if its format cannot hold the image."""
        path = self._free(*os.path.splitext(image_name(name)))
        try:
            done, data = cv2.imencode(path.suffix.lower(), image)
        except cv2.error as error:
            raise ImageError(f"output: {path}: cannot be encoded: {error}") from error
        if not done:
            raise ImageError(f"output: {path}: cannot be encoded in this format")
        write_whole(path, data.tobytes(), name="output")
        return path

    def video(self, stem: str, fps: float | None) -> VideoWriter:
        """An MP4 file for the frames to come."""
        return VideoWriter(self._free(stem, VIDEO_SUFFIX), fps)

    def _free(self, stem: str, suffix: str) -> Path:
        name, number = stem + suffix, 1
        while name in self._taken:
            number += 1
            name = f"{stem}_{number}{suffix}"
        self._taken.add(name)
        self._guard.claim("output", self.folder / name)
        return self.folder / name


def image_name(name: str) -> str:
    """What an annotated image file is called: as its input, or with .png where that format is not written."""
    stem, suffix = os.path.splitext(name)
    return name if suffix.lower() in _WRITABLE else f"{stem}.png"


class Window:
    """A window on the screen."""

    def __init__(self, title: str) -> None:
        """Raises SettingsError where there is no display, or where OpenCV was built without windows."""
        on_linux = sys.platform.startswith("linux")
        if on_linux and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            raise SettingsError("show: there is no display (DISPLAY and WAYLAND_DISPLAY are not set); use --output instead")
        self._title = title
        try:
            cv2.namedWindow(title, cv2.WINDOW_NORMAL)
        except cv2.error as error:
            raise SettingsError(
                "show: this OpenCV cannot open windows (a headless build); use --output, or another build:"
                " pip uninstall opencv-python-headless && pip install opencv-python"
            ) from error

    def show(self, image: np.ndarray) -> bool:
        """Show an image; False when the user pressed q or Escape, or closed the window."""
        cv2.imshow(self._title, image)
        pressed = cv2.waitKey(1) & 0xFF
        return pressed not in _QUIT_KEYS and cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) > 0

    def close(self) -> None:
        """Close the window."""
        cv2.destroyWindow(self._title)

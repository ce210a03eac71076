# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""What a source's name means, and how PyAV (FFmpeg for Python) opens it."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pose_resnet_ros.core.errors import SettingsError

SCHEMES = ("rtsp", "rtsps", "http", "https")
_OPEN_TIMEOUT_S = 10.0  # a stream is also looked into before it is open
OLDEST_PYAV = 12  # earlier ones cannot read the rotation that a phone writes into its videos
_INSTALL = "pip install 'av>=12' (on Ubuntu 26.04 also: apt install python3-av)"
_OPTIONS = {"rtsp": {"rtsp_flags": "prefer_tcp"}, "rtsps": {"rtsp_flags": "prefer_tcp"}}


@dataclass(frozen=True)
class Source:
    """One video, webcam or stream. text: as given; scheme: of an address, else ""; device: a webcam's file, else ""."""

    text: str
    scheme: str
    device: str

    @classmethod
    def of(cls, text: str) -> Source:
        """Raises SettingsError for an address that is none of SCHEMES."""
        if device := _device(text):
            return cls(text, "", device)
        scheme = text.partition("://")[0].lower() if is_address(text) else ""
        if scheme and scheme not in SCHEMES:
            raise SettingsError(f"source: expected an address with {', '.join(SCHEMES)}, got {scheme}://")
        return cls(text, scheme, "")

    @property
    def label(self) -> str:
        """For messages: an address without the user's name, password and query."""
        if not self.scheme:
            return f"webcam {self.text}" if self.device else self.text
        parts = urlsplit(self.text)
        return f"{self.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

    @property
    def name(self) -> str:
        """For the names of files made of it, without a suffix."""
        if self.device:
            return f"webcam{self.text}" if self.text.isdecimal() else Path(self.device).name
        if not self.scheme:
            return Path(self.text).stem
        return re.sub(r"[^\w.-]+", "_", self.label.partition("://")[2]).strip("_.")

    @property
    def path(self) -> Path:
        """The file, or a name for what is none."""
        return Path(self.name if self.scheme or self.device else self.text)

    def open(self, timeout_s: float) -> Any:
        """A container of PyAV with at least one video stream; timeout_s: for every read of a stream.

        Raises SettingsError if it cannot be opened.
        """
        av = pyav()
        try:
            container = av.open(self._url(), **self._arguments(timeout_s))
        except (av.error.FFmpegError, OSError) as error:
            raise SettingsError(f"source: cannot open {self.label}{self._kind}: {reason_of(error)}") from error
        if not container.streams.video:
            container.close()
            raise SettingsError(f"source: cannot open {self.label}{self._kind}: it has no video stream")
        return container

    @property
    def _kind(self) -> str:
        return "" if self.scheme else " (is it plugged in, and free?)" if self.device else " as a video"

    def _url(self) -> str:
        if self.device:
            return self.device
        return self.text if self.scheme else f"file:{self.text}"  # a name may have a colon in it

    def _arguments(self, timeout_s: float) -> dict[str, Any]:
        if self.device:
            return {"format": "avfoundation" if sys.platform == "darwin" else "v4l2"}
        if not self.scheme:
            return {}
        return {"timeout": (max(_OPEN_TIMEOUT_S, timeout_s), timeout_s), "options": dict(_OPTIONS.get(self.scheme, {}))}


def pyav(needed_by: str = "source: videos, webcams and streams") -> Any:
    """The module ``av``. Raises SettingsError, which says how to install it, if it is missing or too old."""
    try:
        import av
        import av.logging
    except ImportError as error:
        raise SettingsError(f"{needed_by} need the package av (PyAV): {_INSTALL}") from error
    if int(av.__version__.partition(".")[0]) < OLDEST_PYAV:
        raise SettingsError(
            f"{needed_by} need the package av (PyAV) in version {OLDEST_PYAV} or newer, got {av.__version__}: {_INSTALL}"
        )
    if av.logging.get_level() is not None:  # up to PyAV 13 FFmpeg's own messages go to stderr
        av.logging.set_level(av.logging.PANIC)
    return av


def reason_of(error: Exception) -> str:
    """What FFmpeg or the system says, in a few words, without file names or addresses (which may hold a password)."""
    if type(error).__name__ == "ExitError":
        return "timed out"
    return getattr(error, "strerror", None) or type(error).__name__


def is_address(text: str) -> bool:
    """Whether it is written as scheme://..."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text) is not None


def is_video_only(text: str) -> bool:
    """Whether it can be nothing but a webcam or a stream, whatever files there are."""
    return bool(_device(text)) or is_address(text)


def label_of(text: str) -> str:
    """Any source for messages: an address without the user's name, password and query."""
    return Source.of(text).label if is_video_only(text) else text


def _device(text: str) -> str:
    """The device that a webcam's number or file stands for; "" if it is none."""
    if text.isdecimal():
        return text if sys.platform == "darwin" else f"/dev/video{text}"
    return text if text.startswith(("/dev/video", "/dev/v4l/")) else ""

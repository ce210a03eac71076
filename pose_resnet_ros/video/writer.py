# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Frames into an MP4 file that browsers play."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from pose_resnet_ros.core.errors import SettingsError
from pose_resnet_ros.video.frames import DEFAULT_FPS
from pose_resnet_ros.video.source import pyav, reason_of

TIME_BASE = Fraction(1, 90_000)
_BT601 = {"colorspace": "smpte170m", "color_primaries": "smpte170m", "color_trc": "smpte170m"}  # swscale's matrix
# H.264 if FFmpeg was built with an encoder for it, else VP9. Frames are never reordered, so that every time is as given.
_ENCODERS: dict[str, dict[str, str]] = {
    "libx264": {"preset": "veryfast", "crf": "20", "bf": "0"},
    "libopenh264": {"b": "8M"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "6", "crf": "28", "b": "0", "row-mt": "1"},
}


class VideoWriter:
    """A video of its first frame's size (an odd side is made even by repeating the last row or column); other frames are scaled
    to it. The file appears only when it is complete (``close``).
    """

    def __init__(self, path: Path, fps: float | None = None) -> None:
        """fps: the source's nominal rate; the last frame is shown for one period of it."""
        self.path = path
        self._part = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
        self._fps = fps or DEFAULT_FPS
        self._container: Any = None
        self._stream: Any = None
        self._size_wh = (0, 0)
        self._last_tick = -1

    def write(self, image: np.ndarray, time_s: float) -> None:
        """Add a frame, (H, W, 3) uint8 BGR, that is shown from time_s, which grows from frame to frame.

        Raises SettingsError if it cannot be written; nothing is left of the video then.
        """
        with self._whole_or_nothing():
            if self._container is None:
                self._open(image.shape[1::-1])
            self._last_tick = max(round(time_s / TIME_BASE), self._last_tick + 1)
            self._container.mux(self._stream.encode(self._encodable(image)))

    def close(self) -> None:
        """Finish the video and move it to its place. Raises SettingsError if that fails; nothing is left of it then."""
        if self._container is None:
            self._part.unlink(missing_ok=True)  # its beginning was interrupted
            return
        with self._whole_or_nothing():
            container, self._container = self._container, None
            container.mux(self._stream.encode())
            container.close()
            self._part.replace(self.path)

    def discard(self) -> None:
        """Leave nothing behind."""
        if self._container is not None:
            with contextlib.suppress(Exception):  # it failed before; what is left of it is unlinked now
                self._container.close()
            self._container = None
        self._part.unlink(missing_ok=True)

    def _open(self, size_wh: tuple[int, ...]) -> None:
        self._part.touch()  # else a folder that cannot be written is found only many frames later
        self._size_wh = size_wh[0], size_wh[1]
        self._container = pyav().open(f"file:{self._part}", "w", format="mp4", options={"movflags": "+faststart"})
        self._stream = _add_stream(self._container, self._size_wh, self._fps)

    def _encodable(self, image: np.ndarray) -> Any:
        if image.shape[1::-1] != self._size_wh:
            image = cv2.resize(image, self._size_wh)
        height, width = image.shape[:2]
        even = cv2.copyMakeBorder(image, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
        frame = pyav().VideoFrame.from_ndarray(even, format="bgr24").reformat(format="yuv420p")
        frame.pts, frame.time_base = self._last_tick, TIME_BASE
        return frame

    @contextlib.contextmanager
    def _whole_or_nothing(self) -> Iterator[None]:
        av = pyav()
        try:
            yield
        except SettingsError:
            self.discard()
            raise
        except (OSError, av.error.FFmpegError) as error:
            self.discard()
            raise SettingsError(f"output: cannot write {self.path}: {reason_of(error)}") from error


def _add_stream(container: Any, size_wh: tuple[int, int], fps: float) -> Any:
    """A stream with the first encoder that works. Raises SettingsError if there is none."""
    av = pyav()
    for name, options in _ENCODERS.items():
        try:
            av.codec.Codec(name, "w")
        except ValueError:  # av's UnknownCodecError
            continue
        stream = container.add_stream(name, rate=Fraction(fps).limit_denominator(1001))
        stream.width, stream.height = (side + side % 2 for side in size_wh)
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = TIME_BASE
        stream.options = {**options, **_BT601}
        return stream
    raise SettingsError(f"output: this FFmpeg has no encoder for videos; expected one of {', '.join(_ENCODERS)}")

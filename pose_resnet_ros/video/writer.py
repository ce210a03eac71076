# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Frames into an MP4 file that browsers play."""

from __future__ import annotations

import contextlib
import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from pose_resnet_ros.core.errors import SettingsError
from pose_resnet_ros.video.library import pyav, reason_of
from pose_resnet_ros.video.times import DEFAULT_FPS

TIME_BASE = Fraction(1, 90_000)
_BT601 = {"colorspace": "smpte170m", "color_primaries": "smpte170m", "color_trc": "smpte170m"}  # swscale's matrix
# H.264 where FFmpeg was built with an encoder for it, else VP9. Frames are never reordered: every time is then as given.
_ENCODERS: dict[str, dict[str, str]] = {
    "libx264": {"preset": "veryfast", "crf": "20", "bf": "0"},
    "libopenh264": {"b": "8M"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "6", "crf": "28", "b": "0", "row-mt": "1"},
}


class VideoWriter:
    """A film of pictures of one size, that of the first (made even: an odd one gets a copy of its last row or column); others
    are scaled to it. It stands in its place only when it is complete (``close``).
    """

    def __init__(self, path: Path, fps: float | None = None) -> None:
        """fps: the source's nominal rate; the last picture is shown for one period of it."""
        self.path = path
        self._part = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
        self._fps = fps or DEFAULT_FPS
        self._film: _Film | None = None

    def write(self, image: np.ndarray, time_s: float) -> None:
        """Add a picture, (H, W, 3) uint8 BGR, that is shown from time_s, later than the last one's, to the next one's.

        Raises SettingsError if it cannot be written; nothing is left of the film then.
        """
        with self._whole_or_nothing():
            if self._film is None:
                self._part.touch()  # else a folder that cannot be written is found only many frames later
                self._film = _Film(self._part, image.shape[1::-1], self._fps)
            self._film.add(image, round(time_s / TIME_BASE))

    def close(self) -> None:
        """Finish the film and put it into its place. Raises SettingsError if that fails; nothing is left of it then."""
        if self._film is None:
            self._part.unlink(missing_ok=True)  # of a film whose beginning was interrupted
            return
        with self._whole_or_nothing():
            film, self._film = self._film, None
            film.finish()
            self._part.replace(self.path)

    def discard(self) -> None:
        """Leave nothing behind."""
        if self._film is not None:
            with contextlib.suppress(Exception):  # it failed before; what is left of it is unlinked now
                self._film.abandon()
            self._film = None
        self._part.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _whole_or_nothing(self) -> Any:
        av = pyav()
        try:
            yield
        except SettingsError:
            self.discard()
            raise
        except (OSError, av.error.FFmpegError) as error:
            self.discard()
            raise SettingsError(f"output: cannot write {self.path}: {reason_of(error)}") from error


class _Film:
    """An open container with its encoder."""

    def __init__(self, path: Path, size_wh: tuple[int, int], fps: float) -> None:
        self._size_wh = size_wh
        self._last_tick = -1
        self._container = pyav().open(f"file:{path}", "w", format="mp4", options={"movflags": "+faststart"})
        self._stream = _add_stream(self._container, size_wh, fps)

    def add(self, image: np.ndarray, tick: int) -> None:
        if image.shape[1::-1] != self._size_wh:
            image = cv2.resize(image, self._size_wh)
        height, width = image.shape[:2]
        even = cv2.copyMakeBorder(image, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
        frame = pyav().VideoFrame.from_ndarray(even, format="bgr24").reformat(format="yuv420p")
        self._last_tick = max(tick, self._last_tick + 1)
        frame.pts, frame.time_base = self._last_tick, TIME_BASE
        self._container.mux(self._stream.encode(frame))

    def finish(self) -> None:
        self._container.mux(self._stream.encode())
        self._container.close()

    def abandon(self) -> None:
        self._container.close()


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

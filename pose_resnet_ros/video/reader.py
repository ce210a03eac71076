# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""All frames of a video in order, and whether it is complete."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pose_resnet_ros.core.errors import IncompleteVideoError
from pose_resnet_ros.video.frames import DEFAULT_FPS, MAX_FPS, Frame, FrameTimes, UprightFrames, believable
from pose_resnet_ros.video.source import Source, pyav, reason_of

# Formats without a frame count that declare a duration; for others FFmpeg guesses it from the file's size.
_TELL_DURATION = ("matroska", "flv", "asf")


class VideoReader:
    """A video in a file or behind an address, from its beginning to its end.

    fps: nominal rate, None if the header has no believable one; length: announced number of frames, None if unknown;
    name: for files made of it.
    """

    is_live = False

    def __init__(self, source: Source, container: Any) -> None:
        """container: of ``Source.open``; it is closed with the reader."""
        self._source, self._container = source, container
        self.name: str | None = source.name
        self._stream = container.streams.video[0]
        self._stream.thread_type = "SLICE"  # threads by frame lose whole frames beside a damaged one
        self._mean_fps = float(self._stream.average_rate or 0.0)
        self.fps = _nominal_fps(self._mean_fps, float(self._stream.base_rate or 0.0))
        self._announced_s = _announced_s(container, self._stream)
        announced = round((self._announced_s or 0.0) * (believable(self._mean_fps) or 0.0))
        self.length: int | None = announced or self._stream.frames or None
        self._frames = self._decode()
        self._read = 0
        self._damage = _Damage()
        self._has_complained = False

    def read(self) -> Frame | None:
        """The next frame, None at the end. Damaged frames are skipped.

        Raises IncompleteVideoError once, at the end, if some were damaged or if there should have been more.
        """
        frame = next(self._frames, None)
        if frame is None and not self._has_complained:
            self._has_complained = True
            self._complain()
        return frame

    def close(self) -> None:
        """Release the file."""
        self._container.close()

    def _decode(self) -> Iterator[Frame]:
        times, upright = FrameTimes(self._mean_fps), UprightFrames()
        for packet in self._packets():
            for decoded in self._frames_of(packet):
                if decoded.is_corrupt:
                    self._damage.frames += 1
                    continue
                time_s = times.of(decoded.time)
                self._read += 1
                yield Frame(upright.of(decoded), self._source.path, self._read - 1, time_s)

    def _packets(self) -> Iterator[Any]:
        av = pyav()
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except (av.error.FFmpegError, OSError) as error:
                self._damage.end = reason_of(error)
                return
            if packet is None:
                return
            self._damage.take(packet)
            yield packet

    def _frames_of(self, packet: Any) -> list[Any]:
        av = pyav()
        try:
            return packet.decode()
        except av.error.EOFError:
            return []
        except (av.error.FFmpegError, OSError):
            self._damage.frames += 1
            return []

    def _complain(self) -> None:
        """Raises IncompleteVideoError if the video is not whole."""
        damage, source = self._damage, self._source.label
        until_s = damage.until_s - damage.from_s if damage.packets else 0.0
        is_short = self._announced_s is not None and until_s < self._announced_s - self._tolerance_s()
        if self._stream.frames:
            is_short = is_short and damage.packets < self._stream.frames
        if not (is_short or damage.end or damage.frames or damage.is_cut):
            return
        announced = f" of {self._stream.frames}" if self._stream.frames else ""
        seconds = f", {until_s:.1f} of {self._announced_s:.1f} s" if self._announced_s else ""
        left_out = f"; damaged and skipped: {damage.frames}" if damage.frames else ""
        why = f" ({damage.end})" if damage.end else ""
        raise IncompleteVideoError(f"{source} is cut off or damaged: {self._read}{announced} frames read{seconds}{left_out}{why}")

    def _tolerance_s(self) -> float:
        is_own = self._stream.frames or _declared_duration_s(self._stream) or len(self._container.streams) == 1
        if not is_own:
            return 1.0  # sound may be longer than the video
        return 0.75 / (believable(self._mean_fps) or DEFAULT_FPS)


class _Damage:
    """Damage found so far. end: why reading ended early; from_s, until_s: the time that packets cover."""

    def __init__(self) -> None:
        self.packets = self.frames = 0
        self.is_cut = False
        self.end = ""
        self.from_s = float("inf")
        self.until_s = -float("inf")

    def take(self, packet: Any) -> None:
        if not packet.size:
            return  # the last one, which tells the decoder to give out what it still has
        self.packets += 1
        self.is_cut |= packet.is_corrupt
        if packet.pts is not None:
            begin_s = float(packet.pts * packet.time_base)
            self.from_s = min(self.from_s, begin_s)
            self.until_s = max(self.until_s, begin_s + float((packet.duration or 0) * packet.time_base))


def _nominal_fps(mean: float, base: float) -> float | None:
    """The rate at which most frames follow one another. base: FFmpeg's guess at it, sometimes the clock's tick instead."""
    return base if 0.0 < base < 2.0 * mean <= 2.0 * MAX_FPS else believable(mean)


def _announced_s(container: Any, stream: Any) -> float | None:
    """How long the video should be; None if only the file's size could tell."""
    if stream.frames and stream.duration and "mp4" in container.format.name:
        return float(stream.duration * stream.time_base)  # of what its edit list shows
    if stream.frames and stream.average_rate:
        return stream.frames / float(stream.average_rate)
    if not any(name in container.format.name for name in _TELL_DURATION):
        return None
    declared_s = _declared_duration_s(stream)
    return declared_s or (container.duration / 1e6 if container.duration else None)


def _declared_duration_s(stream: Any) -> float | None:
    """Matroska's tag of the one stream: HH:MM:SS.fraction."""
    for name, text in stream.metadata.items():
        match = re.fullmatch(r"(\d+):(\d+):(\d+(?:\.\d+)?)", text.strip())
        if match and name.upper().startswith("DURATION"):
            hours, minutes, seconds = match.groups()
            return 3600.0 * int(hours) + 60.0 * int(minutes) + float(seconds)
    return None

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The newest frame of a webcam or a stream: nothing queues, and a lost source is opened again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from pose_resnet_ros.core.errors import ImageError, SettingsError
from pose_resnet_ros.video.frames import Frame, UprightFrames, believable
from pose_resnet_ros.video.source import Source, pyav, reason_of

_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 10.0
_JOIN_S = 0.2
_LOOK_S = 0.1  # short, so that a signal is seen
_GRACE_S = 1.0  # FFmpeg itself ends the reading of a stream after timeout_s; of a device it does not


@dataclass(frozen=True)
class LiveSettings:
    """timeout_s: without a frame for so long, the source is lost; reconnect_s: how long to try to open it again, 0: not at all;
    tell: takes a sentence about each loss and each return, from another thread.
    """

    timeout_s: float = 5.0
    reconnect_s: float = 0.0
    tell: Callable[[str], None] = lambda _: None


class LiveReader:
    """A webcam or a stream, read on a thread of its own, so that an old frame never waits in a buffer for a slow reader.

    fps: the declared rate, None if there is none; name: for files made of it.
    """

    is_live = True
    length: int | None = None

    def __init__(self, source: Source, container: Any, settings: LiveSettings) -> None:
        """container: of ``Source.open``; the thread closes it."""
        self._source, self._settings = source, settings
        self.name: str | None = source.name
        rate = container.streams.video[0].average_rate
        self.fps = believable(float(rate) if rate else None)
        self._upright = UprightFrames()
        self._first_s: float | None = None
        self._count = 0
        self._has_failed = False
        self._slot = _Slot()
        self._link = _Link(source, container, settings, self._slot)
        self._link.start()

    def read(self) -> Frame | None:
        """The newest frame that was not read yet, waiting for it; None after the end.

        Raises ImageError once, at the end: for a webcam or a stream every end is a failure.
        """
        newest = self._slot.take(self._settings.timeout_s)
        if newest is not None:
            return self._frame(*newest)
        if self._has_failed:
            return None
        self._has_failed = True
        raise ImageError(f"{self._source.label} ended after {self._count} frames: {self._slot.end}")

    def close(self) -> None:
        """End the thread; a device that hangs is left to it."""
        self._link.stopping.set()
        self._link.join(_JOIN_S)

    def _frame(self, decoded: Any, arrived_s: float) -> Frame:
        if self._first_s is None:
            self._first_s = arrived_s
        self._count += 1
        return Frame(self._upright.of(decoded), self._source.path, self._count - 1, arrived_s - self._first_s)


class _Slot:
    """The newest frame. end: why no more will come, "" as long as more may come."""

    def __init__(self) -> None:
        self._news = threading.Condition()
        self._newest: tuple[Any, float] | None = None
        self._waiting_since_s: float | None = time.monotonic()
        self.end = ""

    def put(self, decoded: Any) -> None:
        """decoded: a frame of PyAV; replaces one that was not taken."""
        with self._news:
            self._waiting_since_s = time.monotonic()
            self._newest = decoded, self._waiting_since_s
            self._news.notify()

    def lose(self) -> None:
        """No frame will come until the source is open again, however long that takes."""
        with self._news:
            self._waiting_since_s = None

    def finish(self, reason: str) -> None:
        """No frame will come any more."""
        with self._news:
            self.end = self.end or reason
            self._news.notify()

    def take(self, timeout_s: float) -> tuple[Any, float] | None:
        """The newest frame and its time of arrival (monotonic), when there is one; None at the end, or if a device hangs."""
        with self._news:
            while self._newest is None and not self.end:
                self._news.wait(_LOOK_S)
                since_s = self._waiting_since_s
                if since_s is not None and time.monotonic() - since_s > timeout_s + _GRACE_S:
                    self.end = f"no frame for {timeout_s:g} s"
            newest, self._newest = self._newest, None
            return newest


class _Link(threading.Thread):
    """Fills the slot until it is stopped, and opens a lost source again, at growing intervals."""

    def __init__(self, source: Source, container: Any, settings: LiveSettings, slot: _Slot) -> None:
        super().__init__(name="live_reader", daemon=True)
        self.stopping = threading.Event()
        self._source, self._container, self._settings, self._slot = source, container, settings, slot
        self._lost_s: float | None = None
        self._pause_s = _FIRST_PAUSE_S

    def run(self) -> None:
        container: Any = self._container
        try:
            while container is not None:
                with closing(container):
                    reason = self._read(container)
                container = self._reopen(reason)
        except Exception as error:  # noqa: BLE001 - the end of a thread must reach the reader
            self._slot.finish(str(error))

    def _read(self, container: Any) -> str:
        """Put all frames into the slot until the source is lost; the reason."""
        av = pyav()
        came_s = time.monotonic()
        try:
            for packet in container.demux(container.streams.video[0]):
                for decoded in self._decoded(packet):
                    came_s = time.monotonic()
                    self._slot.put(decoded)
                    self._note_return()
                if self.stopping.is_set():
                    return "stopped"
                if time.monotonic() - came_s > self._settings.timeout_s:
                    return f"no frame for {self._settings.timeout_s:g} s"
        except (av.error.FFmpegError, OSError) as error:
            return reason_of(error)
        return "the sender closed it"

    def _decoded(self, packet: Any) -> list[Any]:
        av = pyav()
        try:
            return [decoded for decoded in packet.decode() if not decoded.is_corrupt]
        except (av.error.FFmpegError, OSError):
            return []  # a packet was lost or damaged on the way; the next key frame repairs it

    def _reopen(self, reason: str) -> Any:
        """The source, open again; None if that is not wanted or does not succeed in time."""
        if self._lost_s is None and self._settings.reconnect_s and not self.stopping.is_set():
            self._lost_s = time.monotonic()
            self._slot.lose()
            self._settings.tell(f"{self._source.label} is lost: {reason}; trying again for {self._settings.reconnect_s:g} s")
        while self._lost_s is not None and time.monotonic() - self._lost_s < self._settings.reconnect_s:
            pause_s, self._pause_s = self._pause_s, min(2 * self._pause_s, _LONGEST_PAUSE_S)
            if self.stopping.wait(pause_s):
                break
            try:
                return self._source.open(self._settings.timeout_s)
            except SettingsError as error:
                reason = str(error)
        self._slot.finish(reason)
        return None

    def _note_return(self) -> None:
        """A frame has come: a lost source is back."""
        if self._lost_s is not None:
            self._settings.tell(f"{self._source.label} is back after {time.monotonic() - self._lost_s:.1f} s")
        self._lost_s, self._pause_s = None, _FIRST_PAUSE_S

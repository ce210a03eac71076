# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""A worker that always works on the newest frame.

One slot, no queue: ``put`` replaces whatever still waits there, and the worker takes what it finds. So a frame waits for at
most one call of the handler, however slow that is and however fast the frames come. No ROS in here.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Frame(Generic[T]):
    """A message and when it was received, in seconds of the monotonic clock."""

    message: T
    received_s: float

    def age_ms(self) -> float:
        """Milliseconds since receipt."""
        return (time.monotonic() - self.received_s) * 1e3


class LatestWorker(Generic[T]):
    """A thread that hands the newest frame to ``handle``, one at a time.

    handle: called on the worker's thread; it deals with its own errors (an exception that leaves it ends the worker).
    on_stale: called once for each frame that never reaches ``handle``: replaced by a newer one, or older than the limit.
    on_idle: called on the worker's thread each time it has nothing more to do.
    max_age_ms: gives the limit since receipt, asked for each frame so that it can change; 0 means no limit.
    """

    def __init__(
        self,
        handle: Callable[[Frame[T]], None],
        *,
        on_stale: Callable[[], None],
        on_idle: Callable[[], None],
        max_age_ms: Callable[[], float],
    ) -> None:
        self._handle = handle
        self._on_stale = on_stale
        self._on_idle = on_idle
        self._max_age_ms = max_age_ms
        self._changed = threading.Condition()
        self._waiting: Frame[T] | None = None
        self._stopping = False
        self._idle = False
        self._thread = threading.Thread(target=self._work, name="pose_worker", daemon=True)

    def start(self) -> None:
        """Start the thread; a worker is started once."""
        self._thread.start()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    @property
    def idle(self) -> bool:
        """Whether a frame would be taken at once."""
        return self._idle

    def put(self, message: T, received_s: float | None = None) -> None:
        """Leave a frame for the worker; returns at once. received_s: of the monotonic clock, now if None."""
        with self._changed:
            replaced = self._waiting is not None
            self._waiting = Frame(message, time.monotonic() if received_s is None else received_s)
            self._idle = False
            self._changed.notify()
        if replaced:
            self._on_stale()

    def stop(self, *, timeout_s: float) -> bool:
        """Finish the call in progress, take no further frame; False if that took longer than ``timeout_s``."""
        with self._changed:
            self._stopping = True
            self._idle = False
            self._waiting = None
            self._changed.notify()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _work(self) -> None:
        while (frame := self._take()) is not None:
            limit_ms = self._max_age_ms()
            if limit_ms and frame.age_ms() > limit_ms:
                self._on_stale()
            else:
                self._handle(frame)

    def _take(self) -> Frame[T] | None:
        with self._changed:
            self._idle = self._waiting is None and not self._stopping
        if self._idle:
            self._on_idle()
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or self._waiting is not None)
            frame, self._waiting = self._waiting, None
            return None if self._stopping else frame

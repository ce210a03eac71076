# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""One thread that serves every camera in turn, each with its newest frame. No ROS in here.

A camera has one slot and no queue: a new frame replaces the one that still waits there. So a frame waits for one round of the
cameras at most, however slow their handlers are and however fast frames arrive.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, eq=False)
class InputFrame:
    """An image message on its way to the worker.

    received_s: time of receipt, of the monotonic clock; boxes: the detections message of the same stamp, None: none is needed.
    """

    image: Any
    received_s: float
    boxes: Any = None

    def age_ms(self) -> float:
        """Milliseconds since receipt."""
        return (time.monotonic() - self.received_s) * 1e3


class FrameSlot:
    """One camera's place at the worker. Made by ``FrameWorker.add``."""

    def __init__(
        self,
        worker: FrameWorker,
        handle: Callable[[InputFrame], None],
        on_stale: Callable[[], None],
        on_wanted: Callable[[], None],
        max_age_ms: Callable[[], float],
    ) -> None:
        self.handle, self.on_stale, self.on_wanted, self.max_age_ms = handle, on_stale, on_wanted, max_age_ms
        self.waiting: InputFrame | None = None
        self.missed_turn = False  # had no frame when its turn came, nor since
        self._worker = worker

    @property
    def is_wanted(self) -> bool:
        """Whether a frame would be of use now: the worker is idle, this camera's turn comes next, or it missed its turn."""
        return self._worker.wants(self)

    def put(self, frame: InputFrame) -> None:
        """Leave a frame for the worker; returns at once. From any thread."""
        if self._worker.leave(self, frame):
            self.on_stale()


class FrameWorker:
    """Serves the slots from its own thread, round robin. The slots are added before it starts.

    The camera whose last turn was longest ago is next. One that has no frame then is passed over until it sends one.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._turns: deque[FrameSlot] = deque()  # the next one first
        self._serving: FrameSlot | None = None
        self._stopping = False
        self._idle = False
        self._thread = threading.Thread(target=self._work, name="pose_worker", daemon=True)

    def add(
        self,
        handle: Callable[[InputFrame], None],
        *,
        on_stale: Callable[[], None],
        on_wanted: Callable[[], None],
        max_age_ms: Callable[[], float],
    ) -> FrameSlot:
        """A slot for one more camera.

        handle: called on the worker's thread; deals with its own errors (an exception that leaves it ends the worker). on_stale:
        called for each frame that never reaches ``handle``: replaced by a newer one, or older than the limit. on_wanted: called
        on the worker's thread when ``is_wanted`` becomes true. max_age_ms: gives the limit since receipt, asked for each frame;
        0: no limit.
        """
        slot = FrameSlot(self, handle, on_stale, on_wanted, max_age_ms)
        self._turns.append(slot)
        return slot

    def start(self) -> None:
        """Start the thread; a worker is started once."""
        self._thread.start()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def wants(self, slot: FrameSlot) -> bool:
        """As ``FrameSlot.is_wanted``."""
        if self._idle:
            return True
        with self._changed:
            return self._serving not in (None, slot) and (slot.missed_turn or slot is self._next_in_line())

    def leave(self, slot: FrameSlot, frame: InputFrame) -> bool:
        """Put the frame into the slot; whether it replaced another one."""
        with self._changed:
            replaced = slot.waiting is not None
            slot.waiting, slot.missed_turn = frame, False
            self._idle = False
            self._changed.notify()
        return replaced

    def stop(self, *, timeout_s: float) -> bool:
        """Finish the call in progress, take no further frame; False if that took longer than ``timeout_s``."""
        with self._changed:
            self._stopping = True
            self._idle = False
            self._changed.notify()
        if self._thread.ident is None:  # never started
            self._turns.clear()
            return True
        self._thread.join(timeout_s)
        return not self.alive

    def _work(self) -> None:
        try:
            while (slot := self._next_turn()) is not None:
                self._serve(slot)
        finally:
            with self._changed:
                self._serving = None
                self._turns.clear()  # slots and worker hold each other

    def _serve(self, slot: FrameSlot) -> None:
        frame, slot.waiting = slot.waiting, None
        assert frame  # only this thread takes frames out
        limit_ms = slot.max_age_ms()
        if limit_ms and frame.age_ms() > limit_ms:
            slot.on_stale()
        else:
            slot.handle(frame)

    def _next_turn(self) -> FrameSlot | None:
        """Waits for a frame; its slot, moved to the end of the line. None: stop."""
        with self._changed:
            if (passed_over := self._next_in_line()) is not None:
                passed_over.missed_turn = passed_over.waiting is None
            self._serving = None
            self._idle = not self._stopping and all(slot.waiting is None for slot in self._turns)
        if self._idle:
            for slot in tuple(self._turns):
                slot.on_wanted()
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or any(slot.waiting for slot in self._turns))
            if self._stopping:
                return None
            self._serving = slot = next(slot for slot in self._turns if slot.waiting)
            self._turns.remove(slot)
            self._turns.append(slot)
            following = self._next_in_line()
        if following is not None:
            following.on_wanted()
        return slot

    def _next_in_line(self) -> FrameSlot | None:
        """The slot whose turn comes after the one in progress; None where no other camera sends."""
        others = (slot for slot in self._turns if not slot.missed_turn and slot is not self._serving)
        return None if self._serving is None else next(others, None)

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""One thread that serves every camera in turn, each with its newest frame. No ROS in here.

A camera has one slot and no queue: a new frame replaces the one that still waits there. So a frame waits for one round of the
cameras at most, however slow their handlers are and however fast frames arrive.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
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


@dataclass(eq=False)
class FrameSlot:
    """One camera's place at the worker; made by ``FrameWorker.add``, which describes the callbacks."""

    worker: FrameWorker
    handle: Callable[[InputFrame], None]
    on_stale: Callable[[], None]
    on_wanted: Callable[[], None]
    max_age_ms: Callable[[], float]
    waiting: InputFrame | None = field(default=None, init=False)
    missed_turn: bool = field(default=False, init=False)  # had no frame when its turn came, nor since

    @property
    def is_wanted(self) -> bool:
        """Whether a frame would be of use now: the worker is idle, this camera's turn comes next, or it missed its turn."""
        return self.worker.wants(self)

    def put(self, frame: InputFrame) -> None:
        """Leave a frame for the worker; returns at once. From any thread."""
        if self.worker.leave(self, frame):
            self.on_stale()


class FrameWorker:
    """Serves the slots from its own thread, round robin. The slots are added before it starts.

    The camera whose last turn was longest ago is next. One that has no frame then is passed over until it sends one.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._turns: list[FrameSlot] = []  # the next one first
        self._serving: FrameSlot | None = None
        self._stopping = self._idle = False
        self._thread = threading.Thread(target=self._work, name="pose_worker", daemon=True)

    def add(self, handle: Callable[[InputFrame], None], **callbacks: Callable[[], Any]) -> FrameSlot:
        """A slot for one more camera. The callbacks run on the worker's thread, but for on_stale, which runs on any.

        handle: takes a frame, and deals with its own errors (an exception that leaves it ends the worker). on_stale: a frame will
        never reach ``handle``, replaced by a newer one or older than the limit. on_wanted: ``is_wanted`` has become true, or the
        next turn is this camera's. max_age_ms: gives the limit since receipt, asked for each frame; 0: no limit.
        """
        self._turns.append(FrameSlot(self, handle, **callbacks))
        return self._turns[-1]

    def start(self) -> None:
        """Start the thread; a worker is started once."""
        self._thread.start()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def wants(self, slot: FrameSlot) -> bool:
        """As ``FrameSlot.is_wanted``."""
        with self._changed:
            is_due = slot.missed_turn or slot is self._next_in_line()
            return self._idle or (self._serving not in (None, slot) and is_due)

    def leave(self, slot: FrameSlot, frame: InputFrame) -> bool:
        """Put the frame into the slot; whether it replaced another one."""
        with self._changed:
            replaced = slot.waiting is not None
            slot.waiting, slot.missed_turn, self._idle = frame, False, False
            self._changed.notify()
        return replaced

    def stop(self, *, timeout_s: float) -> bool:
        """Finish the call in progress, take no further frame; False if that took longer than ``timeout_s``."""
        with self._changed:
            self._stopping, self._idle = True, False
            self._changed.notify()
        if self._thread.ident is None:  # never started
            self._turns.clear()
        else:
            self._thread.join(timeout_s)
        return not self.alive

    def _work(self) -> None:
        try:
            while (turn := self._next_turn()) is not None:
                self._serve(*turn)
        finally:
            with self._changed:
                self._serving = None
                self._turns.clear()  # slots and worker hold each other

    def _serve(self, slot: FrameSlot, frame: InputFrame) -> None:
        limit_ms = slot.max_age_ms()
        if limit_ms and frame.age_ms() > limit_ms:
            slot.on_stale()
        else:
            slot.handle(frame)

    def _next_turn(self) -> tuple[FrameSlot, InputFrame] | None:
        """Waits for a frame and takes it; its slot moves to the end of the line. None: stop."""
        with self._changed:
            if (passed_over := self._next_in_line()) is not None:
                passed_over.missed_turn = passed_over.waiting is None
            self._serving = None
            self._idle = not self._stopping and all(slot.waiting is None for slot in self._turns)
            newly_wanted = [slot for slot in self._turns if self._idle and not slot.missed_turn]
        for slot in newly_wanted:
            slot.on_wanted()
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or any(slot.waiting for slot in self._turns))
            if self._stopping:
                return None
            slot, frame = next((slot, slot.waiting) for slot in self._turns if slot.waiting)
            self._serving, slot.waiting = slot, None
            self._turns.remove(slot)
            self._turns.append(slot)
            following = self._next_in_line()
        if following is not None:
            following.on_wanted()
        return slot, frame

    def _next_in_line(self) -> FrameSlot | None:
        """The slot whose turn comes after the one in progress; None where no other camera sends."""
        others = (slot for slot in self._turns if not slot.missed_turn and slot is not self._serving)
        return None if self._serving is None else next(others, None)

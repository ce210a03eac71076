# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""A few threads that serve every camera in turn, each with its newest frame. No ROS in here.

A camera has one slot and no queue: a new frame replaces the one that still waits there. So a frame waits for one round of the
cameras at most, however slow their handlers are and however fast frames arrive. Frames of one camera are handled one after
another, those of several cameras also at the same time.
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

    received_s: time of receipt, of the monotonic clock; boxes: the detections message of the same stamp, None: none is needed;
    number: the publisher's count of its messages, None where the middleware does not tell it.
    """

    image: Any
    received_s: float
    boxes: Any = None
    number: int | None = None

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
        """Whether a frame would be of use now: a thread is free for it, this camera's turn comes next, or it missed its turn."""
        return self.worker.wants(self)

    def put(self, frame: InputFrame) -> None:
        """Leave a frame for the worker; returns at once. From any thread."""
        if self.worker.leave(self, frame):
            self.on_stale()


class FrameWorker:
    """Serves the slots from its own threads, round robin. The slots are added before it starts.

    The camera whose last turn began longest ago is next. One that has no frame then is passed over until it sends one.
    """

    def __init__(self, threads: int = 1) -> None:
        """threads: how many frames may be in work at the same time, each of another camera."""
        self._changed = threading.Condition()
        self._turns: list[FrameSlot] = []  # the next one first
        self._serving: set[FrameSlot] = set()
        self._stopping = False
        self._threads = [
            threading.Thread(target=self._work, name=f"pose_worker_{number}", daemon=True) for number in range(threads)
        ]

    def add(self, handle: Callable[[InputFrame], None], **callbacks: Callable[[], Any]) -> FrameSlot:
        """A slot for one more camera. The callbacks run on the worker's threads, but for on_stale, which runs on any.

        handle: takes a frame, and deals with its own errors (an exception that leaves it ends the worker). on_stale: a frame will
        never reach ``handle``, replaced by a newer one or older than the limit. on_wanted: ``is_wanted`` has become true, or the
        next turn is this camera's. max_age_ms: gives the limit since receipt, asked for each frame; 0: no limit.
        """
        self._turns.append(FrameSlot(self, handle, **callbacks))
        return self._turns[-1]

    def start(self) -> None:
        """Start the threads; a worker is started once."""
        for thread in self._threads:
            thread.start()

    @property
    def alive(self) -> bool:
        """Whether any of its threads runs; where one of them has failed, the others end with their frames."""
        return any(thread.is_alive() for thread in self._threads)

    def wants(self, slot: FrameSlot) -> bool:
        """As ``FrameSlot.is_wanted``."""
        with self._changed:
            return slot in self._wanted()

    def leave(self, slot: FrameSlot, frame: InputFrame) -> bool:
        """Put the frame into the slot; whether it replaced another one."""
        with self._changed:
            replaced = slot.waiting is not None
            slot.waiting, slot.missed_turn = frame, False
            self._changed.notify()
        return replaced

    def stop(self, *, timeout_s: float) -> bool:
        """Finish the calls in progress, take no further frame; False if that took longer than ``timeout_s``."""
        self._end()
        deadline_s = time.monotonic() + timeout_s
        for thread in self._threads:
            if thread.ident is not None:  # else never started
                thread.join(max(0.0, deadline_s - time.monotonic()))
        return not self.alive

    def _end(self) -> None:
        with self._changed:
            self._stopping = True
            self._turns.clear()  # slots and worker hold each other
            self._changed.notify_all()

    def _work(self) -> None:
        try:
            self._say_what_is_wanted()
            while (turn := self._next_turn()) is not None:
                self._serve(*turn)
                self._end_turn(turn[0])
        finally:
            self._end()

    def _serve(self, slot: FrameSlot, frame: InputFrame) -> None:
        limit_ms = slot.max_age_ms()
        if limit_ms and frame.age_ms() > limit_ms:
            slot.on_stale()
        else:
            slot.handle(frame)

    def _next_turn(self) -> tuple[FrameSlot, InputFrame] | None:
        """Waits for a frame and takes it; its slot moves to the end of the line. None: stop."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or any(slot.waiting for slot in self._line()))
            if self._stopping:
                return None
            slot, frame = next((slot, slot.waiting) for slot in self._line() if slot.waiting)
            self._serving.add(slot)
            slot.waiting = None
            self._turns.remove(slot)
            self._turns.append(slot)
        self._say_what_is_wanted()
        return slot, frame

    def _end_turn(self, slot: FrameSlot) -> None:
        with self._changed:
            for passed_over in self._due()[:1]:
                passed_over.missed_turn = passed_over.waiting is None
            self._serving.remove(slot)
        self._say_what_is_wanted()

    def _say_what_is_wanted(self) -> None:
        """Not to those that missed a turn: their frames have been wanted ever since."""
        with self._changed:
            wanted = [slot for slot in self._wanted() if not slot.missed_turn]
        for slot in wanted:
            slot.on_wanted()

    def _line(self) -> list[FrameSlot]:
        """The slots that may have a turn now, the next one first."""
        return [slot for slot in self._turns if slot not in self._serving]

    @property
    def _free(self) -> int:
        return len(self._threads) - len(self._serving)

    def _due(self) -> list[FrameSlot]:
        """The slots whose turns come when those in progress end: as many, without those that do not send."""
        line = self._line()
        taken_now = [slot for slot in line if slot.waiting][: self._free]
        return [slot for slot in line if not slot.missed_turn and slot not in taken_now][: len(self._threads)]

    def _wanted(self) -> list[FrameSlot]:
        line, due = self._line(), self._due()
        if self._free > sum(slot.waiting is not None for slot in line):
            return [slot for slot in line if slot.waiting is None]
        return [slot for slot in line if slot.missed_turn or slot in due]

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from pose_resnet_ros.ros.latest import Frame, LatestWorker

DEADLINE_S = 20.0


class SlowHandler:
    """Handles one frame at a time, each only when it is let go."""

    def __init__(self) -> None:
        self.entered = threading.Semaphore(0)
        self.let_go = threading.Semaphore(0)
        self.handled: list[int] = []

    def __call__(self, frame: Frame[int]) -> None:
        self.handled.append(frame.message)
        self.entered.release()
        assert self.let_go.acquire(timeout=DEADLINE_S)


class Bench:
    def __init__(self) -> None:
        self.handler = SlowHandler()
        self.stale = 0
        self.idle = threading.Semaphore(0)
        self.max_age_ms = 0.0
        self.worker: LatestWorker[int] = LatestWorker(
            self.handler, on_stale=self._count, on_idle=self.idle.release, max_age_ms=lambda: self.max_age_ms
        )

    def _count(self) -> None:
        self.stale += 1

    def wait_until_busy(self) -> None:
        assert self.handler.entered.acquire(timeout=DEADLINE_S)


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    bench.worker.start()
    yield bench
    for _ in range(10):
        bench.handler.let_go.release()
    assert bench.worker.stop(timeout_s=DEADLINE_S)


def test_a_slow_handler_gets_the_newest_frame_and_the_others_are_counted(bench: Bench) -> None:
    bench.worker.put(0)
    bench.wait_until_busy()
    for number in range(1, 100):
        bench.worker.put(number)
    bench.handler.let_go.release()
    bench.wait_until_busy()
    assert bench.handler.handled == [0, 99]
    assert bench.stale == 98


def test_an_idle_worker_handles_each_frame(bench: Bench) -> None:
    for number in range(3):
        bench.worker.put(number)
        bench.wait_until_busy()
        bench.handler.let_go.release()
    assert bench.handler.handled == [0, 1, 2]
    assert bench.stale == 0


def test_a_frame_that_waited_too_long_is_dropped_and_the_limit_may_change(bench: Bench) -> None:
    bench.max_age_ms = 1e-6
    bench.worker.put(0)
    while bench.stale == 0:
        pass
    bench.max_age_ms = 0.0
    bench.worker.put(1)
    bench.wait_until_busy()
    assert bench.handler.handled == [1]
    assert bench.stale == 1


def test_stop_ends_an_idle_worker_and_takes_no_waiting_frame(bench: Bench) -> None:
    bench.worker.put(0)
    bench.wait_until_busy()
    bench.worker.put(1)
    assert not bench.worker.stop(timeout_s=0.01)  # still in the handler
    bench.handler.let_go.release()
    assert bench.worker.stop(timeout_s=DEADLINE_S)
    assert bench.handler.handled == [0]
    assert not bench.worker.alive


def test_it_says_when_it_has_nothing_to_do(bench: Bench) -> None:
    assert bench.idle.acquire(timeout=DEADLINE_S)
    assert bench.worker.idle
    bench.worker.put(0)
    assert not bench.worker.idle
    bench.wait_until_busy()
    bench.worker.put(1)
    bench.handler.let_go.release()
    bench.wait_until_busy()
    assert not bench.idle.acquire(blocking=False)  # frame 1 was waiting
    bench.handler.let_go.release()
    assert bench.idle.acquire(timeout=DEADLINE_S)
    assert bench.worker.idle


def test_a_stopped_worker_is_not_idle(bench: Bench) -> None:
    assert bench.worker.stop(timeout_s=DEADLINE_S)
    assert not bench.worker.idle


def test_a_frame_may_have_been_received_before(bench: Bench) -> None:
    bench.max_age_ms = 60_000.0  # longer than a busy machine takes to begin with the second frame
    bench.worker.put(0, time.monotonic() - 120.0)
    bench.worker.put(1, time.monotonic())
    bench.wait_until_busy()
    assert bench.handler.handled == [1]


def test_age_is_since_receipt() -> None:
    assert Frame("message", received_s=0.0).age_ms() > 0

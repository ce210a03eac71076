# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Newest frames and fair turns, without ROS."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from pose_resnet_ros.ros.worker import FrameSlot, FrameWorker, InputFrame

DEADLINE_S = 300.0


class Camera:
    """A camera's slot, and what became of its frames."""

    def __init__(self, bench: Bench, name: str) -> None:
        self.name, self._bench = name, bench
        self.stale = 0
        self.wanted = threading.Semaphore(0)
        self.slot: FrameSlot = bench.worker.add(
            self._handle, on_stale=self._count, on_wanted=self.wanted.release, max_age_ms=lambda: bench.max_age_ms
        )

    def put(self, number: int, received_s: float | None = None) -> None:
        self.slot.put(InputFrame(number, time.monotonic() if received_s is None else received_s))

    def _count(self) -> None:
        self.stale += 1

    def _handle(self, frame: InputFrame) -> None:
        self._bench.handled.append((self.name, frame.image))
        self._bench.entered.release()
        self._bench.let_go.wait()


class Turnstile:
    """Lets one pass with each release, in the order in which they came."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._came = self._released = self._passed = 0

    def wait(self) -> None:
        with self._changed:
            number = self._came = self._came + 1
            assert self._changed.wait_for(lambda: self._released >= number, timeout=DEADLINE_S)
            self._passed += 1
            self._changed.notify_all()

    def release(self) -> None:
        with self._changed:
            self._released += 1
            self._changed.notify_all()

    def release_and_wait(self) -> None:
        """Until it has passed: its thread may get no CPU time for as long as others pass a hundred times."""
        self.release()
        with self._changed:
            assert self._changed.wait_for(lambda: self._passed >= self._released, timeout=DEADLINE_S)


class Bench:
    """A worker that handles as many frames at a time as it has threads, each only when it is let go."""

    def __init__(self, *names: str, threads: int = 1) -> None:
        self.worker = FrameWorker(threads)
        self.entered, self.let_go = threading.Semaphore(0), Turnstile()
        self.handled: list[tuple[str, int]] = []
        self.max_age_ms = 0.0
        self.cameras = [Camera(self, name) for name in names]

    def wait_until_busy(self) -> None:
        assert self.entered.acquire(timeout=DEADLINE_S)

    def next(self) -> None:
        """Let the frame in work go, and wait until the next one is in work."""
        self.let_go.release()
        self.wait_until_busy()

    def close(self) -> None:
        for _ in range(10):
            self.let_go.release()
        assert self.worker.stop(timeout_s=DEADLINE_S)


@pytest.fixture
def bench() -> Iterator[Bench]:
    """With one camera."""
    bench = Bench("camera")
    bench.worker.start()
    yield bench
    bench.close()


@pytest.fixture
def four() -> Iterator[Bench]:
    """With four cameras."""
    bench = Bench(*"abcd")
    bench.worker.start()
    yield bench
    bench.close()


@pytest.fixture
def two_at_once() -> Iterator[Bench]:
    """With four cameras, of which two are served at a time."""
    bench = Bench(*"abcd", threads=2)
    bench.worker.start()
    yield bench
    bench.close()


def test_a_slow_handler_gets_the_newest_frame_and_the_others_are_counted(bench: Bench) -> None:
    (camera,) = bench.cameras
    camera.put(0)
    bench.wait_until_busy()
    for number in range(1, 100):
        camera.put(number)
    bench.next()
    assert bench.handled == [("camera", 0), ("camera", 99)]
    assert camera.stale == 98


def test_an_idle_worker_handles_each_frame(bench: Bench) -> None:
    (camera,) = bench.cameras
    for number in range(3):
        camera.put(number)
        bench.wait_until_busy()
        bench.let_go.release()
    assert [number for _, number in bench.handled] == [0, 1, 2]
    assert camera.stale == 0


def test_a_frame_that_waited_too_long_is_dropped_and_the_limit_may_change(bench: Bench) -> None:
    (camera,) = bench.cameras
    bench.max_age_ms = 1e-6
    camera.put(0)
    while camera.stale == 0:
        time.sleep(0.001)
    bench.max_age_ms = 0.0
    camera.put(1)
    bench.wait_until_busy()
    assert bench.handled == [("camera", 1)]
    assert camera.stale == 1


def test_stop_ends_an_idle_worker_and_takes_no_waiting_frame(bench: Bench) -> None:
    (camera,) = bench.cameras
    camera.put(0)
    bench.wait_until_busy()
    camera.put(1)
    assert not bench.worker.stop(timeout_s=0.01)  # still in the handler
    bench.let_go.release()
    assert bench.worker.stop(timeout_s=DEADLINE_S)
    assert bench.handled == [("camera", 0)]
    assert not bench.worker.alive


def test_it_says_when_a_frame_is_wanted(bench: Bench) -> None:
    (camera,) = bench.cameras
    assert camera.wanted.acquire(timeout=DEADLINE_S)
    assert camera.slot.is_wanted
    camera.put(0)
    assert not camera.slot.is_wanted
    bench.wait_until_busy()
    camera.put(1)
    bench.next()
    assert not camera.wanted.acquire(blocking=False)  # frame 1 was waiting
    bench.let_go.release()
    assert camera.wanted.acquire(timeout=DEADLINE_S)
    assert camera.slot.is_wanted


def test_a_stopped_worker_wants_nothing(bench: Bench) -> None:
    assert bench.worker.stop(timeout_s=DEADLINE_S)
    assert not bench.cameras[0].slot.is_wanted


def test_a_worker_that_never_started_can_be_stopped() -> None:
    worker = Bench("camera").worker
    assert worker.stop(timeout_s=0.0)
    assert not worker.alive


def test_a_frame_may_have_been_received_before(bench: Bench) -> None:
    (camera,) = bench.cameras
    bench.max_age_ms = 60_000.0  # longer than a busy machine takes to begin with the second frame
    camera.put(0, time.monotonic() - 120.0)
    camera.put(1)
    bench.wait_until_busy()
    assert bench.handled == [("camera", 1)]


def test_age_is_since_receipt() -> None:
    assert InputFrame("message", received_s=0.0).age_ms() > 0


def test_cameras_take_turns_whatever_their_rates(four: Bench) -> None:
    """One camera sends a hundred frames where another sends one; each is served once a round, with its newest frame."""
    a, b, c, d = four.cameras
    a.put(0)
    four.wait_until_busy()
    for turn in range(1, 9):
        for number in range(100):
            a.put(100 * turn + number)
        for camera in (d, c, b):
            camera.put(turn)
        if turn % 4 == 0:
            for _ in range(4):
                four.next()
    assert [name for name, _ in four.handled] == list("abcdabcda")
    assert four.handled[4] == ("a", 499)  # the newest when its turn came


def test_a_camera_that_stops_costs_the_others_nothing(four: Bench) -> None:
    a, b, c, d = four.cameras
    for camera in (a, b, c, d):
        camera.put(0)
    four.wait_until_busy()
    for _ in range(3):
        four.next()
    for turn in range(1, 5):  # b has stopped
        for camera in (a, c, d):
            camera.put(turn)
        for _ in range(3):
            four.next()
    assert Counter(name for name, _ in four.handled[4:]) == {"a": 4, "c": 4, "d": 4}
    assert {name for name, _ in four.handled[4:7]} == {"a", "c", "d"}


def test_who_comes_next_may_send_while_another_is_served(four: Bench) -> None:
    """So that its frame is there when its turn comes, and as new as can be; the frames of all others stay unread."""
    a, b, c, d = four.cameras
    a.put(0)
    four.wait_until_busy()
    assert [camera.slot.is_wanted for camera in (a, b, c, d)] == [False, True, False, False]
    b.put(1)
    assert b.slot.is_wanted  # a newer one would replace it
    four.next()
    assert [camera.slot.is_wanted for camera in (a, b, c, d)] == [False, False, True, False]


def test_a_silent_camera_is_not_asked_again_and_again(four: Bench) -> None:
    """Or its silence would begin anew with each frame of the others."""
    a, b, _, _ = four.cameras
    for turn in range(20):
        a.put(turn)
        four.wait_until_busy()
        four.let_go.release()
        assert a.wanted.acquire(timeout=DEADLINE_S)
    asked = 0
    while b.wanted.acquire(blocking=False):
        asked += 1
    assert asked <= 5
    assert b.slot.is_wanted


def read_in_a_fixed_order(bench: Bench, *, stopped: list[str], frames: int) -> Counter[str]:
    """How often each camera was served where frames are read as an executor does it: those of the cameras that are wanted, the
    first camera first; each has a frame at any time.
    """
    living = [camera for camera in bench.cameras if camera.name not in stopped]

    def read(number: int) -> None:
        for camera in living:
            if camera.slot.is_wanted:
                camera.put(number)

    living[0].put(0)
    bench.wait_until_busy()
    for number in range(1, frames):
        read(number)
        bench.let_go.release_and_wait()
        while not bench.entered.acquire(timeout=0.05):  # idle: whoever should have come next has stopped
            read(number)
    served = Counter(name for name, _ in bench.handled[8:])  # by then it is known who has stopped
    assert served.keys() == {camera.name for camera in living}
    return served


@pytest.mark.parametrize("stopped", [[], ["b"], ["a", "c"]])
def test_nobody_starves_where_frames_are_read_in_a_fixed_order(four: Bench, stopped: list[str]) -> None:
    served = read_in_a_fixed_order(four, stopped=stopped, frames=41)
    assert max(served.values()) - min(served.values()) <= 2, served


@pytest.mark.parametrize("stopped", [[], ["b"], ["a", "c"]])
def test_rates_are_equal_where_two_are_served_at_once(two_at_once: Bench, stopped: list[str]) -> None:
    """Not turn by turn: who comes next depends on which of the two ends first."""
    served = read_in_a_fixed_order(two_at_once, stopped=stopped, frames=200)
    assert min(served.values()) >= 0.9 * max(served.values()), served


def test_two_cameras_are_served_at_once_and_the_next_two_may_send(two_at_once: Bench) -> None:
    a, b, c, d = two_at_once.cameras
    a.put(0)
    two_at_once.wait_until_busy()
    assert [camera.slot.is_wanted for camera in (a, b, c, d)] == [False, True, True, True]  # a thread is free
    c.put(1)
    two_at_once.wait_until_busy()  # while a is in work
    assert two_at_once.handled == [("a", 0), ("c", 1)]
    assert [camera.slot.is_wanted for camera in (a, b, c, d)] == [False, True, False, True]


def test_frames_of_one_camera_are_never_in_work_at_once(two_at_once: Bench) -> None:
    a, b, _, _ = two_at_once.cameras
    a.put(0)
    two_at_once.wait_until_busy()
    for number in range(1, 50):
        a.put(number)
    assert not two_at_once.entered.acquire(timeout=0.1)  # though a thread is free
    b.put(0)
    two_at_once.wait_until_busy()
    two_at_once.next()
    assert [number for name, number in two_at_once.handled if name == "a"] in ([0], [0, 49])
    two_at_once.let_go.release()
    two_at_once.let_go.release()
    while len(two_at_once.handled) < 3:
        time.sleep(0.001)
    assert [number for name, number in two_at_once.handled if name == "a"] == [0, 49]
    assert a.stale == 48


def test_stop_waits_for_all_frames_in_work(two_at_once: Bench) -> None:
    a, b, c, _ = two_at_once.cameras
    for camera in (a, b, c):
        camera.put(0)
    two_at_once.wait_until_busy()
    two_at_once.wait_until_busy()
    two_at_once.let_go.release()
    assert not two_at_once.worker.stop(timeout_s=0.05)  # one is still in work
    two_at_once.let_go.release()
    assert two_at_once.worker.stop(timeout_s=DEADLINE_S)
    assert len(two_at_once.handled) in (2, 3)  # the third one was taken if the first ended before the stop
    assert not two_at_once.worker.alive


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_handler_that_fails_ends_all_threads() -> None:
    """So that the node's diagnostics show it, rather than a node at half its speed."""
    worker = FrameWorker(3)
    slot = worker.add(lambda _: 1 / 0, on_stale=lambda: None, on_wanted=lambda: None, max_age_ms=lambda: 0.0)
    worker.start()
    slot.put(InputFrame(0, time.monotonic()))
    deadline_s = time.monotonic() + DEADLINE_S
    while worker.alive and time.monotonic() < deadline_s:
        time.sleep(0.001)
    assert not worker.alive
    assert not slot.is_wanted

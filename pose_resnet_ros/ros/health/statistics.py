# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""What the node counts and times for diagnostics. No ROS in here.

Rates, ages and stage times cover the last WINDOW_S seconds, counters the life of the object.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from pose_resnet_ros.core.tracking import MAX_STEP_BACK_S

WINDOW_S = 5.0
# A stamp older than this, or from the future, was made by another clock (a bag, a camera of its own time): no age from it.
PLAUSIBLE_AGE_MS = 10_000.0


@dataclass(frozen=True)
class Outcome:
    """One processed frame: ages in ms at the moment of publishing, stage times in ms."""

    age_ms: float
    stamp_age_ms: float | None
    stage_ms: Mapping[str, float]
    persons: int


@dataclass(frozen=True)
class Summary:
    """A snapshot. unread: frames that arrived and were replaced by newer ones before they were read; lost: frames that never
    arrived whole, None where the middleware does not report it; sent_lately, lost_lately: in the last WINDOW_S seconds; input_hz:
    rate of what was sent; ages are (median, p95) in ms, None without a sample; silent_s: since the last frame arrived, or since
    listening; seconds_without_result: since the first frame after the last result, 0 where there is none; time_jumps, steps_back:
    stamps earlier than the previous frame's, by more than a small step and by less (``MAX_STEP_BACK_S``).
    """

    received: int
    unread: int
    lost: int | None
    sent_lately: int
    lost_lately: int
    published: int
    stale: int
    errors: Mapping[str, int]
    errors_in_a_row: int
    input_hz: float
    output_hz: float
    age_ms: tuple[float, float] | None
    stamp_age_ms: tuple[float, float] | None
    stage_ms: Mapping[str, float]
    persons: int
    silent_s: float
    seconds_without_result: float
    time_jumps: int
    steps_back: int


@dataclass
class _Window:
    """Samples of the last WINDOW_S seconds, oldest first."""

    samples: deque = field(default_factory=deque)

    def add(self, now_s: float, value: object = None) -> None:
        self.samples.append((now_s, value))
        self.trim(now_s)

    def trim(self, now_s: float) -> None:
        while self.samples and self.samples[0][0] < now_s - WINDOW_S:
            self.samples.popleft()

    def values(self) -> list:
        return [value for _, value in self.samples]


class Statistics:
    """Filled by the subscription and the worker, read once a second (``summary``); thread-safe. clock: monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._received_in_total = self._skipped_in_total = self._published_in_total = 0
        self._stale = self._errors_in_a_row = self._time_jumps = self._steps_back = 0
        self._errors: Counter[str] = Counter()
        self._lost_in_total: int | None = None
        self._received, self._lost, self._outcomes = _Window(), _Window(), _Window()
        self._persons = 0
        self._latest_stamp_ns = 0
        self.restart()

    def restart(self) -> None:
        """Forget the windows, keep the counters: what was before an activation says nothing about the time after it."""
        with self._lock:
            self._since_s = self._last_frame_s = self._clock()
            self._without_result_since_s: float | None = None
            self._received, self._lost, self._outcomes = _Window(), _Window(), _Window()
            self._errors_in_a_row = self._persons = self._latest_stamp_ns = 0

    def frame_received(self, *, skipped: int = 0) -> None:
        """skipped: how many were sent since the last one and stayed unread or were lost."""
        with self._lock:
            self._last_frame_s = self._clock()
            if self._without_result_since_s is None:
                self._without_result_since_s = self._last_frame_s
            self._received_in_total += 1
            self._skipped_in_total += skipped
            self._received.add(self._last_frame_s, 1 + skipped)

    def frames_lost(self, count: int) -> None:
        """Frames that did not arrive whole since the last call; the first call shows that the middleware reports them."""
        with self._lock:
            self._lost_in_total = (self._lost_in_total or 0) + count
            if count:
                self._lost.add(self._clock(), count)

    @property
    def received(self) -> int:
        """How many frames have arrived in this object's life."""
        with self._lock:
            return self._received_in_total

    def listening(self) -> None:
        """Frames stayed unread until now: that was no silence."""
        with self._lock:
            self._last_frame_s = self._clock()

    def frame_stale(self) -> None:
        with self._lock:
            self._stale += 1

    def frame_failed(self, kind: str) -> None:
        with self._lock:
            self._errors[kind] += 1
            self._errors_in_a_row += 1

    def frame_published(self, outcome: Outcome) -> None:
        with self._lock:
            self._published_in_total += 1
            self._without_result_since_s = None
            self._errors_in_a_row = 0
            self._persons = outcome.persons
            self._outcomes.add(self._clock(), outcome)

    def time_jumped_back(self, stamp_ns: int) -> bool:
        """Whether time starts again with this stamp, as when a bag loops or a simulation is reset; never for 0 (no stamp)."""
        with self._lock:
            back_ns = self._latest_stamp_ns - stamp_ns if stamp_ns else 0
            jumped = back_ns > MAX_STEP_BACK_S * 1e9
            self._time_jumps += jumped
            self._steps_back += back_ns > 0 and not jumped
            if jumped or back_ns < 0:
                self._latest_stamp_ns = stamp_ns
            return jumped

    def summary(self) -> Summary:
        with self._lock:
            now_s = self._clock()
            for window in (self._received, self._lost, self._outcomes):
                window.trim(now_s)
            outcomes, lost_lately = self._outcomes.values(), sum(self._lost.values())
            # By the publisher's numbers, where it gives any; those after the last frame that came are known as lost only.
            sent_lately = max(sum(self._received.values()), len(self._received.samples) + lost_lately)
            span_s = max(min(WINDOW_S, now_s - self._since_s), 1.0)
            return Summary(
                received=self._received_in_total,
                unread=max(self._skipped_in_total - (self._lost_in_total or 0), 0),
                lost=self._lost_in_total,
                sent_lately=sent_lately,
                lost_lately=lost_lately,
                published=self._published_in_total,
                stale=self._stale,
                errors=dict(self._errors),
                errors_in_a_row=self._errors_in_a_row,
                input_hz=sent_lately / span_s,
                output_hz=len(outcomes) / span_s,
                age_ms=_median_and_p95([o.age_ms for o in outcomes]),
                stamp_age_ms=_median_and_p95([o.stamp_age_ms for o in outcomes if o.stamp_age_ms is not None]),
                stage_ms=_mean_of_stages([o.stage_ms for o in outcomes]),
                persons=self._persons,
                silent_s=now_s - self._last_frame_s,
                seconds_without_result=0.0 if self._without_result_since_s is None else now_s - self._without_result_since_s,
                time_jumps=self._time_jumps,
                steps_back=self._steps_back,
            )


def plausible_age_ms(stamp_ns: int, now_ns: int) -> float | None:
    """Age of a stamp in ms; None where the two clocks cannot be compared (either is 0, the future, or too long ago)."""
    age_ms = (now_ns - stamp_ns) / 1e6
    return age_ms if stamp_ns and now_ns and 0.0 <= age_ms <= PLAUSIBLE_AGE_MS else None


def _median_and_p95(values: list[float]) -> tuple[float, float] | None:
    return tuple(float(q) for q in np.percentile(values, (50, 95))) if values else None  # type: ignore[return-value]


def _mean_of_stages(stages: list[Mapping[str, float]]) -> dict[str, float]:
    names = dict.fromkeys(name for stage_ms in stages for name in stage_ms)
    return {name: sum(s.get(name, 0.0) for s in stages) / len(stages) for name in names}

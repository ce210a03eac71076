# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import pytest

from pose_resnet_ros.ros.health.statistics import WINDOW_S, Outcome, Statistics, plausible_age_ms


class Clock:
    """A clock that stands where it was put."""

    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def statistics(clock: Clock) -> Statistics:
    return Statistics(clock)


def outcome(age_ms: float = 10.0, *, stamp_age_ms: float | None = None, persons: int = 1, **stage_ms: float) -> Outcome:
    return Outcome(age_ms, stamp_age_ms, stage_ms, persons)


def test_nothing_yet(statistics: Statistics) -> None:
    summary = statistics.summary()
    assert (summary.received, summary.published, summary.stale, summary.persons) == (0, 0, 0, 0)
    assert (summary.input_hz, summary.output_hz, summary.silent_s) == (0.0, 0.0, 0.0)
    assert summary.age_ms is None
    assert summary.stamp_age_ms is None
    assert summary.errors == {}
    assert summary.stage_ms == {}


def test_rates_are_those_of_the_last_seconds(statistics: Statistics, clock: Clock) -> None:
    for _ in range(100):  # 10 s at 10 Hz
        clock.now_s += 0.1
        statistics.frame_received()
        if _ % 2:
            statistics.frame_published(outcome())
    summary = statistics.summary()
    assert summary.received == 100
    assert summary.published == 50
    assert summary.input_hz == pytest.approx(10, abs=0.3)
    assert summary.output_hz == pytest.approx(5, abs=0.3)
    clock.now_s += WINDOW_S + 1
    summary = statistics.summary()
    assert summary.input_hz == 0.0
    assert summary.silent_s == WINDOW_S + 1
    assert summary.age_ms is None


def test_a_rate_is_right_before_the_window_is_full(statistics: Statistics, clock: Clock) -> None:
    for _ in range(20):
        clock.now_s += 0.1
        statistics.frame_received()
    assert statistics.summary().input_hz == pytest.approx(10)


def test_frames_that_were_sent_and_not_received_count_for_the_rate(statistics: Statistics, clock: Clock) -> None:
    for _ in range(20):
        clock.now_s += 0.1
        statistics.frame_received(skipped=2)
    summary = statistics.summary()
    assert (summary.received, summary.unread, summary.lost) == (20, 40, None)
    assert summary.input_hz == pytest.approx(30)


def test_lost_frames_are_counted_apart_from_those_left_unread(statistics: Statistics, clock: Clock) -> None:
    statistics.frames_lost(0)  # they are told
    for _ in range(20):
        clock.now_s += 0.1
        statistics.frame_received(skipped=2)
        statistics.frames_lost(1)
    summary = statistics.summary()
    assert (summary.received, summary.unread, summary.lost) == (20, 20, 20)
    assert (summary.sent_lately, summary.lost_lately) == (60, 20)
    assert summary.input_hz == pytest.approx(30)
    clock.now_s += WINDOW_S + 1
    summary = statistics.summary()
    assert (summary.lost, summary.sent_lately, summary.lost_lately) == (20, 0, 0)


def test_where_no_frame_comes_whole_the_rate_is_that_of_the_losses(statistics: Statistics, clock: Clock) -> None:
    for _ in range(20):
        clock.now_s += 0.1
        statistics.frames_lost(1)
    summary = statistics.summary()
    assert (summary.received, summary.unread, summary.lost, summary.lost_lately) == (0, 0, 20, 20)
    assert summary.input_hz == pytest.approx(10)


def test_silence_begins_when_somebody_listens(statistics: Statistics, clock: Clock) -> None:
    statistics.frame_received()
    clock.now_s += 7.0
    assert statistics.summary().silent_s == pytest.approx(7.0)
    statistics.listening()
    clock.now_s += 2.0
    assert statistics.summary().silent_s == pytest.approx(2.0)


def test_median_and_p95_of_ages(statistics: Statistics) -> None:
    for age_ms in range(101):
        statistics.frame_published(outcome(float(age_ms), stamp_age_ms=2.0 * age_ms))
    summary = statistics.summary()
    assert summary.age_ms == pytest.approx((50, 95))
    assert summary.stamp_age_ms == pytest.approx((100, 190))


def test_stage_times_are_means_and_a_stage_that_did_not_run_took_none(statistics: Statistics) -> None:
    statistics.frame_published(outcome(detect=10.0))
    statistics.frame_published(outcome(detect=20.0, pose=8.0))
    assert statistics.summary().stage_ms == {"detect": 15.0, "pose": 4.0}


def test_errors_are_counted_by_kind_and_in_a_row(statistics: Statistics) -> None:
    for kind in ("step", "step", "encoding"):
        statistics.frame_failed(kind)
    assert statistics.summary().errors == {"step": 2, "encoding": 1}
    assert statistics.summary().errors_in_a_row == 3
    statistics.frame_published(outcome())
    assert statistics.summary().errors == {"step": 2, "encoding": 1}
    assert statistics.summary().errors_in_a_row == 0


def test_restart_keeps_counters_and_forgets_the_rest(statistics: Statistics, clock: Clock) -> None:
    statistics.frame_received()
    statistics.frame_stale()
    statistics.frame_failed("step")
    statistics.frame_published(outcome(persons=3))
    clock.now_s += 50
    statistics.restart()
    summary = statistics.summary()
    assert (summary.received, summary.published, summary.stale, summary.errors) == (1, 1, 1, {"step": 1})
    assert (summary.input_hz, summary.persons, summary.silent_s) == (0.0, 0, 0.0)
    assert summary.age_ms is None


def test_time_that_jumps_back(statistics: Statistics) -> None:
    stamps_s = (50, 50, 90, 80, 80, 90)
    jumped = [statistics.time_jumped_back(stamp_s * 10**9) for stamp_s in stamps_s]
    assert jumped == [False, False, False, True, False, False]
    assert (statistics.summary().time_jumps, statistics.summary().steps_back) == (1, 0)


def test_a_small_step_back_or_no_stamp_is_no_jump(statistics: Statistics) -> None:
    stamps_ms = (50_000, 49_995, 50_000, 49_900, 50_100, 0, 49_999)  # the last one: 101 ms before the latest
    jumped = [statistics.time_jumped_back(stamp_ms * 10**6) for stamp_ms in stamps_ms]
    assert jumped == [False] * 6 + [True]
    assert (statistics.summary().time_jumps, statistics.summary().steps_back) == (1, 2)


@pytest.mark.parametrize(
    ("stamp_ns", "now_ns", "age_ms"),
    [
        (5_000_000_000, 5_020_000_000, 20.0),
        (5_000_000_000, 5_000_000_000, 0.0),
        (5_000_000_001, 5_000_000_000, None),  # the camera's clock is ahead
        (1_000_000_000, 900_000_000_000, None),  # a bag from another day
        (0, 5_000_000_000, None),  # no stamp
        (5_000_000_000, 0, None),  # simulated time before the first /clock
    ],
)
def test_an_age_since_the_stamp_needs_clocks_that_agree(stamp_ns: int, now_ns: int, age_ms: float | None) -> None:
    assert plausible_age_ms(stamp_ns, now_ns) == age_ms


def test_a_result_is_owed_from_the_first_frame_after_the_last_one(statistics: Statistics, clock: Clock) -> None:
    clock.now_s += 50.0
    assert statistics.summary().seconds_without_result == 0.0  # nothing has come
    statistics.frame_received()
    clock.now_s += 4.0
    statistics.frame_received()
    statistics.frame_stale()
    statistics.frame_failed("encoding")
    clock.now_s += 4.0
    assert statistics.summary().seconds_without_result == 8.0
    statistics.frame_published(outcome())
    clock.now_s += 50.0
    assert statistics.summary().seconds_without_result == 0.0  # a camera that has stopped is another matter
    statistics.frame_received()
    clock.now_s += 3.0
    statistics.restart()
    assert statistics.summary().seconds_without_result == 0.0

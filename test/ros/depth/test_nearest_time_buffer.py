# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The nearest of the last few messages, without ROS."""

from __future__ import annotations

from pose_resnet_ros.ros.depth.nearest_time_buffer import NearestTimeBuffer


def filled(*stamps: int, capacity: int = 10) -> NearestTimeBuffer[str]:
    buffer: NearestTimeBuffer[str] = NearestTimeBuffer(capacity=capacity)
    for stamp in stamps:
        buffer.put(stamp, f"at {stamp}")
    return buffer


def test_nothing_has_come() -> None:
    assert filled().nearest(5, max_offset_ns=100) is None


def test_the_nearest_before_or_after() -> None:
    assert filled(0, 33, 66).nearest(40, max_offset_ns=20) == "at 33"
    assert filled(0, 33, 66).nearest(60, max_offset_ns=20) == "at 66"


def test_the_limit_is_inclusive() -> None:
    assert filled(100).nearest(80, max_offset_ns=20) == "at 100"
    assert filled(100).nearest(79, max_offset_ns=20) is None


def test_only_the_last_ones_are_kept() -> None:
    assert filled(1, 2, 3, capacity=2).nearest(1, max_offset_ns=0) is None
    assert filled(1, 2, 3, capacity=2).nearest(2, max_offset_ns=0) == "at 2"


def test_of_equal_stamps_the_later_message_counts() -> None:
    buffer: NearestTimeBuffer[str] = NearestTimeBuffer(capacity=3)
    buffer.put(5, "first")
    buffer.put(5, "second")
    assert buffer.nearest(5, max_offset_ns=0) == "second"


def test_stamps_that_jump_back_are_found_at_once() -> None:
    assert filled(1000, 1033, 3).nearest(3, max_offset_ns=20) == "at 3"


def test_how_far_the_nearest_is() -> None:
    kept: NearestTimeBuffer[str] = NearestTimeBuffer(capacity=2)
    assert kept.offset_ns(100) is None
    kept.put(100, "a")
    kept.put(170, "b")
    assert [kept.offset_ns(stamp_ns) for stamp_ns in (100, 120, 200)] == [0, 20, 30]

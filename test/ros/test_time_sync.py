# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Pairs by equal stamp, in both orders of arrival, and the nearest of the last few messages; without ROS."""

from __future__ import annotations

from pose_resnet_ros.ros.time_sync import ExactTimeSync, NearestTimeBuffer


def unmatched(join: ExactTimeSync) -> tuple[int, int]:
    return join.unmatched_left, join.unmatched_right


def test_left_first_and_right_first() -> None:
    join: ExactTimeSync[str, str] = ExactTimeSync(capacity=3)
    assert join.put_left(1, "image 1") is None
    assert join.put_right(1, "boxes 1") == ("image 1", "boxes 1")
    assert join.put_right(2, "boxes 2") is None
    assert join.put_left(2, "image 2") == ("image 2", "boxes 2")
    assert unmatched(join) == (0, 0)


def test_a_late_partner_finds_its_message_among_many() -> None:
    join: ExactTimeSync[int, int] = ExactTimeSync(capacity=3)
    for stamp in (1, 2, 3):
        assert join.put_left(stamp, stamp) is None
    assert join.put_right(2, 20) == (2, 20)
    assert unmatched(join) == (1, 0)  # the image at 1 is older than a result
    assert join.put_right(3, 30) == (3, 30)


def test_the_buffer_is_bounded_on_both_sides() -> None:
    join: ExactTimeSync[int, int] = ExactTimeSync(capacity=2)
    for stamp in range(10):
        assert join.put_left(stamp, stamp) is None
        assert join.put_right(1000 + stamp, stamp) is None
    assert unmatched(join) == (8, 8)
    assert join.put_right(7, 0) is None  # given up
    assert join.put_right(9, 0) == (9, 0)


def test_one_nanosecond_apart_is_no_pair() -> None:
    join: ExactTimeSync[str, str] = ExactTimeSync(capacity=2)
    join.put_left(1_000_000_000, "image")
    assert join.put_right(1_000_000_001, "boxes") is None


def test_two_messages_of_one_stamp_keep_the_later_and_count_the_other() -> None:
    join: ExactTimeSync[str, str] = ExactTimeSync(capacity=2)
    join.put_left(5, "camera a")
    join.put_left(5, "camera b")
    assert join.put_right(5, "boxes") == ("camera b", "boxes")
    assert unmatched(join) == (1, 0)


def test_stamps_that_jump_back_pair_again_at_once() -> None:
    join: ExactTimeSync[int, int] = ExactTimeSync(capacity=2)
    join.put_left(100, 100)
    join.put_left(101, 101)
    join.put_left(1, 1)
    assert join.put_right(1, 10) == (1, 10)


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

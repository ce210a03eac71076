# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Pairs by stamp, in both orders of arrival, without ROS."""

from __future__ import annotations

from pose_resnet_ros.ros.external.stamp_join import StampJoin


def unmatched(join: StampJoin) -> tuple[int, int]:
    return join.unmatched_left, join.unmatched_right


def test_left_first_and_right_first() -> None:
    join: StampJoin[str, str] = StampJoin(capacity=3)
    assert join.put_left(1, "image 1") is None
    assert join.put_right(1, "boxes 1") == ("image 1", "boxes 1")
    assert join.put_right(2, "boxes 2") is None
    assert join.put_left(2, "image 2") == ("image 2", "boxes 2")
    assert unmatched(join) == (0, 0)


def test_a_late_partner_finds_its_message_among_many() -> None:
    join: StampJoin[int, int] = StampJoin(capacity=3)
    for stamp in (1, 2, 3):
        assert join.put_left(stamp, stamp) is None
    assert join.put_right(2, 20) == (2, 20)
    assert unmatched(join) == (1, 0)  # the image at 1 is older than a result
    assert join.put_right(3, 30) == (3, 30)


def test_the_buffer_is_bounded_on_both_sides() -> None:
    join: StampJoin[int, int] = StampJoin(capacity=2)
    for stamp in range(10):
        assert join.put_left(stamp, stamp) is None
        assert join.put_right(1000 + stamp, stamp) is None
    assert unmatched(join) == (8, 8)
    assert join.put_right(7, 0) is None  # given up
    assert join.put_right(9, 0) == (9, 0)


def test_one_nanosecond_apart_is_no_pair() -> None:
    join: StampJoin[str, str] = StampJoin(capacity=2)
    join.put_left(1_000_000_000, "image")
    assert join.put_right(1_000_000_001, "boxes") is None


def test_two_messages_of_one_stamp_keep_the_later_and_count_the_other() -> None:
    join: StampJoin[str, str] = StampJoin(capacity=2)
    join.put_left(5, "camera a")
    join.put_left(5, "camera b")
    assert join.put_right(5, "boxes") == ("camera b", "boxes")
    assert unmatched(join) == (1, 0)


def test_stamps_that_jump_back_pair_again_at_once() -> None:
    join: StampJoin[int, int] = StampJoin(capacity=2)
    join.put_left(100, 100)
    join.put_left(101, 101)
    join.put_left(1, 1)
    assert join.put_right(1, 10) == (1, 10)

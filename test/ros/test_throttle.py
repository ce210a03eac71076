# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Repeated warnings, with a clock made by hand."""

from __future__ import annotations

from pose_resnet_ros.ros.throttle import REPEAT_AFTER_S, Throttle


def test_each_kind_speaks_once_and_again_after_a_while() -> None:
    now_s = [100.0]
    throttle = Throttle(clock=lambda: now_s[0])
    assert [throttle.may_say(kind) for kind in ("a", "a", "b", "a")] == [True, False, True, False]
    now_s[0] += REPEAT_AFTER_S
    assert [throttle.may_say(kind) for kind in ("a", "a")] == [True, False]


def test_a_machine_that_just_booted_speaks_too() -> None:
    assert Throttle(clock=lambda: 0.0).may_say("a")

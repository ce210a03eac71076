# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Candidates take turns, and ratios are taken within a round."""

from __future__ import annotations

import numpy as np
import pytest

from pose_resnet_ros.benchmark.latency import Timing, interleaved, ratio


def test_contenders_take_turns_and_every_other_round_goes_backwards():
    calls = []
    samples = interleaved({name: lambda name=name: calls.append(name) for name in ("a", "b", "c")}, rounds=3, warm_up=1)
    assert "".join(calls) == "abccbaabccba"
    assert {name: len(ms) for name, ms in samples.items()} == {"a": 3, "b": 3, "c": 3}


def test_a_timing_is_the_median_and_the_95th_percentile():
    assert Timing.of(np.arange(1.0, 102.0)) == Timing(median_ms=51.0, p95_ms=96.0, rounds=101)


def test_a_ratio_is_taken_within_a_round():
    # The machine was ten times slower in the second round: both met that alike.
    assert ratio(np.array([2.0, 20.0, 2.0]), np.array([1.0, 10.0, 1.0])) == pytest.approx(2.0)

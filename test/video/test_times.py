# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import pytest

from pose_resnet_ros.video.frames import FrameTimes


def times(told: list[float | None], fps: float | None) -> list[float]:
    clock = FrameTimes(fps)
    return [clock.of(told_s) for told_s in told]


@pytest.mark.parametrize(
    ("told", "fps", "expected"),
    [
        ([5.0, 5.1, 5.4], 10.0, [0.0, 0.1, 0.4]),  # a variable rate, from the first frame on
        ([0.0, 0.1, 0.1, 0.2], 10.0, [0.0, 0.1, 0.101, 0.2]),  # the same time twice
        ([0.0, 0.2, 0.1, 0.3], 10.0, [0.0, 0.2, 0.201, 0.3]),  # a step back
        ([90.0, 90.1, 0.0, 0.1], 10.0, [0.0, 0.1, 0.2, 0.3]),  # two recordings joined
        ([None, None, None], 10.0, [0.0, 0.1, 0.2]),
        ([None, 7.0, 7.1], 10.0, [0.0, 0.1, 0.2]),
        ([None, None], None, [0.0, 0.04]),
        ([0.0, 1 / 30_000, 2 / 30_000], 30_000.0, [0.0, 0.04, 0.08]),  # neither the rate nor the times can be
        ([0.0, 0.1, 0.4], 90_000.0, [0.0, 0.1, 0.4]),  # the rate cannot be, the times can
        ([0.0, 0.1, 0.4], None, [0.0, 0.1, 0.4]),
    ],
)
def test_times_grow_and_are_believable(told: list[float | None], fps: float | None, expected: list[float]) -> None:
    assert times(told, fps) == pytest.approx(expected)

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The time of frames, which goes forward but for two reasons: a driver stamps a frame a little too early now and then, or the
source begins again (a bag that loops, a simulation that is reset).
"""

from __future__ import annotations

# Drivers step back by milliseconds; a bag that loops, however short, by more than this.
MAX_STEP_BACK_S = 0.1


def in_order(stamp_s: float, last_s: float | None) -> float:
    """The stamp in seconds, or the last frame's where it lies before that by at most MAX_STEP_BACK_S.

    So an answer below last_s means that the source began again. last_s: None before the first frame.
    """
    if last_s is not None and 0.0 < last_s - stamp_s <= MAX_STEP_BACK_S:
        return last_s
    return stamp_s

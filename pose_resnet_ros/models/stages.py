# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The time that each stage of a frame takes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

# In the order they happen; "detect" and "pose" are the two networks, the others run in this package.
STAGES = ("letterbox", "detect", "boxes", "crop", "pose", "decode")


class StageClock:
    """Adds up wall-clock time by stage.

    >>> clock = StageClock()
    >>> with clock.stage("crop"):
    ...     pass
    >>> list(clock.ms)
    ['crop']
    """

    def __init__(self) -> None:
        self.ms: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.ms[name] = self.ms.get(name, 0.0) + 1e3 * (time.perf_counter() - begin)

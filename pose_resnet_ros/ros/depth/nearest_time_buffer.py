# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The last few messages of a stream, to be asked for the one nearest in time. No ROS in here; safe between threads."""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class NearestTimeBuffer(Generic[T]):
    """Keeps the newest ``capacity`` messages by arrival. Stamps may jump: only distance counts."""

    def __init__(self, *, capacity: int) -> None:
        self._messages: deque[tuple[int, T]] = deque(maxlen=capacity)
        self._lock = threading.Lock()

    def put(self, stamp_ns: int, message: T) -> None:
        with self._lock:
            self._messages.append((stamp_ns, message))

    def nearest(self, stamp_ns: int, *, max_offset_ns: int) -> T | None:
        """The message nearest to the stamp, the later one of two equally near; None if all are further than max_offset_ns."""
        found = self._nearest(stamp_ns)
        return None if found is None or abs(found[0] - stamp_ns) > max_offset_ns else found[1]

    def offset_ns(self, stamp_ns: int) -> int | None:
        """How far the nearest message is from the stamp; None where there is none at all."""
        found = self._nearest(stamp_ns)
        return None if found is None else abs(found[0] - stamp_ns)

    def _nearest(self, stamp_ns: int) -> tuple[int, T] | None:
        with self._lock:
            return min(reversed(self._messages), key=lambda entry: abs(entry[0] - stamp_ns), default=None)

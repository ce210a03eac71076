# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Messages that belong together in time, by ``header.stamp``. Imports no ROS."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from typing import Any, Generic, TypeVar

A = TypeVar("A")
B = TypeVar("B")


def stamp_ns(message: Any) -> int:
    """Nanoseconds of the message's ``header.stamp``; 0: not stamped."""
    return message.header.stamp.sec * 1_000_000_000 + message.header.stamp.nanosec


class NearestTimeBuffer(Generic[A]):
    """The newest ``capacity`` messages by arrival, searched for the one nearest in time. Stamps may jump. Thread-safe."""

    def __init__(self, *, capacity: int) -> None:
        self._messages: deque[tuple[int, A]] = deque(maxlen=capacity)
        self._lock = threading.Lock()

    def put(self, stamp_ns: int, message: A) -> None:
        with self._lock:
            self._messages.append((stamp_ns, message))

    def nearest(self, stamp_ns: int, *, max_offset_ns: int) -> A | None:
        """The message nearest to the stamp, the later one of two equally near; None if all are further than max_offset_ns."""
        found = self._nearest(stamp_ns)
        return None if found is None or abs(found[0] - stamp_ns) > max_offset_ns else found[1]

    def offset_ns(self, stamp_ns: int) -> int | None:
        """How far the nearest message is from the stamp; None where there is none at all."""
        found = self._nearest(stamp_ns)
        return None if found is None else abs(found[0] - stamp_ns)

    def _nearest(self, stamp_ns: int) -> tuple[int, A] | None:
        with self._lock:
            return min(reversed(self._messages), key=lambda entry: abs(entry[0] - stamp_ns), default=None)


class ExactTimeSync(Generic[A, B]):
    """Pairs two streams, left and right, by equal stamp, whichever of the two messages comes first. For one thread.

    Of each stream at most ``capacity`` messages wait for their partner. Results follow the images' order, so a complete pair
    drops and counts whatever is older.

    unmatched_left, unmatched_right: messages given up without a partner so far.
    """

    def __init__(self, *, capacity: int) -> None:
        self._capacity = capacity
        self._left: OrderedDict[int, A] = OrderedDict()  # in order of arrival
        self._right: OrderedDict[int, B] = OrderedDict()
        self.unmatched_left = 0
        self.unmatched_right = 0

    def put_left(self, stamp_ns: int, message: A) -> tuple[A, B] | None:
        """The pair that this message completes, if its partner is here."""
        partner = self._right.pop(stamp_ns, None)
        if partner is None:
            self.unmatched_left += _keep(self._left, stamp_ns, message, self._capacity)
            return None
        self._drop_older(stamp_ns)
        return message, partner

    def put_right(self, stamp_ns: int, message: B) -> tuple[A, B] | None:
        """The pair that this message completes, if its partner is here."""
        partner = self._left.pop(stamp_ns, None)
        if partner is None:
            self.unmatched_right += _keep(self._right, stamp_ns, message, self._capacity)
            return None
        self._drop_older(stamp_ns)
        return partner, message

    def _drop_older(self, stamp_ns: int) -> None:
        self.unmatched_left += _drop_before(self._left, stamp_ns)
        self.unmatched_right += _drop_before(self._right, stamp_ns)


def _keep(waiting: OrderedDict, stamp_ns: int, message: object, capacity: int) -> int:
    """Store the message; returns how many it put out: an equal stamp's, or the longest-waiting one's place."""
    replaced = waiting.pop(stamp_ns, None) is not None
    waiting[stamp_ns] = message
    if len(waiting) > capacity:
        waiting.popitem(last=False)
        return 1
    return int(replaced)


def _drop_before(waiting: OrderedDict, stamp_ns: int) -> int:
    older = [key for key in waiting if key < stamp_ns]
    for key in older:
        del waiting[key]
    return len(older)

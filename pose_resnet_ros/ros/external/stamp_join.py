# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Pairs two streams of messages by equal stamp, whichever of the two comes first. No ROS in here.

Bounded: of each stream at most ``capacity`` messages wait for their partner. A pair that is complete makes whatever is older
useless (results follow the images' order), so it is dropped and counted. One thread only.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

A = TypeVar("A")
B = TypeVar("B")


class StampJoin(Generic[A, B]):
    """Two sides, left and right; a stamp is any number that identifies a moment (nanoseconds).

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

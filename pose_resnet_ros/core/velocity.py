# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""How fast tracked persons move: the slope of the straight line through the positions of the last second (least squares)."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np

WINDOW_S = 1.0
MIN_POSITIONS = 3
MIN_SPAN_S = 0.25  # over less, the noise of the depth is larger than what a person moves


class VelocityEstimator:
    """One camera's persons; call it with each image, in the order of time.

    The line's slope is the velocity in the middle of the window: it follows a change after about half a second.
    """

    def __init__(self) -> None:
        self._tracks: dict[int, deque[tuple[float, np.ndarray]]] = {}
        self._stamp_s = -np.inf

    def update(self, stamp_s: float, track_ids: np.ndarray, positions_xyz: np.ndarray, is_valid: np.ndarray) -> np.ndarray:
        """(N, 3) float64 metres per second; NaN for a person without a position or not tracked for long enough.

        track_ids: (N,), -1 where not tracked; positions_xyz: (N, 3) metres; is_valid: (N,) bool. When time goes back, as in a
        recording that starts anew, everything before is forgotten.
        """
        if stamp_s < self._stamp_s:
            self._tracks = {}
        self._stamp_s = stamp_s
        for row in np.flatnonzero(is_valid & (track_ids >= 0)).tolist():
            self._tracks.setdefault(int(track_ids[row]), deque()).append((stamp_s, positions_xyz[row].astype(np.float64)))
        self._forget()
        velocities = np.full((len(track_ids), 3), np.nan)
        for row in np.flatnonzero(is_valid).tolist():
            velocities[row] = _slope(list(self._tracks.get(int(track_ids[row]), ())))
        return velocities

    def _forget(self) -> None:
        """What is older than the window, and persons of whom nothing is left."""
        for track_id, seen in list(self._tracks.items()):
            while seen and seen[0][0] < self._stamp_s - WINDOW_S:
                seen.popleft()
            if not seen:
                del self._tracks[track_id]


def _slope(seen: Sequence[tuple[float, np.ndarray]]) -> np.ndarray:
    """(3,) metres per second; NaN for too little to go by."""
    if len(seen) < MIN_POSITIONS or seen[-1][0] - seen[0][0] < MIN_SPAN_S:
        return np.full(3, np.nan)
    times, positions = (np.array(column) for column in zip(*seen, strict=True))
    times -= times.mean()
    return np.asarray(times @ (positions - positions.mean(axis=0)) / (times @ times))

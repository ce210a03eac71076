# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Where a person's box goes: a Kalman filter with constant velocity.

The filter of SORT (Bewley et al., "Simple online and realtime tracking", 2016), with noises in shares of the person's height
as DeepSORT has them (Wojke et al., 2017), and over real time, since frames may be dropped. Centre, width and height have the same
noises, so that one covariance serves all four; a box's size is smoothed but does not go on growing by itself.
"""

from __future__ import annotations

import numpy as np

from pose_resnet_ros.core.boxes import centre_size_from_xyxy, xyxy_from_centre_size

# In heights: a detector's box jitters by a few percent; a walker covers about half a height in a second, and stops as quickly.
BOX_NOISE = 0.05
SPEED_AT_FIRST = 0.5  # a second
ACCELERATION = 0.5  # a second squared


class BoxMotion:
    """One person's box over time.

    box_xyxy: (4,) float64, the estimate at ``stamp_s``; moved_px: (2,) how far its centre was predicted to go since the last
    ``correct``.
    """

    def __init__(self, box_xyxy: np.ndarray, stamp_s: float) -> None:
        self._box = centre_size_from_xyxy(np.asarray(box_xyxy, np.float64)[None])[0]
        self._velocity_px_s = np.zeros(4)
        self._covariance = np.diag([BOX_NOISE**2, SPEED_AT_FIRST**2])  # of place and velocity, in heights
        self._stamp_s = stamp_s
        self.moved_px = np.zeros(2)

    @property
    def box_xyxy(self) -> np.ndarray:
        return xyxy_from_centre_size(self._box[None])[0]

    @property
    def velocity_px_s(self) -> np.ndarray:
        """(2,) of the centre."""
        return self._velocity_px_s[:2]

    def predict(self, stamp_s: float) -> None:
        """Go on to that time, which is not before the last one."""
        elapsed_s = stamp_s - self._stamp_s
        step = np.array([[1, elapsed_s], [0, 1]])
        pushed = np.array([elapsed_s**2 / 2, elapsed_s])  # by an acceleration of 1
        self._covariance = step @ self._covariance @ step.T + ACCELERATION**2 * np.outer(pushed, pushed)
        self._box = self._box + self._velocity_px_s * elapsed_s
        self.moved_px = self.moved_px + self.velocity_px_s * elapsed_s
        self._stamp_s = stamp_s

    def correct(self, box_xyxy: np.ndarray) -> None:
        """The person was seen here, at the time last predicted for."""
        seen = centre_size_from_xyxy(np.asarray(box_xyxy, np.float64)[None])[0]
        gain = self._covariance[:, 0] / (self._covariance[0, 0] + BOX_NOISE**2)  # (2,) for place and velocity
        surprise = seen - self._box
        self._box = self._box + gain[0] * surprise
        self._velocity_px_s[:2] = self._velocity_px_s[:2] + gain[1] * surprise[:2]
        self._covariance = self._covariance - np.outer(gain, self._covariance[0])
        self.moved_px = np.zeros(2)

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Filters over time: a person's box (Kalman) and its keypoints (One-Euro)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pose_resnet_ros.core.boxes import centre_size_from_xyxy, xyxy_from_centre_size
from pose_resnet_ros.core.types import People

# In heights: a detector's box jitters by a few percent; a walker covers about half a height in a second, and stops as quickly.
BOX_NOISE = 0.05
SPEED_AT_FIRST = 0.5  # a second
ACCELERATION = 0.5  # a second squared

SPEED_CUTOFF_HZ = 1.0  # the paper's value for the smoothing of the speed itself
MAX_GAP_S = 1.0  # a person unseen for longer starts afresh


class BoxMotion:
    """One person's box over time: a Kalman filter with constant velocity.

    The filter of SORT (Bewley et al., "Simple online and realtime tracking", 2016), with noises in shares of the person's height
    as DeepSORT has them (Wojke et al., 2017), and over real time, since frames may be dropped. Centre, width and height have the
    same noises, so that one covariance serves all four; a box's size is smoothed but does not go on growing by itself.

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


@dataclass(frozen=True)
class _State:
    """One person's filter: points as measured and smoothed (K, 2), smoothed velocity (K, 2) in pixels a second, their stamp."""

    measured_xy: np.ndarray
    smoothed_xy: np.ndarray
    velocity_px_s: np.ndarray
    stamp_s: float


class KeypointSmoother:
    """One-Euro smoothing of the keypoints of persons that have a track id.

    Source: Casiez, Roussel, Vogel, "1 euro filter: a simple speed-based low-pass filter for noisy input in interactive systems"
    (CHI 2012). Two choices of ours: speed is that of the point (not of x and y apart, which would depend on how the camera is
    turned), and it counts in person sizes a second, so that one setting serves near and far persons.

    Lag: a joint that moves at a steady speed v (sizes a second) trails by 1 / (2 pi (min_cutoff_hz + beta v)) seconds: 27 ms at
    the default setting and one size a second. Nothing else is delayed: each frame's result is published with that frame.
    """

    def __init__(self) -> None:
        self._states: dict[int, _State] = {}

    def reset(self) -> None:
        """Drop all persons."""
        self._states = {}

    def update(
        self, people: People, track_ids: np.ndarray, *, stamp_s: float, min_cutoff_hz: float = 1.0, beta: float = 5.0
    ) -> np.ndarray:
        """(N, K, 2): the persons' smoothed keypoints. A stamp that jumps back, or a gap of more than MAX_GAP_S, starts afresh.

        track_ids: (N,); min_cutoff_hz: how much a still joint is smoothed (lower: more); beta: Hz of cutoff gained by one person
        size a second.
        """
        fresh = {key: s for key, s in self._states.items() if 0 <= stamp_s - s.stamp_s <= MAX_GAP_S}
        keypoints_xy = people.keypoints_xy.copy()
        for row in np.flatnonzero(track_ids >= 0):
            key = int(track_ids[row])
            size_px = _size(people.boxes_xyxy[row])
            fresh[key] = _step(fresh.get(key), people.keypoints_xy[row], size_px, stamp_s, min_cutoff_hz, beta)
            keypoints_xy[row] = fresh[key].smoothed_xy
        self._states = fresh
        return keypoints_xy


def _step(
    last: _State | None, measured_xy: np.ndarray, size_px: float, stamp_s: float, min_cutoff_hz: float, beta: float
) -> _State:
    if last is None or stamp_s == last.stamp_s:  # no time has passed: no speed can be told
        return _State(measured_xy, measured_xy, np.zeros(measured_xy.shape), stamp_s)
    elapsed_s = stamp_s - last.stamp_s
    step = (measured_xy - last.measured_xy) / elapsed_s
    velocity = last.velocity_px_s + _gain(SPEED_CUTOFF_HZ, elapsed_s) * (step - last.velocity_px_s)
    speed = np.linalg.norm(velocity, axis=1, keepdims=True) / size_px  # (K, 1) person sizes a second
    gain = _gain(min_cutoff_hz + beta * speed, elapsed_s)
    return _State(measured_xy, last.smoothed_xy + gain * (measured_xy - last.smoothed_xy), velocity, stamp_s)


def _gain(cutoff_hz: float | np.ndarray, elapsed_s: float) -> float | np.ndarray:
    """The share that a new value takes in a first-order low-pass filter: 1 / (1 + tau / dt) with tau = 1 / (2 pi cutoff)."""
    return 1 / (1 + 1 / (2 * math.pi * cutoff_hz * elapsed_s))


def _size(box_xyxy: np.ndarray) -> float:
    """The person's size: the larger side of its box, in pixels."""
    return max(float((box_xyxy[2:] - box_xyxy[:2]).max()), 1.0)

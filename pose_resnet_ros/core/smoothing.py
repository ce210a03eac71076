# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""One-Euro smoothing of each tracked person's keypoints.

Source: Casiez, Roussel, Vogel, "1 euro filter: a simple speed-based low-pass filter for noisy input in interactive systems"
(CHI 2012). Two choices of ours: speed is that of the point (not of x and y apart, which would depend on how the camera is
turned), and it counts in person sizes a second, so that one setting serves near and far persons.

Lag: a joint that moves at a steady speed v (sizes a second) trails by 1 / (2 pi (min_cutoff_hz + beta v)) seconds: 27 ms at
the default setting and one size a second. Nothing else is delayed: each frame's result is published with that frame.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from pose_resnet_ros.core.types import People

SPEED_CUTOFF_HZ = 1.0  # the paper's value for the smoothing of the speed itself
MAX_GAP_S = 1.0  # a person unseen for longer starts afresh


@dataclass(frozen=True)
class SmoothingSettings:
    """min_cutoff_hz: how much a still joint is smoothed (lower: more); beta: Hz of cutoff gained by one person size a second."""

    enabled: bool = False
    min_cutoff_hz: float = 1.0
    beta: float = 5.0


@dataclass(frozen=True)
class _State:
    """One person's filter: points as measured and smoothed (K, 2), smoothed velocity (K, 2) in pixels a second, their stamp."""

    measured_xy: np.ndarray
    smoothed_xy: np.ndarray
    velocity_px_s: np.ndarray
    stamp_s: float


class KeypointSmoother:
    """Smooths keypoints_xy of persons that have a track id; everything else, the scores above all, stays as it is."""

    def __init__(self, settings: SmoothingSettings) -> None:
        self.settings = settings
        self._states: dict[int, _State] = {}

    def reset(self) -> None:
        """Forget everybody."""
        self._states = {}

    def update(self, people: People, *, stamp_s: float) -> People:
        """The same persons with smoothed keypoints. A stamp that jumps back, or a gap of more than MAX_GAP_S, starts afresh."""
        if not self.settings.enabled:
            return people
        fresh = {key: s for key, s in self._states.items() if 0 <= stamp_s - s.stamp_s <= MAX_GAP_S}
        keypoints_xy = people.keypoints_xy.copy()
        for row in np.flatnonzero(people.track_ids >= 0):
            key = int(people.track_ids[row])
            fresh[key] = self._step(fresh.get(key), people.keypoints_xy[row], _size(people.boxes_xyxy[row]), stamp_s)
            keypoints_xy[row] = fresh[key].smoothed_xy
        self._states = fresh
        return replace(people, keypoints_xy=keypoints_xy)

    def _step(self, last: _State | None, measured_xy: np.ndarray, size_px: float, stamp_s: float) -> _State:
        if last is None or stamp_s == last.stamp_s:  # no time has passed: no speed can be told
            return _State(measured_xy, measured_xy, np.zeros(measured_xy.shape), stamp_s)
        elapsed_s = stamp_s - last.stamp_s
        step = (measured_xy - last.measured_xy) / elapsed_s
        velocity = last.velocity_px_s + _gain(SPEED_CUTOFF_HZ, elapsed_s) * (step - last.velocity_px_s)
        speed = np.linalg.norm(velocity, axis=1, keepdims=True) / size_px  # (K, 1) person sizes a second
        gain = _gain(self.settings.min_cutoff_hz + self.settings.beta * speed, elapsed_s)
        return _State(measured_xy, last.smoothed_xy + gain * (measured_xy - last.smoothed_xy), velocity, stamp_s)


def _gain(cutoff_hz: float | np.ndarray, elapsed_s: float) -> float | np.ndarray:
    """The share that a new value takes in a first-order low-pass filter: 1 / (1 + tau / dt) with tau = 1 / (2 pi cutoff)."""
    return 1 / (1 + 1 / (2 * math.pi * cutoff_hz * elapsed_s))


def _size(box_xyxy: np.ndarray) -> float:
    """The person's size: the larger side of its box, in pixels."""
    return max(float((box_xyxy[2:] - box_xyxy[:2]).max()), 1.0)

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Persons that keep their number: each frame's persons are assigned to the tracks of the frames before.

The scheme of SORT (Bewley et al., "Simple online and realtime tracking", 2016), with a damped velocity in place of the Kalman
filter: predict each track's box, score every (track, person) pair, solve the assignment (Hungarian method), drop pairs that
are too unlike. There is no clock here: time is the frames' stamps, in seconds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy.optimize import linear_sum_assignment

from pose_resnet_ros.core.boxes import areas, iou_matrix
from pose_resnet_ros.core.oks import oks_matrix
from pose_resnet_ros.core.types import People

# Boxes jitter by a few pixels, so one frame's difference is no velocity yet: it is averaged over about this time.
VELOCITY_TIME_S = 0.5
# A silhouette fills about half of its box, and OKS is defined by the silhouette (0.53: customary where only boxes are known).
SILHOUETTE_SHARE = 0.53


@dataclass(frozen=True)
class TrackerSettings:
    """How persons are assigned to tracks.

    kind: what makes two persons alike: their boxes (iou) or their keypoints (oks); none leaves every track_id at -1;
    min_similarity: pairs below it (0..1) are never the same person; confirm_hits: frames in a row that a new person must be
    seen in before it gets a number; max_age_s: a numbered person unseen for longer is forgotten.
    """

    kind: Literal["none", "iou", "oks"] = "iou"
    min_similarity: float = 0.2
    confirm_hits: int = 2
    max_age_s: float = 1.0


@dataclass
class _Track:
    """What is remembered of one person: as last seen, at stamp_s."""

    box_xyxy: np.ndarray  # (4,)
    keypoints_xy: np.ndarray  # (K, 2)
    stamp_s: float
    velocity_px_s: np.ndarray  # (2,) of the box's centre
    hits: int = 1
    track_id: int = -1  # -1 until confirmed

    def shift_at(self, stamp_s: float) -> np.ndarray:
        """Where the person should have gone since it was last seen: (2,) pixels."""
        return self.velocity_px_s * (stamp_s - self.stamp_s)


class Tracker:
    """Gives persons their track ids.

    Ids count from 1 and are never used twice, also not after a reset, so that no consumer mistakes one person for another.

    oks_sigmas: (K,) the joints' standard deviations as COCO defines them; needed for kind oks.
    """

    def __init__(self, settings: TrackerSettings, *, oks_sigmas: Sequence[float] | None = None) -> None:
        if settings.kind == "oks" and oks_sigmas is None:
            raise ValueError("tracker oks: expected the skeleton's OKS sigmas, got none")
        self.settings = settings
        self._oks_sigmas = np.asarray([] if oks_sigmas is None else oks_sigmas)
        self._tracks: list[_Track] = []
        self._last_id = 0
        self._last_stamp_s = -np.inf

    def reset(self) -> None:
        """Forget everybody: the next frame's persons are new."""
        self._tracks = []
        self._last_stamp_s = -np.inf

    def update(self, people: People, *, stamp_s: float) -> People:
        """The same persons in the same order, with track_ids; -1 for those not confirmed yet.

        stamp_s: the frame's time in seconds. A stamp before the last one (a bag that loops, simulation restarted) resets.
        """
        if self.settings.kind == "none":
            return people
        if stamp_s < self._last_stamp_s:
            self.reset()
        self._last_stamp_s = stamp_s
        self._forget_old(stamp_s)
        pairs = self._match(people, stamp_s)
        for track, row in pairs:
            self._see_again(track, people, row, stamp_s)
        seen = {id(track) for track, _ in pairs}
        self._tracks = [t for t in self._tracks if id(t) in seen or t.track_id > 0]
        return self._numbered(people, pairs, stamp_s)

    def _forget_old(self, stamp_s: float) -> None:
        self._tracks = [t for t in self._tracks if stamp_s - t.stamp_s <= self.settings.max_age_s]

    def _match(self, people: People, stamp_s: float) -> list[tuple[_Track, int]]:
        """Pairs (track, row of people), each at most once, of the largest total similarity."""
        if not self._tracks or not len(people):
            return []
        similarity = self._similarity(people, stamp_s)  # (T, N)
        alike = similarity >= self.settings.min_similarity
        # Pairs that are too unlike weigh nothing, so that they cannot push a good pair aside.
        rows, columns = linear_sum_assignment(np.where(alike, similarity, 0.0), maximize=True)
        return [(self._tracks[t], int(n)) for t, n in zip(rows, columns, strict=True) if alike[t, n]]

    def _similarity(self, people: People, stamp_s: float) -> np.ndarray:
        shifts = np.stack([t.shift_at(stamp_s) for t in self._tracks])  # (T, 2)
        boxes = np.stack([t.box_xyxy for t in self._tracks]) + np.tile(shifts, 2)  # (T, 4)
        if self.settings.kind == "iou":
            return iou_matrix(boxes, people.boxes_xyxy)
        keypoints = np.stack([t.keypoints_xy for t in self._tracks]) + shifts[:, None]  # (T, K, 2)
        return oks_matrix(
            keypoints,
            people.keypoints_xy,
            areas=SILHOUETTE_SHARE * areas(boxes),
            other_areas=SILHOUETTE_SHARE * areas(people.boxes_xyxy),
            sigmas=self._oks_sigmas,
        )

    def _see_again(self, track: _Track, people: People, row: int, stamp_s: float) -> None:
        box = people.boxes_xyxy[row]
        elapsed_s = stamp_s - track.stamp_s
        if elapsed_s > 0:
            measured = (_center(box) - _center(track.box_xyxy)) / elapsed_s
            gain = 1 - math.exp(-elapsed_s / VELOCITY_TIME_S)
            track.velocity_px_s = track.velocity_px_s + gain * (measured - track.velocity_px_s)
        track.box_xyxy, track.keypoints_xy, track.stamp_s = box, people.keypoints_xy[row], stamp_s
        track.hits += 1

    def _numbered(self, people: People, pairs: list[tuple[_Track, int]], stamp_s: float) -> People:
        tracks = {row: track for track, row in pairs}
        for row in range(len(people)):
            if row not in tracks:
                tracks[row] = _new_track(people, row, stamp_s)
                self._tracks.append(tracks[row])
        for _, track in sorted(tracks.items()):
            if track.track_id < 0 and track.hits >= self.settings.confirm_hits:
                self._last_id += 1
                track.track_id = self._last_id
        ids = [tracks[row].track_id for row in range(len(people))]
        return replace(people, track_ids=np.array(ids, np.int32).reshape(-1))


def _new_track(people: People, row: int, stamp_s: float) -> _Track:
    return _Track(
        box_xyxy=people.boxes_xyxy[row],
        keypoints_xy=people.keypoints_xy[row],
        stamp_s=stamp_s,
        velocity_px_s=np.zeros(2),
    )


def _center(box_xyxy: np.ndarray) -> np.ndarray:
    return (box_xyxy[:2] + box_xyxy[2:]) / 2

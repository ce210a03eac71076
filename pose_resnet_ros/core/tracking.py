# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Persons that keep their number: each frame's persons are assigned to the tracks of the frames before.

The scheme of SORT (Bewley et al., "Simple online and realtime tracking", 2016): predict each track's box (``core.filters``),
score every (track, person) pair, solve the assignment (Hungarian method), drop pairs that are too unlike. As in ByteTrack
(Zhang et al., 2022) tracks that were seen in the last frame and tracks that were not are assigned together, so that somebody
who comes out from behind another is not taken for that other. The colours of the clothes (``core.appearance``), where they are
given, decide between persons who are near each other. There is no clock here: time is the frames' stamps, in seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from pose_resnet_ros.core.appearance import appearance_similarity
from pose_resnet_ros.core.boxes import areas, centre_size_from_xyxy, iou_matrix, oks_matrix
from pose_resnet_ros.core.filters import BoxMotion
from pose_resnet_ros.core.types import People

MAX_STEP_BACK_S = 0.1  # of stamps: drivers step back by milliseconds; a bag that loops, however short, by more than this

# A silhouette fills about half of its box, and OKS is defined by the silhouette (0.53: customary where only boxes are known).
SILHOUETTE_SHARE = 0.53

# Found on one part of a street scene, measured on another; none is critical: see docs/tracking.md.
APPEARANCE_WEIGHT = 0.7  # against place, in a pair's total
# Whoever was out of sight need not overlap with the prediction; instead of that:
REACH_HEIGHTS = 0.5  # a person is looked for within this distance of the predicted place, in its own heights,
REACH_HEIGHTS_S = 1.0  # and this much farther with each second,
# and must look like itself (two sights of one person are about 0.9 alike, of two persons 0.6);
SAME_APPEARANCE = 0.75
LOST_HANDICAP = 0.1  # whoever is in sight is the likelier one.
ALONE_IOU = 0.2  # a box that overlaps more with another one shows the other's clothes too
APPEARANCE_GAIN = 0.2  # of each new sight in the remembered appearance


@dataclass
class _Track:
    """What is remembered of one person."""

    motion: BoxMotion
    seen_s: float
    keypoints_xy: np.ndarray  # (K, 2) as last seen
    appearance: np.ndarray | None  # (L,)
    hits: int = 1
    track_id: int = -1  # -1 until confirmed


@dataclass(frozen=True, eq=False)
class _Frame:
    """One frame's persons; appearance: (N, L) or None; similarity, min_similarity: arguments of ``PoseTracker.update``."""

    people: People
    appearance: np.ndarray | None
    stamp_s: float
    last_stamp_s: float
    similarity: str
    min_similarity: float


class PoseTracker:
    """Gives persons their track ids.

    Ids count from 1 and are never used twice, also not after a reset, so that no consumer mistakes one person for another.

    oks_sigmas: (K,) the joints' standard deviations as COCO defines them.
    """

    def __init__(self, *, oks_sigmas: Sequence[float]) -> None:
        self._oks_sigmas = np.asarray(oks_sigmas)
        self._tracks: list[_Track] = []
        self._last_id = 0
        self._last_stamp_s = -np.inf

    def reset(self) -> None:
        """Drop all tracks: the next frame's persons are new."""
        self._tracks = []
        self._last_stamp_s = -np.inf

    def update(
        self,
        people: People,
        *,
        stamp_s: float,
        appearance: np.ndarray | None = None,
        similarity: str = "iou",
        min_similarity: float = 0.2,
        confirm_hits: int = 2,
        max_age_s: float = 2.0,
    ) -> np.ndarray:
        """(N,) int32: the persons' track ids, row by row; -1 for those not confirmed yet.

        stamp_s: the frame's time in seconds. A stamp before the last one (a bag that loops, simulation restarted) resets.
        appearance: (N, L) ``core.appearance`` of the persons; without it a pair is judged by place alone.
        similarity: of boxes (iou) or of keypoints (oks); min_similarity: from one frame to the next, pairs below it (0..1) are
        never the same person; confirm_hits: frames in a row that a new person must be seen in before it gets a number;
        max_age_s: a numbered person unseen for longer is forgotten.
        """
        if stamp_s < self._last_stamp_s:
            self.reset()
        frame = _Frame(people, appearance, stamp_s, self._last_stamp_s, similarity, min_similarity)
        self._last_stamp_s = stamp_s
        self._tracks = [t for t in self._tracks if stamp_s - t.seen_s <= max_age_s]
        for track in self._tracks:
            track.motion.predict(stamp_s)
        pairs = self._match(frame)
        unoccluded = _unoccluded(people.boxes_xyxy)
        for track, row in pairs:
            _see_again(track, frame, row, with_appearance=bool(unoccluded[row]))
        seen = {id(track) for track, _ in pairs}
        self._tracks = [t for t in self._tracks if id(t) in seen or t.track_id > 0]
        return self._numbered(frame, pairs, confirm_hits)

    def _match(self, frame: _Frame) -> list[tuple[_Track, int]]:
        """Pairs (track, row of people), each at most once: those without a number get what the numbered ones leave."""
        rows = np.arange(len(frame.people))
        pairs = self._assign([t for t in self._tracks if t.track_id > 0], rows, frame)
        left = np.setdiff1d(rows, [row for _, row in pairs])
        return pairs + self._assign([t for t in self._tracks if t.track_id < 0], left, frame)

    def _assign(self, tracks: list[_Track], rows: np.ndarray, frame: _Frame) -> list[tuple[_Track, int]]:
        """The pairs of the largest total."""
        if not tracks or not len(rows):
            return []
        totals, possible = self._totals(tracks, rows, frame)
        # Pairs that are too unlike weigh nothing, so that they cannot push a good pair aside.
        chosen = linear_sum_assignment(np.where(possible, totals, 0.0), maximize=True)
        return [(tracks[t], int(rows[n])) for t, n in zip(*chosen, strict=True) if possible[t, n]]

    def _totals(self, tracks: list[_Track], rows: np.ndarray, frame: _Frame) -> tuple[np.ndarray, np.ndarray]:
        """What speaks for each pair (T, N), and which pairs may be (T, N) bool."""
        similarity = self._similarity(tracks, frame, rows)
        appearance = _similarity_of_appearance(tracks, rows, frame)
        unseen_s = np.array([[frame.stamp_s - t.seen_s] for t in tracks])
        lost = np.array([[t.seen_s < frame.last_stamp_s] for t in tracks])
        nearness, in_reach = _nearness(tracks, frame.people.boxes_xyxy[rows], unseen_s)
        place = np.where(lost, np.maximum(similarity, nearness / 2), similarity)
        totals = (1 - APPEARANCE_WEIGHT) * place + APPEARANCE_WEIGHT * appearance - LOST_HANDICAP * lost
        return totals, np.where(lost, in_reach & (appearance >= SAME_APPEARANCE), similarity >= frame.min_similarity)

    def _similarity(self, tracks: list[_Track], frame: _Frame, rows: np.ndarray) -> np.ndarray:
        boxes = np.stack([t.motion.box_xyxy for t in tracks])
        others = frame.people.boxes_xyxy[rows]
        if frame.similarity == "iou":
            return iou_matrix(boxes, others)
        return oks_matrix(
            np.stack([t.keypoints_xy + t.motion.moved_px for t in tracks]),
            frame.people.keypoints_xy[rows],
            areas=SILHOUETTE_SHARE * areas(boxes),
            other_areas=SILHOUETTE_SHARE * areas(others),
            sigmas=self._oks_sigmas,
        )

    def _numbered(self, frame: _Frame, pairs: list[tuple[_Track, int]], confirm_hits: int) -> np.ndarray:
        tracks = {row: track for track, row in pairs}
        for row in range(len(frame.people)):
            if row not in tracks:
                tracks[row] = _new_track(frame, row)
                self._tracks.append(tracks[row])
        for _, track in sorted(tracks.items()):
            if track.track_id < 0 and track.hits >= confirm_hits:
                self._last_id += 1
                track.track_id = self._last_id
        return np.array([tracks[row].track_id for row in range(len(frame.people))], np.int32)


def id_text(track_id: int) -> str:
    """``Detection2D.id`` of vision_msgs: the same for the same person, empty where a person has no id yet."""
    return str(track_id) if track_id > 0 else ""


def _nearness(tracks: list[_Track], boxes_xyxy: np.ndarray, unseen_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For persons out of sight, (T, N): 1 at the predicted place and falling off towards the reach; who is within reach."""
    ours = centre_size_from_xyxy(np.stack([t.motion.box_xyxy for t in tracks]))[:, None]
    others = centre_size_from_xyxy(boxes_xyxy)[None]
    heights = (ours[..., 3] + others[..., 3]) / 2
    distance = np.linalg.norm(ours[..., :2] - others[..., :2], axis=2) / heights
    share = distance / (REACH_HEIGHTS + REACH_HEIGHTS_S * unseen_s)
    return np.exp(-2 * share**2), share < 1


def _similarity_of_appearance(tracks: list[_Track], rows: np.ndarray, frame: _Frame) -> np.ndarray:
    """(T, N); 1 where the appearance is not known."""
    alike = np.ones((len(tracks), len(rows)))
    known = {i: t.appearance for i, t in enumerate(tracks) if t.appearance is not None}
    if frame.appearance is not None and known:
        alike[list(known)] = appearance_similarity(np.stack(list(known.values())), frame.appearance[rows])
    return alike


def _unoccluded(boxes_xyxy: np.ndarray) -> np.ndarray:
    """(N,) bool: nobody else's box covers much of this one."""
    overlap = iou_matrix(boxes_xyxy, boxes_xyxy)
    np.fill_diagonal(overlap, 0.0)
    return np.asarray((overlap <= ALONE_IOU).all(axis=1))


def _see_again(track: _Track, frame: _Frame, row: int, *, with_appearance: bool) -> None:
    track.motion.correct(frame.people.boxes_xyxy[row])
    track.keypoints_xy, track.seen_s = frame.people.keypoints_xy[row], frame.stamp_s
    track.hits += 1
    if frame.appearance is not None and (with_appearance or track.appearance is None):
        before = frame.appearance[row] if track.appearance is None else track.appearance
        track.appearance = before + APPEARANCE_GAIN * (frame.appearance[row] - before)


def _new_track(frame: _Frame, row: int) -> _Track:
    return _Track(
        motion=BoxMotion(frame.people.boxes_xyxy[row], frame.stamp_s),
        seen_s=frame.stamp_s,
        keypoints_xy=frame.people.keypoints_xy[row],
        appearance=None if frame.appearance is None else frame.appearance[row],
    )

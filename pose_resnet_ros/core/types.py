# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Data types that pass between the layers.

Pixel coordinates lie in the full input image: x right, y down, pixel centres at integers. N (persons)
may be 0. Arrays are float32 unless stated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Literal, TypeVar

import numpy as np

from pose_resnet_ros.core.errors import SettingsError

T = TypeVar("T")
_R = TypeVar("_R", bound="_Rows")


@dataclass(frozen=True)
class InputSpec:
    """How pixels become the input tensor: ``(pixel * scale - mean[c]) / std[c]`` for tensor channel c.

    ``mean`` and ``std`` are listed by *tensor channel index*, whatever colour that channel carries:
    Microsoft's nets take BGR pixels with RGB-ordered statistics, and the spec can say so.
    """

    width: int
    height: int
    channel_order: Literal["bgr", "rgb"]
    scale: float
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class YoloScale:
    """One output grid of a YOLO network: its stride and its anchors (w, h), both in network input pixels."""

    stride: int
    anchors: tuple[tuple[float, float], ...]


def _check(owner: object, name: str, shape: tuple[int | None, ...]) -> None:
    array = getattr(owner, name)
    have = array.shape
    matches = len(have) == len(shape) and all(w in (None, h) for w, h in zip(shape, have, strict=True))
    if not matches:
        wanted = "(" + ", ".join("any" if n is None else str(n) for n in shape) + ")"
        raise ValueError(f"{type(owner).__name__}.{name}: expected shape {wanted}, got {array.shape}")


class _Rows:
    """Selection along the first axis, shared by the row-wise types below."""

    def __len__(self) -> int:
        return len(getattr(self, fields(self)[0].name))  # type: ignore[arg-type]

    def __getitem__(self: _R, rows: slice | Sequence[int] | np.ndarray) -> _R:
        """Rows by slice, boolean mask or index array (not by a single integer: N stays an axis)."""
        if isinstance(rows, (int, np.integer)):
            raise TypeError(f"{type(self).__name__} takes a slice, mask or index array, not the integer {rows}")
        picked = {field.name: getattr(self, field.name)[rows] for field in fields(self)}  # type: ignore[arg-type]
        return replace(self, **picked)  # type: ignore[type-var]


@dataclass(frozen=True, eq=False)
class Detections(_Rows):
    """Persons found by a detector.

    boxes_xyxy: (N, 4) corners x1, y1, x2, y2 in pixels; scores: (N,) in 0..1.
    """

    boxes_xyxy: np.ndarray
    scores: np.ndarray

    def __post_init__(self) -> None:
        _check(self, "boxes_xyxy", (None, 4))
        _check(self, "scores", (len(self.boxes_xyxy),))

    @classmethod
    def empty(cls) -> Detections:
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32))


@dataclass(frozen=True, eq=False)
class Crops(_Rows):
    """Network input for N persons and the way back.

    tensor: (N, 3, h, w) normalised, in the network's colour order;
    image_from_crop: (N, 2, 3) float64 affine, takes crop pixels (x, y, 1) to image pixels.
    """

    tensor: np.ndarray
    image_from_crop: np.ndarray

    def __post_init__(self) -> None:
        _check(self, "tensor", (None, 3, None, None))
        _check(self, "image_from_crop", (len(self.tensor), 2, 3))


@dataclass(frozen=True, eq=False)
class People(_Rows):
    """N persons with K keypoints each.

    boxes_xyxy: (N, 4) pixels; box_scores: (N,) of the whole person, 0..1; keypoints_xy: (N, K, 2) pixels;
    keypoint_scores: (N, K) raw heatmap peaks (not probabilities: may exceed 1 or be negative);
    track_ids: (N,) int32, -1 where a person is not tracked.
    An uncertain joint keeps its position and its low score: none is dropped, none is NaN.
    """

    boxes_xyxy: np.ndarray
    box_scores: np.ndarray
    keypoints_xy: np.ndarray
    keypoint_scores: np.ndarray
    track_ids: np.ndarray

    def __post_init__(self) -> None:
        n = len(self.boxes_xyxy)
        _check(self, "boxes_xyxy", (n, 4))
        _check(self, "box_scores", (n,))
        _check(self, "keypoints_xy", (n, None, 2))
        _check(self, "keypoint_scores", (n, self.keypoints_xy.shape[1]))
        _check(self, "track_ids", (n,))

    @classmethod
    def empty(cls, joint_count: int) -> People:
        return cls(
            np.zeros((0, 4), np.float32),
            np.zeros(0, np.float32),
            np.zeros((0, joint_count, 2), np.float32),
            np.zeros((0, joint_count), np.float32),
            np.zeros(0, np.int32),
        )

    def visible(self, keypoint_threshold: float) -> np.ndarray:
        """(N, K) bool: the joints whose score lies above the threshold."""
        return np.asarray(self.keypoint_scores > keypoint_threshold)

    def pose_scores(self, keypoint_threshold: float) -> np.ndarray:
        """(N,) in 0..1: mean score of the visible joints, each clipped to 1; 0 where none is visible."""
        return mean_score(np.clip(self.keypoint_scores, 0, 1), self.visible(keypoint_threshold))

    def rescored(self, keypoint_threshold: float) -> np.ndarray:
        """(N,) scores that rank persons in COCO's evaluation: box score times the mean of the visible joints' scores."""
        return np.asarray(self.box_scores * mean_score(self.keypoint_scores, self.visible(keypoint_threshold)))

    def verified_scores(self) -> np.ndarray:
        """(N,) in 0..1: the joint confidence of detector and pose network; ``box_scores`` must be the detector's.

        The geometric mean of the box score and the mean of the five highest joint scores, each clipped to 0..1: a person seen
        from the chest up shows few joints, a coat on a chair none. Our own formula.
        """
        highest = np.sort(np.clip(self.keypoint_scores, 0, 1), axis=1)[:, -5:]
        return np.asarray(np.sqrt(np.clip(self.box_scores, 0, 1) * highest.mean(axis=1)), self.box_scores.dtype)

    @classmethod
    def untracked(cls, detections: Detections, keypoints_xy: np.ndarray, keypoint_scores: np.ndarray) -> People:
        """Persons of one frame, row by row the detections they came from."""
        ids = np.full(len(detections), -1, np.int32)
        return cls(detections.boxes_xyxy, detections.scores, keypoints_xy, keypoint_scores, ids)


def mean_score(keypoint_scores: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """Mean of each person's counted joint scores, 0 if none counts: (N, K), (N, K) bool -> (N,).

    Source: microsoft/human-pose-estimation.pytorch, lib/dataset/coco.py, which counts scores above 0.2.
    """
    total = np.where(counted, keypoint_scores, 0).sum(axis=1)
    return np.asarray(total / np.maximum(counted.sum(axis=1), 1).astype(keypoint_scores.dtype))


def names_of(options: Sequence[str]) -> str:
    """``a, b or c``: how every error message lists the allowed values."""
    *head, last = options
    return f"{', '.join(head)} or {last}" if head else last


def option(options: Mapping[str, T], name: str, *, what: str) -> T:
    """The option of that name; ``what`` says what it names.

    Raises SettingsError, which lists the allowed names.
    """
    if name not in options:
        raise SettingsError(f"unknown {what} '{name}'; expected {names_of(sorted(options))}")
    return options[name]

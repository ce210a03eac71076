# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""A second opinion on a photographed person: MediaPipe's BlazePose, which never saw our labels.

BlazePose (Bazarevsky et al., 2020) looks at a square round an upright person. Where a body stands or lies is not known
here, so it is shown the person in four turns, and each turn is followed the way MediaPipe follows a video: the network also
points out where the hips are and how the body is turned, which gives the next square. The turn of which the network is
surest over all its looks is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from pose_resnet_ros.core.skeletons import COCO17

SIDE = 256  # pixels of the network's square input
LANDMARKS = (
    39  # 33 of the body, then hips' middle and a point above or below it at the body's reach, and others
)
COCO_LANDMARKS = [0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28]
HIPS, REACH = 33, 34
FIRST_SIDE = 1.5  # of the box's longer side
NEXT_SIDE = 2.5  # of the distance from the hips to the body's reach (MediaPipe: twice, and a quarter more)
LOOKS = 4  # at one turn, each in a better square
CERTAIN = 0.99  # mean presence with which the first turn is taken without trying the others
TURNS = (90.0, 180.0, 270.0)
SMALLEST_SIDE, LARGEST_SIDE = 0.8, 4.0  # of the box's longer side: a lost network must not wander off


@dataclass(frozen=True, eq=False)
class TaughtPose:
    """keypoints_xy: (17, 2) float32, COCO order, image pixels; presence: 0..1, how sure the network is of a person;
    disagreement: mean distance to what it says of the mirrored person, in parts of the box's longer side. Of the two
    the latter tells better how far it can be trusted."""

    keypoints_xy: np.ndarray
    presence: float
    disagreement: float


@dataclass(frozen=True, eq=False)
class _Square:
    """A turned square of the image: centre (2,) and side in pixels, and the turn in degrees that makes it upright."""

    centre: np.ndarray
    side: float
    turn: float


@dataclass(frozen=True, eq=False)
class _Look:
    keypoints_xy: np.ndarray
    presence: float
    next_square: _Square


Network = Callable[[np.ndarray], tuple[np.ndarray, float]]
"""(256, 256, 3) float32 RGB in 0..1 to landmarks (39, 2) in its pixels and the presence of a person, 0..1."""


class BlazePose:
    """The teacher, around its network (``load_network``)."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def label(self, image: np.ndarray, box_xywh: np.ndarray) -> TaughtPose:
        """The person in the box; image: (H, W, 3) uint8 BGR."""
        x, y, width, height = (float(value) for value in box_xywh)
        longer = max(width, height, 1.0)
        start = _Square(np.array([x + width / 2, y + height / 2]), longer * FIRST_SIDE, 0.0)
        looks = self._best_turn(image, start, longer)
        mirrored = self._look(image, looks[-1].next_square, longer, mirrored=True)
        last = looks[-1].keypoints_xy
        return TaughtPose(
            keypoints_xy=((last + mirrored.keypoints_xy) / 2).astype(np.float32),
            presence=float(np.mean([look.presence for look in (*looks, mirrored)])),
            disagreement=float(np.linalg.norm(last - mirrored.keypoints_xy, axis=1).mean() / longer),
        )

    def _best_turn(self, image: np.ndarray, start: _Square, longer: float) -> list[_Look]:
        upright = self._follow(image, [self._look(image, start, longer)], longer, LOOKS)
        if _presence(upright) > CERTAIN:
            return upright
        turns = [[self._look(image, _Square(start.centre, start.side, turn), longer)] for turn in TURNS]
        turns = [self._follow(image, looks, longer, 2) for looks in turns]
        promising = sorted([upright, *turns], key=lambda looks: _presence(looks[:2]), reverse=True)[:2]
        return max(
            [upright, *(self._follow(image, looks, longer, LOOKS) for looks in promising)], key=_presence
        )

    def _follow(self, image: np.ndarray, looks: list[_Look], longer: float, count: int) -> list[_Look]:
        while len(looks) < count:
            looks = [*looks, self._look(image, looks[-1].next_square, longer)]
        return looks

    def _look(self, image: np.ndarray, square: _Square, longer: float, *, mirrored: bool = False) -> _Look:
        affine = _affine(square, mirrored=mirrored)
        crop = cv2.warpAffine(image, affine, (SIDE, SIDE), flags=cv2.INTER_LINEAR)
        landmarks, presence = self._network(crop[:, :, ::-1].astype(np.float32) / 255)
        points = (landmarks - affine[:, 2]) @ np.linalg.inv(affine[:, :2]).T
        keypoints = points[COCO_LANDMARKS]
        return _Look(
            keypoints_xy=keypoints[COCO17.flip_order()] if mirrored else keypoints,
            presence=presence,
            next_square=_next_square(points[HIPS], points[REACH], longer),
        )


def load_network(model: Path) -> Network:
    """pose_landmark_full.tflite of the mediapipe wheel (Apache-2.0), on one CPU core.

    Raises ModuleNotFoundError without ``ai-edge-litert``, ValueError if the file is another network.
    """
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(model), num_threads=1)
    interpreter.allocate_tensors()
    source = interpreter.get_input_details()[0]["index"]
    outputs = {tuple(d["shape"]): d["index"] for d in interpreter.get_output_details()}
    if not {(1, LANDMARKS * 5), (1, 1)} <= outputs.keys():
        raise ValueError(f"{model}: expected BlazePose's outputs (1, 195) and (1, 1), got {sorted(outputs)}")

    def run(rgb: np.ndarray) -> tuple[np.ndarray, float]:
        interpreter.set_tensor(source, rgb[None])
        interpreter.invoke()
        landmarks = interpreter.get_tensor(outputs[(1, LANDMARKS * 5)]).reshape(LANDMARKS, 5)
        return landmarks[:, :2], float(interpreter.get_tensor(outputs[(1, 1)])[0, 0])

    return run


def _affine(square: _Square, *, mirrored: bool) -> np.ndarray:
    """(2, 3) from image pixels to the network's input."""
    angle, factor = np.deg2rad(square.turn), SIDE / square.side
    linear = factor * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    affine = np.hstack([linear, (SIDE / 2 - linear @ square.centre)[:, None]])
    if mirrored:
        affine[0] *= -1
        affine[0, 2] += SIDE - 1
    return affine


def _next_square(hips: np.ndarray, reach: np.ndarray, longer: float) -> _Square:
    across, down = reach - hips
    side = np.clip(NEXT_SIDE * np.hypot(across, down), SMALLEST_SIDE * longer, LARGEST_SIDE * longer)
    return _Square(hips, float(side), float(np.rad2deg(np.arctan2(across, -down))))


def _presence(looks: list[_Look]) -> float:
    return float(np.mean([look.presence for look in looks]))

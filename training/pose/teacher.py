# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""What a pose network says of a photographed person in two views, fused: the labels of a teacher.

A view that is wrong is mostly wrong in its own way. So the network sees the person as it is and mirrored, and a joint counts
as much as both agree on it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

from pose_resnet_ros.core.boxes import xyxy_from_xywh
from pose_resnet_ros.core.skeletons import COCO17
from pose_resnet_ros.core.types import Detections
from pose_resnet_ros.models.pose_net import PoseNet
from pose_resnet_ros.models.registry import own_precision
from training.coco import Teaching

JOINTS = 17
SQUARE = 1.2  # side of the square crop, of the box's longer side
ALIKE = 0.08  # views agree on a joint within this share of the box's longer side
INPUT_TYPES = {"tensor(int32)": np.int32, "tensor(uint8)": np.uint8, "tensor(float)": np.float32}

Look = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""(image (H, W, 3) uint8 BGR, box (4,) x, y, width, height) to joints (17, 2) in image pixels and scores (17,)."""


def label(look: Look, image: np.ndarray, box_xywh: np.ndarray) -> Teaching:
    """The person in the box, seen plain and mirrored."""
    plain = look(image, box_xywh)
    width = image.shape[1]
    box = np.array([width - 1 - box_xywh[0] - box_xywh[2], *box_xywh[1:]], np.float32)
    xy, score = look(np.ascontiguousarray(image[:, ::-1]), box)
    order = COCO17.flip_order()
    mirrored = np.column_stack([width - 1 - xy[order, 0], xy[order, 1]]), score[order]
    return fuse([plain, mirrored], longer_side=float(max(box_xywh[2:])))


def fuse(views: Sequence[tuple[np.ndarray, np.ndarray]], *, longer_side: float) -> Teaching:
    """Joint by joint: the score-weighted mean of the views that agree with the surest one.

    views: joints (17, 2) and scores (17,) each. Agreement is the share of the views' scores that stand behind the place.
    """
    xy, scores = np.stack([v[0] for v in views]), np.maximum(np.stack([v[1] for v in views]), 1e-6)
    surest = xy[scores.argmax(0), np.arange(xy.shape[1])]
    agrees = np.linalg.norm(xy - surest, axis=-1) <= ALIKE * longer_side
    weight = scores * agrees
    fused = (xy * weight[..., None]).sum(0) / weight.sum(0)[:, None]
    return Teaching(
        fused.astype(np.float32), scores.mean(0).astype(np.float32), (weight.sum(0) / scores.sum(0)).astype(np.float32)
    )


def load_teacher(model: str) -> Look:
    """A pose model of this package (a name, or an ONNX file that describes itself), or any other ONNX single-person network.

    The latter takes one square RGB picture, (1, side, side, 3) or (1, 3, side, side), in 0..255, and gives 17 rows y, x,
    score in 0..1 in COCO's order, as MoveNet does. Raises ValueError for a network of another form.
    """
    path = Path(model)
    if path.suffix == ".onnx" and not _describes_itself(path):
        return SinglePersonNetwork(path)
    return _package_model(model)


class SinglePersonNetwork:
    """An ONNX network that gives one person's 17 joints for a square picture; see ``load_teacher``."""

    def __init__(self, path: Path) -> None:
        self._session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        source = self._session.get_inputs()[0]
        self._name, shape = source.name, source.shape
        self._channels_first = len(shape) == 4 and shape[1] == 3
        side = shape[2] if len(shape) == 4 else None
        if not isinstance(side, int) or 3 not in (shape[1], shape[3]) or source.type not in INPUT_TYPES:
            raise ValueError(
                f"{path}: expected an input (1, side, side, 3) or (1, 3, side, side) of float32, uint8 or int32, got"
                f" {shape} {source.type}"
            )
        self._side, self._type = side, INPUT_TYPES[source.type]
        found = self._run(np.zeros((side, side, 3), np.uint8))
        if found.size != JOINTS * 3:
            raise ValueError(f"{path}: expected 17 rows y, x, score, got an output of shape {found.shape}")

    def __call__(self, image: np.ndarray, box_xywh: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Joints (17, 2) in pixels of the image (H, W, 3) uint8 BGR, and scores (17,)."""
        side = SQUARE * max(float(max(box_xywh[2:])), 1.0)
        corner = box_xywh[:2] + box_xywh[2:] / 2 - side / 2
        scale = self._side / side
        # Pixel edges, not centres, are scaled: the network's answers are shares of the picture's side.
        offset = -corner * scale + 0.5 * (scale - 1)
        affine = np.array([[scale, 0, offset[0]], [0, scale, offset[1]]])
        crop = cv2.warpAffine(image, affine, (self._side, self._side), flags=cv2.INTER_LINEAR)
        rows = self._run(crop[:, :, ::-1]).reshape(JOINTS, 3)
        return (rows[:, 1::-1] * side + corner - 0.5).astype(np.float32), rows[:, 2]

    def _run(self, rgb: np.ndarray) -> np.ndarray:
        tensor = rgb.transpose(2, 0, 1) if self._channels_first else rgb
        return self._session.run(None, {self._name: np.ascontiguousarray(tensor[None]).astype(self._type)})[0]


def _package_model(model: str) -> Look:
    net = PoseNet(model, precision=own_precision(model))

    def look(image: np.ndarray, box_xywh: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        box = Detections(xyxy_from_xywh(np.asarray(box_xywh, np.float32)[None]), np.ones(1, np.float32))
        people = net.estimate(image, box).people
        return people.keypoints_xy[0], people.keypoint_scores[0]

    return look


def _describes_itself(path: Path) -> bool:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return any(key.startswith("pose_resnet_ros") for key in session.get_modelmeta().custom_metadata_map)

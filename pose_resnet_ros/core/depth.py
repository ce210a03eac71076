# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Keypoints in space, from a depth image that is registered to the colour image.

For each joint the median depth of a small window, which holes (zeros, NaN) cannot pull. Only depths within an arm's reach of
the person's torso count, so that the wall beside a wrist or the table before a hip does not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pose_resnet_ros.core.camera_model import CameraModel
from pose_resnet_ros.core.errors import ImageError
from pose_resnet_ros.core.skeletons import Skeleton
from pose_resnet_ros.core.types import People

# Half a window's side as a share of the person's larger side: a forearm is about three times as wide.
WINDOW_SHARE = 0.012
MAX_HALF_WINDOW = 12
REACH_M = 1.0  # from the torso to the fingertips of a stretched arm
ASPECT_TOLERANCE = 0.01
TORSO = ("left_shoulder", "right_shoulder", "left_hip", "right_hip", "neck", "thorax", "pelvis")


@dataclass(frozen=True, eq=False)
class Places:
    """Where N persons of K joints are, in the camera's optical frame (x right, y down, z forward), in metres.

    joints_xyz: (N, K, 3) float32; joint_valid: (N, K): the joint's own depth was measured; where it was not, the joint is put
    on its ray at the torso's depth; positions_xyz: (N, 3), the middle of the torso; position_valid: (N,).
    Of a person without a valid position everything is zero and not valid. No NaN.
    """

    joints_xyz: np.ndarray
    joint_valid: np.ndarray
    positions_xyz: np.ndarray
    position_valid: np.ndarray


def locate(
    people: People, depth: np.ndarray, camera: CameraModel, skeleton: Skeleton, *, image_wh: tuple[int, int]
) -> Places:
    """Every person's joints in space.

    depth: (h, w) uint16 millimetres or float32 metres, seen from the colour camera; camera: the colour camera's;
    image_wh: the colour image's size. A depth image of another size is used where its proportions are the same.
    Raises ImageError for other proportions.
    """
    pixels = people.keypoints_xy * _scale(depth, image_wh) + (_scale(depth, image_wh) - 1) / 2
    rays = camera.rays(people.keypoints_xy)
    torso = [index for index, name in enumerate(skeleton.joint_names) if name in TORSO]
    sides = (people.boxes_xyxy[:, 2:] - people.boxes_xyxy[:, :2]).max(axis=1, initial=0.0) * _scale(
        depth, image_wh
    )[0]
    z, valid = np.zeros(rays.shape[:2]), np.zeros(rays.shape[:2], bool)
    torso_z = np.full(len(people), np.nan)
    for person in range(len(people)):
        half = int(np.clip(round(WINDOW_SHARE * float(sides[person])), 1, MAX_HALF_WINDOW))
        windows = [_window(depth, x, y, half) for x, y in pixels[person]]
        torso_z[person] = _torso_depth(depth, pixels[person], windows, torso, half)
        z[person], valid[person] = _joint_depths(windows, torso_z[person])
    return _places(rays, z, valid, torso_z, torso)


def _places(
    rays: np.ndarray, z: np.ndarray, valid: np.ndarray, torso_z: np.ndarray, torso: list[int]
) -> Places:
    torso_rays = rays[:, torso].mean(axis=1) if torso else np.full((len(rays), 3), np.nan)
    positions = torso_rays * torso_z[:, None]
    known = np.isfinite(positions).all(axis=1)
    # A ray that the lens model cannot give has no place either.
    valid = valid & np.isfinite(rays).all(axis=2) & known[:, None]
    joints = np.nan_to_num(np.where(known[:, None, None], rays * z[..., None], 0.0))
    positions = np.where(known[:, None], positions, 0.0)
    return Places(joints.astype(np.float32), valid, positions.astype(np.float32), known)


def _scale(depth: np.ndarray, image_wh: tuple[int, int]) -> np.ndarray:
    """(2,) depth pixels for each colour pixel, x and y."""
    height, width = depth.shape
    scale = np.array([width / image_wh[0], height / image_wh[1]])
    if abs(scale[0] / scale[1] - 1) > ASPECT_TOLERANCE:
        raise ImageError(
            f"depth image: expected the proportions of the colour image ({image_wh[0]} x {image_wh[1]}), got {width} x {height}; "
            "let the driver register depth to colour (RealSense: align_depth.enable)"
        )
    return scale


def _window(depth: np.ndarray, x: float, y: float, half: int) -> np.ndarray:
    """The depths in metres around a pixel that are none of the holes: (M,), M may be 0."""
    column, row = round(x), round(y)
    pixels = depth[
        max(row - half, 0) : max(row + half + 1, 0), max(column - half, 0) : max(column + half + 1, 0)
    ]
    metres = pixels.ravel() / 1000.0 if pixels.dtype == np.uint16 else pixels.ravel().astype(np.float64)
    return metres[np.isfinite(metres) & (metres > 0)]


def _torso_depth(
    depth: np.ndarray, pixels: np.ndarray, windows: list[np.ndarray], torso: list[int], half: int
) -> float:
    """The median over the torso's joints and its middle, which lies on the body however the person turns; NaN if unknown."""
    if not torso:
        return np.nan
    middle = pixels[torso].mean(axis=0)
    samples = [windows[index] for index in torso] + [_window(depth, middle[0], middle[1], 2 * half)]
    medians = [np.median(sample) for sample in samples if len(sample)]
    return float(np.median(medians)) if medians else np.nan


def _joint_depths(windows: list[np.ndarray], torso_z: float) -> tuple[np.ndarray, np.ndarray]:
    """(K,) depths and (K,) whether each was measured."""
    near = [window[np.abs(window - torso_z) <= REACH_M] for window in windows]
    valid = np.array([len(window) > 0 for window in near], bool)
    return np.array([np.median(window) if len(window) else torso_z for window in near]), valid

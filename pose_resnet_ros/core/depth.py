# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Keypoints in 3D, from a calibrated camera and a depth image that is registered to the colour image.

Each joint gets the median depth of a small window, without holes (zeros, NaN). Only depths within an arm's reach of the
person's torso count, not the wall beside a wrist or the table before a hip.

Everything lies in the camera's optical frame: x right, y down, z forward. Sources: sensor_msgs/msg/CameraInfo (meaning of K, D,
P, binning and roi), sensor_msgs/distortion_models.hpp (names of the lens models), OpenCV's calib3d documentation (formulas).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from pose_resnet_ros.core.errors import ImageError, SettingsError
from pose_resnet_ros.core.skeletons import Skeleton
from pose_resnet_ros.core.types import People

# Half a window's side as a share of the person's larger side: a forearm is about three times as wide.
WINDOW_SHARE = 0.012
MAX_HALF_WINDOW = 12
REACH_M = 1.0  # from the torso to the fingertips of a stretched arm
ASPECT_TOLERANCE = 0.01

UNNAMED = ("", "none")  # no model; right for a camera without distortion
CONVERGED_PX = 0.01
_CRITERIA = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 50, 1e-6)
_ZERO = np.zeros(3)
_Mapping = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class LensModel:
    """A distortion model of camera_info, by OpenCV's functions.

    undistort: (N, 1, 2) pixels, the camera matrix and the coefficients to (N, 1, 2) on the plane z = 1; distort: the way back.
    max_coefficients: more than OpenCV knows of this model are refused. is_pinhole: without coefficients there is no distortion.
    """

    max_coefficients: int
    undistort: _Mapping
    distort: _Mapping
    is_pinhole: bool = True


POLYNOMIAL = LensModel(  # k1 k2 p1 p2 k3, k4 k5 k6, thin prism, tilt
    14,
    lambda pixels, matrix, d: cv2.undistortPointsIter(pixels, matrix, d, np.eye(3), np.eye(3), _CRITERIA),
    lambda plane, matrix, d: cv2.projectPoints(cv2.convertPointsToHomogeneous(plane), _ZERO, _ZERO, matrix, d)[0],
)
FISHEYE = LensModel(
    4, cv2.fisheye.undistortPoints, cv2.fisheye.distortPoints, is_pinhole=False
)  # r = f * theta * (1 + k1 theta^2 ...)
# The names of sensor_msgs, then those that drivers and calibration tools use for the same formulas (in any case).
LENS_MODELS = {
    "plumb_bob": POLYNOMIAL,
    "rational_polynomial": POLYNOMIAL,
    "equidistant": FISHEYE,
    "brown_conrady": POLYNOMIAL,
    "radtan": POLYNOMIAL,
    "fisheye": FISHEYE,
    "kannala_brandt": FISHEYE,
}


@dataclass(frozen=True)
class CameraModel:
    """fx, fy, cx, cy in pixels of the image; lens and distortion: the model and its coefficients, None and () for a pinhole."""

    fx: float
    fy: float
    cx: float
    cy: float
    distortion: tuple[float, ...] = ()
    lens: LensModel | None = None

    def __post_init__(self) -> None:
        values = np.array([self.fx, self.fy, self.cx, self.cy, *self.distortion])
        if not (np.isfinite(values).all() and self.fx > 0 and self.fy > 0):
            raise SettingsError(
                f"camera_info: expected a calibrated camera, got fx {self.fx:g} and fy {self.fy:g}; "
                "calibrate it, or give the driver its calibration file"
            )

    @classmethod
    def calibrated(cls, k: Sequence[float], *, distortion_model: str, d: Sequence[float]) -> CameraModel:
        """A camera with its lens. k: the 3 x 3 matrix, row by row; d: the model's coefficients, none or zeros for none.

        Raises SettingsError for a camera without calibration and for a distortion model that is not in LENS_MODELS.
        """
        if distortion_model.lower() in UNNAMED and not any(d):
            return cls(k[0], k[4], k[2], k[5])
        lens = LENS_MODELS.get(distortion_model.lower())
        if lens is None or any(d[lens.max_coefficients :]):
            known = ", ".join(f"{name} (at most {known.max_coefficients})" for name, known in LENS_MODELS.items())
            raise SettingsError(
                f"camera_info: expected distortion model and coefficients {known}, got '{distortion_model}' with "
                f"{len(d)}; rectify the image (image_proc) and set image_is_rectified"
            )
        if lens.is_pinhole and not any(d):
            return cls(k[0], k[4], k[2], k[5])
        padded = (*d, *[0.0] * lens.max_coefficients)[: lens.max_coefficients]
        return cls(k[0], k[4], k[2], k[5], tuple(map(float, padded)), lens)

    @classmethod
    def rectified(cls, p: Sequence[float]) -> CameraModel:
        """The camera of an undistorted image. p: the 3 x 4 projection matrix, row by row."""
        return cls(p[0], p[5], p[2], p[6])

    def cropped_and_binned(self, *, offset_xy: tuple[int, int], binning_xy: tuple[int, int]) -> CameraModel:
        """The same camera after cutting out a region that begins at offset_xy, then joining binning_xy pixels into one."""
        (x, y), (bx, by) = offset_xy, binning_xy
        return replace(self, fx=self.fx / bx, fy=self.fy / by, cx=(self.cx - x) / bx, cy=(self.cy - y) / by)

    def rays(self, points_xy: np.ndarray) -> np.ndarray:
        """(..., 2) pixels -> (..., 3) float64 rays with z = 1: times the depth, they are points in metres.

        NaN where the distortion cannot be undone, which happens far outside of what the lens was calibrated for, and for what a
        fisheye sees beside or behind itself.
        """
        points = np.asarray(points_xy, np.float64)
        if self.lens is None or not points.size:
            plane = (points - (self.cx, self.cy)) / (self.fx, self.fy)
        else:
            plane = self._undistort(points.reshape(-1, 1, 2), self.lens).reshape(points.shape)
        return np.concatenate([plane, np.ones_like(plane[..., :1])], axis=-1)

    def _undistort(self, pixels: np.ndarray, lens: LensModel) -> np.ndarray:
        """(N, 1, 2) pixels -> (N, 1, 2) on the plane z = 1; NaN where they do not lead back to the pixels."""
        matrix = np.array([[self.fx, 0.0, self.cx], [0.0, self.fy, self.cy], [0.0, 0.0, 1.0]])
        d = np.array(self.distortion)
        plane = lens.undistort(pixels, matrix, d)
        with np.errstate(invalid="ignore"):
            is_solved = np.abs(lens.distort(plane, matrix, d) - pixels).max(axis=-1, keepdims=True) < CONVERGED_PX
        return np.where(is_solved, plane, np.nan)


@dataclass(frozen=True, eq=False)
class People3D:
    """N persons with K joints in the camera's optical frame (x right, y down, z forward), in metres.

    joints_xyz: (N, K, 3) float32; joint_valid: (N, K): the joint's own depth was measured; if not, the joint lies on
    its ray at the torso's depth; positions_xyz: (N, 3), the middle of the torso; position_valid: (N,).
    Of a person without a valid position everything is zero and not valid. No NaN, nothing infinite.
    """

    joints_xyz: np.ndarray
    joint_valid: np.ndarray
    positions_xyz: np.ndarray
    position_valid: np.ndarray


def lift_to_3d(
    people: People, depth: np.ndarray, camera: CameraModel, skeleton: Skeleton, *, image_wh: tuple[int, int]
) -> People3D:
    """Every person's joints in 3D.

    depth: (h, w) uint16 millimetres or float32 metres, seen from the colour camera; camera: the colour camera's;
    image_wh: the colour image's size. A depth image of another size is used if its proportions are the same.
    Raises ImageError for other proportions.
    """
    scale = _scale(depth, image_wh)
    pixels = people.keypoints_xy * scale + (scale - 1) / 2
    rays = camera.rays(people.keypoints_xy)
    torso = list(skeleton.torso)
    sides = (people.boxes_xyxy[:, 2:] - people.boxes_xyxy[:, :2]).max(axis=1, initial=0.0) * scale[0]
    z, valid = np.zeros(rays.shape[:2]), np.zeros(rays.shape[:2], bool)
    torso_z = np.full(len(people), np.nan)
    for person in range(len(people)):
        half = int(np.clip(round(WINDOW_SHARE * float(sides[person])), 1, MAX_HALF_WINDOW))
        windows = _windows(depth, pixels[person], half)
        torso_z[person] = _torso_depth(depth, pixels[person], windows, torso, half)
        near = np.where(np.abs(windows - torso_z[person]) <= REACH_M, windows, np.nan)
        measured = _medians(near)
        valid[person] = np.isfinite(measured)
        z[person] = np.where(valid[person], measured, torso_z[person])
    return _people_3d(rays, z, valid, torso_z, torso)


def _people_3d(rays: np.ndarray, z: np.ndarray, valid: np.ndarray, torso_z: np.ndarray, torso: list[int]) -> People3D:
    torso_rays = rays[:, torso].mean(axis=1) if torso else np.full((len(rays), 3), np.nan)
    with np.errstate(over="ignore", invalid="ignore"):  # beyond float32 is unknown
        positions = (torso_rays * torso_z[:, None]).astype(np.float32)
        joints = (rays * z[..., None]).astype(np.float32)
    known = np.isfinite(positions).all(axis=1)
    # So is a ray that the lens model cannot give.
    valid = valid & np.isfinite(joints).all(axis=2) & known[:, None]
    joints[~known] = 0.0
    positions[~known] = 0.0
    return People3D(np.nan_to_num(joints, posinf=0.0, neginf=0.0), valid, positions, known)


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


def _windows(depth: np.ndarray, pixels: np.ndarray, half: int) -> np.ndarray:
    """(K, 2) pixels -> (K, W) depths in metres of the windows around them, NaN for holes and outside of the image."""
    height, width = depth.shape
    offsets = np.arange(-half, half + 1)
    centres = np.rint(np.clip(pixels, -1e6, 1e6)).astype(np.int64)  # a joint may lie far outside of the image
    columns = centres[:, 0, None, None] + offsets[None, None, :]
    rows = centres[:, 1, None, None] + offsets[None, :, None]
    inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    metres = depth[np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1)].astype(np.float64)
    if depth.dtype == np.uint16:
        metres /= 1000.0
    metres[~(inside & np.isfinite(metres) & (metres > 0))] = np.nan
    return metres.reshape(len(pixels), -1)


def _medians(samples: np.ndarray) -> np.ndarray:
    """(K, W) -> (K,): the median of each row without its NaN; NaN if there is nothing else."""
    ordered = np.sort(samples, axis=1)  # NaN last
    count = np.isfinite(ordered).sum(axis=1)
    middle = np.stack([np.maximum(count - 1, 0) // 2, np.minimum(count // 2, samples.shape[1] - 1)], axis=1)
    return np.take_along_axis(ordered, middle, axis=1).mean(axis=1)


def _torso_depth(depth: np.ndarray, pixels: np.ndarray, windows: np.ndarray, torso: list[int], half: int) -> float:
    """The median over the torso's joints and its middle, which lies on the body however the person turns; NaN if unknown."""
    if not torso:
        return np.nan
    middle = _windows(depth, pixels[torso].mean(axis=0, keepdims=True), 2 * half)
    medians = np.concatenate([_medians(windows[torso]), _medians(middle)])
    return float(_medians(medians[None])[0])

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""A calibrated camera: from pixels to rays. OpenCV undistorts.

Source: sensor_msgs/msg/CameraInfo (meaning of K, D, P, binning and roi), sensor_msgs/distortion_models.hpp (names of the
models) and OpenCV's calib3d documentation (the polynomial and the fisheye model). The rays lie in the camera's optical frame:
x right, y down, z forward.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from pose_resnet_ros.core.errors import SettingsError

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
LENS_MODELS = {"plumb_bob": POLYNOMIAL, "rational_polynomial": POLYNOMIAL, "equidistant": FISHEYE}


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
        lens = LENS_MODELS.get(distortion_model)
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

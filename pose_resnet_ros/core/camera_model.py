# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""A calibrated camera: from pixels to rays. OpenCV takes the lens distortion out.

Source: sensor_msgs/msg/CameraInfo (meaning of K, D, P, binning and roi), sensor_msgs/distortion_models.hpp (names of the
models) and OpenCV's calib3d documentation (the polynomial and the fisheye model). The rays lie in the camera's optical frame:
x right, y down, z forward.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from pose_resnet_ros.core.errors import SettingsError

FISHEYE = "equidistant"
# Most coefficients of each model, in OpenCV's order: k1 k2 p1 p2 k3, k4 k5 k6, thin prism, tilt; of a fisheye k1 k2 k3 k4.
DISTORTION_LENGTHS = {"plumb_bob": 14, "rational_polynomial": 14, FISHEYE: 4}
UNNAMED = ("", "none")  # no model; right for a camera without distortion
CRITERIA = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 50, 1e-6)
CONVERGED_PX = 0.01


@dataclass(frozen=True)
class CameraModel:
    """fx, fy, cx, cy in pixels of the image; distortion: coefficients in OpenCV's order, none for an ideal pinhole camera;
    is_fisheye: they are those of OpenCV's fisheye model, which also without any is no pinhole: r = f * theta.
    """

    fx: float
    fy: float
    cx: float
    cy: float
    distortion: tuple[float, ...] = ()
    is_fisheye: bool = False

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

        Raises SettingsError for a camera without calibration and for a distortion model that is not known here.
        """
        if distortion_model.lower() in UNNAMED and not any(d):
            return cls(k[0], k[4], k[2], k[5])
        length = DISTORTION_LENGTHS.get(distortion_model)
        if length is None or any(d[length:]):
            known = ", ".join(f"{name} (at most {most})" for name, most in DISTORTION_LENGTHS.items())
            raise SettingsError(
                f"camera_info: expected distortion model and coefficients {known}, got '{distortion_model}' with "
                f"{len(d)}; rectify the image (image_proc) and set image_is_rectified"
            )
        is_fisheye = distortion_model == FISHEYE
        padded = np.zeros(length)
        padded[: len(d)] = d[:length]
        used = tuple(padded.tolist()) if is_fisheye or any(d) else ()
        return cls(k[0], k[4], k[2], k[5], used, is_fisheye)

    @classmethod
    def rectified(cls, p: Sequence[float]) -> CameraModel:
        """The camera of an image whose distortion was taken out. p: the 3 x 4 projection matrix, row by row."""
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
        if self.distortion and points.size:
            plane = self._undistort(points.reshape(-1, 1, 2)).reshape(points.shape)
        else:
            plane = (points - (self.cx, self.cy)) / (self.fx, self.fy)
        return np.concatenate([plane, np.ones_like(plane[..., :1])], axis=-1)

    def _undistort(self, pixels: np.ndarray) -> np.ndarray:
        """(N, 1, 2) pixels -> (N, 1, 2) on the plane z = 1; NaN where they do not lead back to the pixels."""
        matrix = np.array([[self.fx, 0.0, self.cx], [0.0, self.fy, self.cy], [0.0, 0.0, 1.0]])
        d = np.array(self.distortion)
        if self.is_fisheye:
            plane = cv2.fisheye.undistortPoints(pixels, matrix, d)
            again = cv2.fisheye.distortPoints(plane, matrix, d)
        else:
            plane = cv2.undistortPointsIter(pixels, matrix, d, np.eye(3), np.eye(3), CRITERIA)
            again, _ = cv2.projectPoints(cv2.convertPointsToHomogeneous(plane), np.zeros(3), np.zeros(3), matrix, d)
        with np.errstate(invalid="ignore"):
            is_solved = np.abs(again - pixels).max(axis=-1, keepdims=True) < CONVERGED_PX
        return np.where(is_solved, plane, np.nan)

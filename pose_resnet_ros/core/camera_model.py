# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""A pinhole camera with lens distortion: from pixels to rays.

Source: sensor_msgs/msg/CameraInfo (meaning of K, D, P, binning and roi) and OpenCV's calib3d documentation (the polynomial).
The rays lie in the camera's optical frame: x right, y down, z forward.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pose_resnet_ros.core.errors import SettingsError

DISTORTION_LENGTHS = {"plumb_bob": 5, "rational_polynomial": 8}
ITERATIONS = 50
CONVERGED_PX = 0.01


@dataclass(frozen=True)
class CameraModel:
    """fx, fy, cx, cy in pixels of the image; distortion: k1 k2 p1 p2 k3 k4 k5 k6, zeros for a rectified image."""

    fx: float
    fy: float
    cx: float
    cy: float
    distortion: tuple[float, ...] = (0.0,) * 8

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
        if not any(d):
            return cls(k[0], k[4], k[2], k[5])
        length = DISTORTION_LENGTHS.get(distortion_model)
        if length is None or (len(d) > 8 and any(d[8:])):
            known = " or ".join(DISTORTION_LENGTHS)
            raise SettingsError(
                f"camera_info: expected distortion model {known} with at most 8 coefficients, got '{distortion_model}' with "
                f"{len(d)}; rectify the image (image_proc) and set image_is_rectified"
            )
        coefficients = [*map(float, d[:8]), *[0.0] * 8]
        return cls(k[0], k[4], k[2], k[5], tuple(coefficients[:8]))

    @classmethod
    def rectified(cls, p: Sequence[float]) -> CameraModel:
        """The camera of an image whose distortion was taken out. p: the 3 x 4 projection matrix, row by row."""
        return cls(p[0], p[5], p[2], p[6])

    def cropped_and_binned(self, *, offset_xy: tuple[int, int], binning_xy: tuple[int, int]) -> CameraModel:
        """The same camera after cutting out a region that begins at offset_xy, then joining binning_xy pixels into one."""
        (x, y), (bx, by) = offset_xy, binning_xy
        return CameraModel(
            self.fx / bx, self.fy / by, (self.cx - x) / bx, (self.cy - y) / by, self.distortion
        )

    def rays(self, points_xy: np.ndarray) -> np.ndarray:
        """(..., 2) pixels -> (..., 3) float64 rays with z = 1: times the depth, they are points in metres.

        NaN where the distortion cannot be undone, which happens far outside of what the lens was calibrated for.
        """
        distorted = (np.asarray(points_xy, np.float64) - (self.cx, self.cy)) / (self.fx, self.fy)
        undistorted = self._undistort(distorted) if any(self.distortion) else distorted
        return np.concatenate([undistorted, np.ones_like(undistorted[..., :1])], axis=-1)

    def _undistort(self, distorted: np.ndarray) -> np.ndarray:
        """Fixed-point iteration, as OpenCV does it: x = (distorted - tangential(x)) / radial(x)."""
        guess = distorted.copy()
        with np.errstate(all="ignore"):  # what runs away becomes NaN below
            for _ in range(ITERATIONS):
                radial, tangential = self._lens(guess)
                guess = (distorted - tangential) / radial
            radial, tangential = self._lens(guess)
            error_px = np.abs(guess * radial + tangential - distorted).max(axis=-1) * max(self.fx, self.fy)
        return np.where((error_px < CONVERGED_PX)[..., None], guess, np.nan)

    def _lens(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The radial factor (..., 1) and the tangential shift (..., 2) at undistorted points (..., 2)."""
        k1, k2, p1, p2, k3, k4, k5, k6 = self.distortion
        x, y = points[..., 0], points[..., 1]
        r2 = x * x + y * y
        radial = (1 + r2 * (k1 + r2 * (k2 + r2 * k3))) / (1 + r2 * (k4 + r2 * (k5 + r2 * k6)))
        shift_x = 2 * p1 * x * y + p2 * (r2 + 2 * x * x)
        shift_y = p1 * (r2 + 2 * y * y) + 2 * p2 * x * y
        return radial[..., None], np.stack([shift_x, shift_y], axis=-1)

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""``sensor_msgs/CameraInfo`` as the core's camera model."""

from __future__ import annotations

from typing import Any

from pose_resnet_ros.core.depth import CameraModel
from pose_resnet_ros.core.errors import SettingsError


def camera_from_info(info: Any, *, is_rectified: bool, image_wh: tuple[int, int]) -> CameraModel:
    """The camera that took an image of image_wh (width, height) pixels.

    is_rectified: the image is already undistorted, so that P holds and not K and D.
    Raises SettingsError for a camera without calibration, an unknown lens model, and a calibration of another size.
    """
    camera = (
        CameraModel.rectified(info.p)
        if is_rectified
        else CameraModel.calibrated(info.k, distortion_model=info.distortion_model, d=info.d)
    )
    binning = max(info.binning_x, 1), max(info.binning_y, 1)
    full = info.roi.width or info.width, info.roi.height or info.height
    expected = full[0] // binning[0], full[1] // binning[1]
    if all(full) and expected != image_wh:  # some drivers leave the size at 0
        raise SettingsError(
            f"camera_info: expected the calibration of a {image_wh[0]} x {image_wh[1]} image, got one of "
            f"{expected[0]} x {expected[1]}; use the camera_info that is published beside this image"
        )
    return camera.cropped_and_binned(offset_xy=(info.roi.x_offset, info.roi.y_offset), binning_xy=binning)

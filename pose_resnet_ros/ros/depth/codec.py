# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Depth images and camera descriptions as the core wants them. Imports no ROS: it reads the messages' fields.

Source: REP-118 (32FC1 is metres, 16UC1 millimetres, 0 is no measurement) and sensor_msgs/msg/CameraInfo.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pose_resnet_ros.core.camera_model import CameraModel
from pose_resnet_ros.core.errors import SettingsError
from pose_resnet_ros.core.image_limits import MAX_PIXELS
from pose_resnet_ros.ros.codecs.image import BadFrameError, check_size

_DTYPES: dict[str, np.dtype] = {"16UC1": np.dtype(np.uint16), "mono16": np.dtype(np.uint16), "32FC1": np.dtype(np.float32)}


def depth_array(message: Any) -> np.ndarray:
    """(H, W) uint16 millimetres or float32 metres: a view into the message's data where its byte order is the machine's.

    Raises BadFrameError for another encoding, and for a size, ``step`` or ``data`` that do not belong together.
    """
    dtype = _DTYPES.get(message.encoding)
    if dtype is None:
        raise BadFrameError("depth encoding", f"depth image: expected 16UC1 (mm) or 32FC1 (m), got '{message.encoding}'")
    width, height, step = message.width, message.height, message.step
    check_size(width, height, max_pixels=MAX_PIXELS)
    if step < width * dtype.itemsize or len(message.data) != step * height:
        raise BadFrameError(
            "depth layout",
            f"depth image of {width} x {height} {message.encoding}: expected a step of at least {width * dtype.itemsize} and "
            f"step * height bytes, got step {step} and {len(message.data)} bytes",
        )
    stored = dtype.newbyteorder(">" if message.is_bigendian else "<")
    pixels = np.ndarray((height, width), stored, buffer=message.data, strides=(step, dtype.itemsize))
    return pixels.astype(dtype, copy=False)


def camera_from_info(info: Any, *, is_rectified: bool, image_wh: tuple[int, int]) -> CameraModel:
    """The camera that took an image of image_wh (width, height) pixels.

    is_rectified: the distortion was taken out of the image, so that P holds and not K and D.
    Raises SettingsError for a camera without calibration, a lens model that is not known, and a calibration of another size.
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

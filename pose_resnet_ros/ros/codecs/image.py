# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""``sensor_msgs/Image`` to BGR or depth, by the table in ``encodings``; other encodings are left to cv_bridge. And
``sensor_msgs/CameraInfo`` as the core's camera model.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pose_resnet_ros.core.depth import CameraModel
from pose_resnet_ros.core.errors import SettingsError
from pose_resnet_ros.core.image_decoding import to_uint8
from pose_resnet_ros.core.library_setup import MAX_PIXELS
from pose_resnet_ros.ros.codecs.cv_bridge_fallback import by_cv_bridge
from pose_resnet_ros.ros.codecs.encodings import DEPTH_LAYOUTS, LAYOUTS, BadFrameError, read_pixels


def image_to_bgr(message: Any, *, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """The message's image as (H, W, 3) uint8 BGR, read-only.

    bgr8 is a view into ``message.data``, without a copy; rows may be padded (``step``). 16 bits are scaled by ``to_uint8``.

    Raises BadFrameError (an ImageError) for less than two pixels or more than max_pixels, a size that the encoding cannot have, a
    ``step`` or ``data`` that does not fit the size, and an encoding that neither the table nor cv_bridge knows.
    """
    layout = LAYOUTS.get(message.encoding)
    if layout is None or layout.to_bgr is None:
        bgr = by_cv_bridge(message, max_pixels=max_pixels)
    else:
        bgr = layout.to_bgr(to_uint8(read_pixels(message, layout, max_pixels=max_pixels)))
    bgr.flags.writeable = False
    return bgr


def depth_array(message: Any) -> np.ndarray:
    """(H, W) uint16 millimetres or float32 metres: a view into the message's data where its byte order is the machine's.

    Raises BadFrameError for another encoding, and for a size, ``step`` or ``data`` that do not belong together.
    """
    layout = DEPTH_LAYOUTS.get(message.encoding)
    if layout is None:
        raise BadFrameError("encoding", f"depth image: expected 16UC1 (mm) or 32FC1 (m), got '{message.encoding}'")
    return read_pixels(message, layout)


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

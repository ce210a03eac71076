# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""How large an encoded image may be: a file of a few bytes can unpack to gigabytes."""

from __future__ import annotations

import os

MAX_PIXELS = 1 << 27  # 134 megapixels: above every camera, and a bound on the memory that one image takes
OPENCV_VARIABLE = "OPENCV_IO_MAX_IMAGE_PIXELS"


def limit_opencv() -> None:
    """Make OpenCV refuse larger images, of any format, when it has read their header (its own limit is 2^30 pixels).

    Takes effect only before cv2 is first imported. A value that the user has set stays.
    """
    os.environ.setdefault(OPENCV_VARIABLE, str(MAX_PIXELS))

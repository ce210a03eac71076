# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""What is set in other libraries for the whole process: loggers, and OpenCV's limit on the size of images."""

from __future__ import annotations

import logging
import os

MAX_PIXELS = 1 << 27  # 134 megapixels: above every camera, and a bound on the memory that one image takes
OPENCV_VARIABLE = "OPENCV_IO_MAX_IMAGE_PIXELS"


def limit_opencv() -> None:
    """Make OpenCV refuse larger images, of any format, when it has read their header (its own limit is 2^30 pixels).

    Takes effect only before cv2 is first imported. A value that the user has set stays.
    """
    os.environ.setdefault(OPENCV_VARIABLE, str(MAX_PIXELS))


def logger_of(module: str) -> logging.Logger:
    """The logger of a module by its ``__name__``; its records go on to the package's logger and to the root.

    So they do by default, but importing ROS 2's ``launch`` sets a class of loggers that keep their records to themselves, for
    everybody in its process: then nothing that a node says there would reach ROS.
    """
    logger = logging.getLogger(module)
    logger.propagate = True
    return logger

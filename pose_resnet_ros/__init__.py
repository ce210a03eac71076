# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Batched PoseResNet for ROS 2: a camera image in, named human keypoints out.

This file runs in every process that imports our messages (``ros2 topic echo``, rosbag2, rqt), so it imports nothing heavy.
"""

from pkgutil import extend_path

# In a clone's root the source tree comes first on sys.path; the generated messages (`pose_resnet_ros.msg`) live in the
# installed copy. Joining both keeps `python3 -m pose_resnet_ros` working from any folder.
__path__ = extend_path(__path__, __name__)

__version__ = "0.1.0"

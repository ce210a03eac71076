# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The algorithm in NumPy and OpenCV: no files, no clocks, no threads, no ROS."""

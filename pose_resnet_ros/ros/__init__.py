# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The ROS 2 edge: the only folder that imports rclpy or message types. Here the node; in the folders its parts."""

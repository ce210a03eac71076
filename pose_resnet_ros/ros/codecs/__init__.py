# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Image messages to BGR arrays. Imports no ROS: it reads the messages' fields."""

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Messages to what the core takes: BGR images, depth, a camera model. Imports no ROS: it reads the messages' fields."""

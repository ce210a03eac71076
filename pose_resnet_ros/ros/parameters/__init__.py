# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The node's parameters: declared once in ``settings``, made known to ROS by ``declare``, written out by ``yaml_file``."""

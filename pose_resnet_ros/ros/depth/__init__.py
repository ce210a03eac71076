# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""``use_depth``: persons in 3D, from the depth image nearest to the colour image."""

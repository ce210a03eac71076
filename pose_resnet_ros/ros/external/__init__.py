# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""``detector_model: external``: images joined with somebody else's detections of the same stamp."""

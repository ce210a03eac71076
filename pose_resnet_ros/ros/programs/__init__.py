# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Programs beside the node, and what they share: image_source, demo, benchmark. The node imports none of them."""

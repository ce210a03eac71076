# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Programs beside the node: image_source, demo and benchmark. The node imports none of them."""

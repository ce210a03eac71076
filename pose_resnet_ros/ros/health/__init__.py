# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""What the node counts, what it concludes from that, and how it says so on /diagnostics."""

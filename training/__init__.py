# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""PyTorch training of the two bundled models. Not part of the installed package."""

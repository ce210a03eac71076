# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Models: what they are, where their files lie, and how onnxruntime runs them."""

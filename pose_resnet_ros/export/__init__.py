# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Published weights to ONNX files that describe themselves (extra ``[export]``; torch only where a pickle must be read)."""

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Videos, webcams and streams: frames in, frames out; knows nothing of people."""

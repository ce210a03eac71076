# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The verb ``predict``: people in images, videos, streams and bags, written to files."""

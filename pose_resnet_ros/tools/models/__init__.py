# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The tool ``models``: list, describe, fetch, check and add models."""

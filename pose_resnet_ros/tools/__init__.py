# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The command line: one folder or file for each command."""

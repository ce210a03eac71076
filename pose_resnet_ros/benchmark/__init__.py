# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Measuring speed: interleaved timing, scenes with a known number of persons, the node from outside, reports."""

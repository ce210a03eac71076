# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""What helps where images get lost between the camera and the node. Imports no ROS."""

from __future__ import annotations

from collections.abc import Mapping

# Fast DDS 2 (up to Jazzy) and 3 (from Kilted).
PROFILE_VARIABLES = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")
_SMALLER = "compressed images (image_transport)"


def loss_cure(middleware: str, environment: Mapping[str, str]) -> str:
    """A phrase. middleware: as rclpy names it; environment: of this process, whose profile the camera may lack."""
    if "fastrtps" not in middleware:
        return f"give {middleware} larger receive buffers, or take {_SMALLER}"
    profile = next((environment[name] for name in PROFILE_VARIABLES if environment.get(name)), "")
    if profile:
        return f"start the camera with this node's Fast DDS profile, {profile}; over a network take {_SMALLER}"
    return (
        f"start camera and node with {PROFILE_VARIABLES[0]} (from Kilted: {PROFILE_VARIABLES[1]}) set to"
        " config/fastdds_images.xml of pose_resnet_ros"
    )

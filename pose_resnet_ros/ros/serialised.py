# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""A result as the bytes that go on the wire: what publishing costs before the middleware has it."""

from __future__ import annotations

from rclpy.serialization import serialize_message
from std_msgs.msg import Header

from pose_resnet_ros.core.skeletons import Skeleton
from pose_resnet_ros.core.types import People
from pose_resnet_ros.ros import messages


def persons_bytes(
    people: People, skeleton: Skeleton, *, image_wh: tuple[int, int], keypoint_threshold: float
) -> bytes:
    """A PersonArray with an empty header, serialised."""
    message = messages.person_array(
        Header(), people, skeleton, image_wh=image_wh, keypoint_threshold=keypoint_threshold
    )
    return serialize_message(message)

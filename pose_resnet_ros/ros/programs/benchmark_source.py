# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The benchmark's cameras: publish the same few frames at a steady rate, numbered in the header's frame_id.

    python3 -m pose_resnet_ros.ros.programs.benchmark_source FRAMES RATE TOPIC... --ros-args ...

FRAMES: a .npy file, (n, H, W, 3) uint8 BGR; RATE: frames per second of each camera; TOPIC: of a camera.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import count

import numpy as np
import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.utilities import remove_ros_args
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from pose_resnet_ros.ros import messages, qos
from pose_resnet_ros.ros.ros_log import init_rclpy


class BenchmarkSource(Node):
    """The messages are made before the first is sent; then only their stamps and numbers change.

    The cameras send in turn, and each begins at another frame.
    """

    def __init__(self, frames: np.ndarray, rate_hz: float, topics: Sequence[str]) -> None:
        super().__init__("benchmark_source")
        self._messages = [messages.image_message(Header(), frame) for frame in frames]
        self._numbers = count()
        self._cameras = [qos.create_publisher(self, self.create_publisher, Image, topic, qos.image_profile()) for topic in topics]
        self.create_timer(1.0 / (rate_hz * len(topics)), self._publish)

    def _publish(self) -> None:
        number, camera = divmod(next(self._numbers), len(self._cameras))
        offset = camera * len(self._messages) // len(self._cameras)
        message = self._messages[(number + offset) % len(self._messages)]
        message.header.frame_id = str(number)
        message.header.stamp = self.get_clock().now().to_msg()
        self._cameras[camera].publish(message)


def main() -> None:
    """Publish until interrupted."""
    init_rclpy("benchmark_source", sys.argv)
    _, path, rate_hz, *topics = remove_ros_args(sys.argv)
    try:
        rclpy.spin(BenchmarkSource(np.load(path), float(rate_hz), topics))
    except (KeyboardInterrupt, ExternalShutdownException):
        rclpy.try_shutdown()


if __name__ == "__main__":
    main()

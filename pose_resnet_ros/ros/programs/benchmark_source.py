# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The benchmark's camera: publishes the same few frames at a steady rate, numbered in the header's frame_id.

    python3 -m pose_resnet_ros.ros.programs.benchmark_source FRAMES RATE --ros-args ...

FRAMES: a .npy file, (n, H, W, 3) uint8 BGR; RATE: frames per second.
"""

from __future__ import annotations

import sys
from itertools import count

import numpy as np
import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from pose_resnet_ros.ros import messages, qos
from pose_resnet_ros.ros.ros_log import init_rclpy


class BenchmarkSource(Node):
    """The messages are made before the first is sent; then only their stamps and numbers change."""

    def __init__(self, frames: np.ndarray, rate_hz: float) -> None:
        super().__init__("benchmark_source")
        self._messages = [messages.image_message(Header(), frame) for frame in frames]
        self._numbers = count()
        topic = self.resolve_topic_name("image")
        self._image = qos.create_publisher(self, self.create_publisher, Image, topic, qos.image_profile())
        self.create_timer(1.0 / rate_hz, self._publish)

    def _publish(self) -> None:
        number = next(self._numbers)
        message = self._messages[number % len(self._messages)]
        message.header.frame_id = str(number)
        message.header.stamp = self.get_clock().now().to_msg()
        self._image.publish(message)


def main() -> None:
    """Publish until interrupted."""
    init_rclpy("benchmark_source", sys.argv)
    try:
        rclpy.spin(BenchmarkSource(np.load(sys.argv[1]), float(sys.argv[2])))
    except (KeyboardInterrupt, ExternalShutdownException):
        rclpy.try_shutdown()


if __name__ == "__main__":
    main()

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The benchmark's camera: publishes the same few pictures at a steady rate, numbered in the header's frame_id."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import count
from typing import Any

import numpy as np
from rclpy.node import Node
from rclpy.task import Future
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from pose_resnet_ros.options import Option
from pose_resnet_ros.ros import messages, qos
from pose_resnet_ros.ros.parameters.declare import Parameters
from pose_resnet_ros.ros.runner import run_node

NAME = "benchmark_source"
PARAMETERS: tuple[Option, ...] = (
    Option("frames", "", "a .npy file: (n, H, W, 3) uint8 BGR"),
    Option("rate", 30.0, "frames a second", minimum=0.1, maximum=1000.0),
)


class BenchmarkSource(Node):
    """The messages are made before the first is sent: then only their stamps and numbers change."""

    def __init__(self, **node_arguments: Any) -> None:
        super().__init__(NAME, **node_arguments)
        self.finished = Future()
        given = Parameters(self, PARAMETERS).values
        self._messages = [messages.image_message(Header(), frame) for frame in np.load(str(given["frames"]))]
        self._numbers = count()
        topic = self.resolve_topic_name("image")
        self._image = qos.create_publisher(self, self.create_publisher, Image, topic, qos.picture_profile())
        self._period_s = 1.0 / float(given["rate"])

    def start(self) -> None:
        """Begin to publish."""
        self.create_timer(self._period_s, self._publish)

    def close(self) -> None:
        self.destroy_node()

    def _publish(self) -> None:
        number = next(self._numbers)
        message = self._messages[number % len(self._messages)]
        message.header.frame_id = str(number)
        message.header.stamp = self.get_clock().now().to_msg()
        self._image.publish(message)


def main(args: Sequence[str] | None = None) -> int:
    """Run the source until it is interrupted; the exit code."""
    return run_node(NAME, BenchmarkSource, args)


if __name__ == "__main__":
    sys.exit(main())

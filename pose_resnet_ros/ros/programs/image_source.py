# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""A camera made of a webcam, a video, an image or a folder of images: publishes ``image`` and its ``camera_info``."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any

from rclpy.node import Node
from rclpy.task import Future
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from pose_resnet_ros.core.errors import ImageError, PoseError, SettingsError
from pose_resnet_ros.media import Media, Picture, open_media
from pose_resnet_ros.options import Option
from pose_resnet_ros.ros import messages, qos
from pose_resnet_ros.ros.parameters.declare import Parameters
from pose_resnet_ros.ros.process import FAILURE, SUCCESS, run_node

NAME = "image_source"
STILLS_HZ = 10.0
WAIT_STEP_S = 0.05
SETTLE_S = 0.5  # a subscriber that we see may not see us yet
STOP_TIMEOUT_S = 2.0  # a webcam's read blocks for about a frame; one that hangs is left behind

PARAMETERS: tuple[Option, ...] = (
    Option("source", "", "a webcam's index, a video, an image, or a folder of images"),
    Option(
        "rate",
        0.0,
        f"frames a second; 0: the source's own, {STILLS_HZ:g} for images",
        minimum=0.0,
        maximum=1000.0,
    ),
    Option("loop", False, "begin again at the end; false: the process ends there"),
    Option("frame_id", "camera_optical_frame", "frame of image and camera_info: z forward, x right, y down"),
    Option(
        "wait_for_subscribers",
        0,
        "begin when so many subscribers of the image are connected, so that they miss no frame",
        minimum=0,
        maximum=100,
    ),
)


class ImageSource(Node):
    """Reads and publishes on a thread of its own, so that a camera that hangs does not hold up the shutdown."""

    def __init__(self, **node_arguments: Any) -> None:
        """Raises SettingsError for a parameter that is not allowed or a source that cannot be opened."""
        super().__init__(NAME, **node_arguments)
        self.finished = Future()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="image_source", daemon=True)
        try:
            self._given = Parameters(self, PARAMETERS).values
            self._media = self._open()
        except PoseError:
            self.destroy_node()
            raise
        topic = self.resolve_topic_name("image")
        self._image = qos.create_publisher(self, self.create_publisher, Image, topic, qos.picture_profile())
        info_topic = f"{topic.rpartition('/')[0]}/camera_info"
        self._info = qos.create_publisher(
            self, self.create_publisher, CameraInfo, info_topic, qos.picture_profile()
        )
        self._is_webcam = str(self._given["source"]).isdecimal()
        self._period_s = 1.0 / (float(self._given["rate"]) or self._media.fps or STILLS_HZ)
        self.get_logger().info(
            f"publishing {self._given['source']} on {topic} at {1.0 / self._period_s:.1f} Hz"
        )

    def start(self) -> None:
        """Begin to publish."""
        self._thread.start()

    def close(self) -> None:
        """Stop publishing and destroy the node."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(STOP_TIMEOUT_S)
        self.destroy_node()

    def _open(self) -> Media:
        source = str(self._given["source"])
        if not source:
            raise SettingsError(
                "parameter source: expected a webcam's index, a video, an image or a folder, got nothing;"
                " for example: --ros-args -p source:=street.avi"
            )
        return open_media(source)

    def _run(self) -> None:
        try:
            self._wait_for_subscribers()
            count = self._publish_all()
            if self._is_webcam:
                raise ImageError("the webcam delivers no more frames")
            if not count:
                raise ImageError("no picture in it can be read")
        except Exception as error:  # noqa: BLE001 - the end of a thread must reach the process
            self._finish(FAILURE, str(error))
        else:
            self._finish(SUCCESS, f"ended after {count} frames")

    def _finish(self, exit_code: int, text: str) -> None:
        if self._stopping.is_set() or not self.context.ok():
            return  # it was stopped: nothing that failed meanwhile is news
        message = f"{self._given['source']}: {text}"
        if exit_code == SUCCESS:
            self.get_logger().info(message)
        else:
            self.get_logger().fatal(message)
        self.finished.set_result(exit_code)

    def _publish_all(self) -> int:
        """Publish until the end, or without end with ``loop``; the number of frames."""
        count, due_s = 0, time.monotonic()
        while not self._stopping.is_set() and (picture := self._next_picture()) is not None:
            # A webcam sets the pace itself: what comes too early is left out, so that its driver never has to queue.
            if self._is_webcam and self._given["rate"] and time.monotonic() < due_s:
                continue
            due_s = max(due_s + self._period_s, time.monotonic())  # what is late is not caught up with
            self._publish(picture)
            count += 1
            if not self._is_webcam:
                self._stopping.wait(due_s - time.monotonic())
        self._media.close()
        return count

    def _next_picture(self) -> Picture | None:
        """The next readable picture; None at the end, in a loop only if there is none in the whole source."""
        begun_again = False
        while not self._stopping.is_set():
            try:
                picture = self._media.read()
            except ImageError as error:
                self.get_logger().warning(f"skipped: {error}")
                continue
            if picture is not None:
                return picture
            if not self._given["loop"] or begun_again:
                return None
            begun_again = True
            self._media.close()
            self._media = open_media(str(self._given["source"]))
        return None

    def _publish(self, picture: Picture) -> None:
        header = Header(stamp=self.get_clock().now().to_msg(), frame_id=self._given["frame_id"])
        height, width, _ = picture.bgr.shape
        # All zero but the size: an uncalibrated camera, as sensor_msgs/CameraInfo defines it.
        self._info.publish(CameraInfo(header=header, height=height, width=width))
        self._image.publish(messages.image_message(header, picture.bgr))

    def _wait_for_subscribers(self) -> None:
        wanted = self._given["wait_for_subscribers"]
        while self._image.get_subscription_count() < wanted and not self._stopping.is_set():
            self._stopping.wait(WAIT_STEP_S)
        if wanted:
            self._stopping.wait(SETTLE_S)


def main(args: Sequence[str] | None = None) -> int:
    """Run the image source; the exit code: 0 also at the end of the file, 1 if the source cannot be opened or read."""
    os.environ.setdefault(
        "OPENCV_LOG_LEVEL", "ERROR"
    )  # its warnings about sources it cannot open come on top of ours
    return run_node(NAME, ImageSource, args, options=PARAMETERS)


if __name__ == "__main__":
    sys.exit(main())

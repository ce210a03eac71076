# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""A camera made of a video, a webcam, a stream, an image or a folder of images: publishes ``image`` and its ``camera_info``."""

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

from pose_resnet_ros.core.errors import ImageError, IncompleteVideoError, PoseError, SettingsError
from pose_resnet_ros.media import Media, open_media
from pose_resnet_ros.ros import messages, qos
from pose_resnet_ros.ros.parameters import Parameters
from pose_resnet_ros.ros.runner import FAILURE, SUCCESS, run_node
from pose_resnet_ros.settings import SourceSettings
from pose_resnet_ros.video.frames import Frame
from pose_resnet_ros.video.live import LiveSettings
from pose_resnet_ros.video.source import label_of

NAME = "image_source"
STILLS_HZ = 10.0
WAIT_STEP_S = 0.05
SETTLE_S = 0.5  # a subscriber that we see may not see us yet
STOP_TIMEOUT_S = 2.0  # a read waits for a frame; a source that hangs is left behind


class ImageSource(Node):
    """Reads and publishes on a thread of its own, so that a camera that hangs does not hold up the shutdown."""

    def __init__(self, **node_arguments: Any) -> None:
        """Raises SettingsError for a parameter that is not allowed or a source that cannot be opened."""
        super().__init__(NAME, **node_arguments)
        self.finished = Future()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="image_source", daemon=True)
        try:
            self._given = Parameters(self, SourceSettings).settings
            self._label = label_of(self._given.source)
            self._media = self._open()
        except PoseError:
            self.destroy_node()
            raise
        topic = self.resolve_topic_name("image")
        self._image = qos.create_publisher(self, self.create_publisher, Image, topic, qos.image_profile())
        info_topic = f"{topic.rpartition('/')[0]}/camera_info"
        self._info = qos.create_publisher(self, self.create_publisher, CameraInfo, info_topic, qos.image_profile())
        rate = self._given.rate
        self._pace = Pace(1.0 / (rate or self._media.fps or STILLS_HZ), is_fixed=rate > 0)
        self.get_logger().info(f"publishing {self._label} on {topic} {self._pace}")

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
        given = self._given
        if not given.source:
            raise SettingsError(
                "parameter source: expected a video, an image, a folder of images, a webcam or a stream, got nothing;"
                " for example: --ros-args -p source:=street.avi"
            )
        return open_media(given.source, LiveSettings(given.timeout, given.reconnect_timeout, tell=self.get_logger().warning))

    def _run(self) -> None:
        try:
            self._wait_for_subscribers()
            count = self._publish_all()
            if not count:
                raise ImageError(f"{self._label}: no frame in it can be read")
        except Exception as error:  # noqa: BLE001 - the end of a thread must reach the process
            self._finish(FAILURE, str(error))
        else:
            self._finish(SUCCESS, f"{self._label}: ended after {count} frames")

    def _finish(self, exit_code: int, message: str) -> None:
        if self._stopping.is_set() or not self.context.ok():
            return  # it is stopping: a failure now is of no interest
        if exit_code == SUCCESS:
            self.get_logger().info(message)
        else:
            self.get_logger().fatal(message)
        self.finished.set_result(exit_code)

    def _publish_all(self) -> int:
        """Publish until the end, or without end with ``loop``; the number of frames."""
        count = 0
        while not self._stopping.is_set() and (frame := self._next_frame()) is not None:
            now_s = time.monotonic()
            wait_s = self._pace.wait_s(frame.time_s, now_s=now_s)
            if self._media.is_live and self._given.rate and wait_s > 0:
                continue  # it sets the pace: frames that come too early are skipped, so that nothing queues
            self._pace.take(frame.time_s, now_s=now_s)
            if not self._media.is_live and self._stopping.wait(wait_s):
                break
            self._publish(frame)
            count += 1
        self._stopping.wait(0.0 if self._media.is_live else self._pace.period_s)
        self._media.close()
        return count

    def _next_frame(self) -> Frame | None:
        """The next readable frame; None at the end, with ``loop`` only if the whole source has none."""
        begun_again = False
        while not self._stopping.is_set():
            try:
                frame = self._media.read()
            except ImageError as error:
                is_end = self._media.is_live or isinstance(error, IncompleteVideoError)
                if is_end and (self._media.is_live or not self._given.loop):
                    raise
                self.get_logger().warning(str(error) if is_end else f"skipped: {error}")
                continue
            if frame is not None:
                return frame
            if not self._given.loop or begun_again:
                return None
            begun_again = True
            self._media.close()
            self._media = self._open()
        return None

    def _publish(self, frame: Frame) -> None:
        header = Header(stamp=self.get_clock().now().to_msg(), frame_id=self._given.frame_id)
        height, width, _ = frame.bgr.shape
        # All zero but the size: an uncalibrated camera, as sensor_msgs/CameraInfo defines it.
        self._info.publish(CameraInfo(header=header, height=height, width=width))
        self._image.publish(messages.image_message(header, frame.bgr))

    def _wait_for_subscribers(self) -> None:
        wanted = self._given.wait_for_subscribers
        while self._image.get_subscription_count() < wanted and not self._stopping.is_set():
            self._stopping.wait(WAIT_STEP_S)
        if wanted:
            self._stopping.wait(SETTLE_S)


class Pace:
    """When frames are due: one period after the last, or at their own times. A delay is not made up for."""

    def __init__(self, period_s: float, *, is_fixed: bool) -> None:
        """period_s: also before a frame without a time, and before a loop begins again."""
        self.period_s = period_s
        self._is_fixed = is_fixed
        self._due_s: float | None = None  # of the last one
        self._time_s: float | None = None

    def __str__(self) -> str:
        rate = f"{1.0 / self.period_s:.1f} Hz"
        return f"at {rate}" if self._is_fixed else f"at its own times, about {rate}"

    def wait_s(self, time_s: float | None, *, now_s: float) -> float:
        """Seconds until the next frame is due (0 or less: now); time_s: its own time; now_s: by the caller's clock."""
        return 0.0 if self._due_s is None else self._due_s + self._step_s(time_s) - now_s

    def take(self, time_s: float | None, *, now_s: float) -> None:
        """The next frame is published when it is due, or now if that is past."""
        self._due_s = now_s + max(0.0, self.wait_s(time_s, now_s=now_s))
        self._time_s = time_s

    def _step_s(self, time_s: float | None) -> float:
        if self._is_fixed or time_s is None or self._time_s is None or time_s <= self._time_s:
            return self.period_s
        return time_s - self._time_s


def main(args: Sequence[str] | None = None) -> int:
    """Run the image source; the exit code: 0 also at the end of the file, 1 if the source cannot be opened or read."""
    os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")  # we report damaged images ourselves
    return run_node(NAME, ImageSource, args, rows=SourceSettings.settings())


if __name__ == "__main__":
    sys.exit(main())

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Frames that could not be used: counted, and logged without flooding the log."""

from __future__ import annotations

import traceback

from pose_resnet_ros.core.errors import ImageError
from pose_resnet_ros.ros.health.statistics import Statistics
from pose_resnet_ros.ros.ros_log import Throttle
from pose_resnet_ros.ros.topics import CameraContext


class FrameErrors:
    """Those of one camera. Each thread needs its own."""

    def __init__(self, context: CameraContext, statistics: Statistics) -> None:
        self._context, self._statistics = context, statistics
        self._topic = context.image_topic
        self._throttle = Throttle()
        self._failures: set[str] = set()

    def bad_frame(self, error: ImageError) -> None:
        """The image itself cannot be used."""
        kind = getattr(error, "kind", "image")
        self._statistics.frame_failed(kind)
        if self._throttle.may_say(kind):
            self._context.logger.warning(f"frame on {self._topic} skipped: {error}")

    def failure(self, error: Exception) -> None:
        """Anything else has failed. Call it inside the ``except`` block, whose traceback it logs."""
        if not self._context.node.context.ok():  # publishing fails while the node shuts down
            return
        kind = type(error).__name__
        self._statistics.frame_failed(kind)
        if kind not in self._failures:
            self._failures.add(kind)
            self._context.logger.error(f"frame on {self._topic} failed (logged once for {kind}):\n{traceback.format_exc()}")

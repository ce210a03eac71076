# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""One frame's way through the node, on the worker's thread: decode, run the pipeline, publish, count."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from typing import Any

import numpy as np

from pose_resnet_ros.core.errors import ImageError, InferenceCancelled
from pose_resnet_ros.models.stages import StageClock
from pose_resnet_ros.pipeline import PosePipeline
from pose_resnet_ros.ros.latest import Frame
from pose_resnet_ros.ros.outputs import Outputs
from pose_resnet_ros.ros.parameters import Settings
from pose_resnet_ros.ros.statistics import Outcome, Statistics, plausible_age_ms

REPEAT_WARNING_S = 5.0


class FrameProcessor:
    """Called with each frame; no exception leaves it, whatever the frame holds.

    decode: message to (H, W, 3) uint8 BGR; settings: gives the current ones, asked once a frame; now_ns: the ROS time;
    shutting_down: whether the context has gone, so that failing to publish is no news.
    """

    def __init__(
        self,
        pipeline: PosePipeline,
        outputs: Outputs,
        *,
        decode: Callable[[Any], np.ndarray],
        settings: Callable[[], Settings],
        statistics: Statistics,
        now_ns: Callable[[], int],
        shutting_down: Callable[[], bool],
        topic: str,
        logger: Any,
    ) -> None:
        self._pipeline = pipeline
        self._outputs = outputs
        self._decode = decode
        self._settings = settings
        self._statistics = statistics
        self._now_ns = now_ns
        self._shutting_down = shutting_down
        self._topic = topic
        self._logger = logger
        self._warned_s: dict[str, float] = {}

    def __call__(self, frame: Frame) -> None:
        try:
            self._process(frame)
        except InferenceCancelled:
            pass  # deactivated or shut down in the middle of it
        except ImageError as error:
            self._count_bad_frame(error)
        except Exception as error:  # noqa: BLE001 - the worker must outlive whatever one frame does to it
            if not self._shutting_down():
                self._count_failure(error)

    def _process(self, frame: Frame) -> None:
        message, settings, clock = frame.message, self._settings(), StageClock()
        self._note_stamp(message)
        with clock.stage("convert"):
            image = self._decode(message)
        result = self._pipeline.run(image, settings=settings.frame, keep_heatmaps=self._outputs.wants_heatmaps)
        with clock.stage("publish"):
            self._outputs.publish_results(message.header, image, result, settings)
        age_ms, stamp_age_ms = frame.age_ms(), plausible_age_ms(_stamp_ns(message), self._now_ns())
        with clock.stage("draw"):
            self._outputs.publish_pictures(message.header, image, result, settings)
        stage_ms = {**result.stage_ms, **clock.ms}
        self._statistics.frame_published(Outcome(age_ms, stamp_age_ms, stage_ms, persons=len(result.people)))

    def _note_stamp(self, message: Any) -> None:
        if self._statistics.time_jumped_back(_stamp_ns(message)) and self._may_warn("time"):
            self._logger.info(f"the stamps on {self._topic} jumped back: a bag that loops, or two publishers on one topic")

    def _count_bad_frame(self, error: ImageError) -> None:
        kind = getattr(error, "kind", "image")
        self._statistics.frame_failed(kind)
        if self._may_warn(kind):
            self._logger.warning(f"frame on {self._topic} skipped: {error}")

    def _count_failure(self, error: Exception) -> None:
        kind = type(error).__name__
        self._statistics.frame_failed(kind)
        if kind not in self._warned_s:
            self._warned_s[kind] = time.monotonic()
            self._logger.error(f"frame on {self._topic} failed (said once for {kind}):\n{traceback.format_exc()}")

    def _may_warn(self, kind: str) -> bool:
        """Whether this kind was silent for a while; one kind does not silence another."""
        now_s = time.monotonic()
        if now_s - self._warned_s.get(kind, -REPEAT_WARNING_S) < REPEAT_WARNING_S:
            return False
        self._warned_s[kind] = now_s
        return True


def _stamp_ns(message: Any) -> int:
    return message.header.stamp.sec * 1_000_000_000 + message.header.stamp.nanosec

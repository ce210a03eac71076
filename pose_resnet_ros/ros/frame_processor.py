# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""One frame's way through the node, on the worker's thread: decode, run the pipeline, publish, count."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

import numpy as np

from pose_resnet_ros.core.boxes import touches_image
from pose_resnet_ros.core.errors import ImageError, InferenceCancelled
from pose_resnet_ros.core.types import Detections
from pose_resnet_ros.models.stages import StageClock
from pose_resnet_ros.pipeline import PipelineResult
from pose_resnet_ros.ros.depth.depth_3d import Depth3D
from pose_resnet_ros.ros.health.statistics import Outcome, Statistics, plausible_age_ms
from pose_resnet_ros.ros.hri_publisher import HriPublisher
from pose_resnet_ros.ros.latest import Frame
from pose_resnet_ros.ros.outputs import Outputs
from pose_resnet_ros.ros.ros_log import Throttle
from pose_resnet_ros.ros.time_sync import stamp_ns
from pose_resnet_ros.settings import Settings
from pose_resnet_ros.stream import PersonStream


class FrameProcessor:
    """Called with each frame; no exception leaves it, whatever the frame holds.

    split: the worker's message to an image message and its persons where they are given (None: the pipeline detects);
    decode: image message to (H, W, 3) uint8 BGR; space, bodies: persons in 3D and as REP-155 has them, if wanted; settings:
    gives the current
    ones, asked once a frame; now_ns: the ROS time; shutting_down: whether the context has gone, so that failing to publish
    is no news.
    """

    def __init__(
        self,
        stream: PersonStream,
        outputs: Outputs,
        *,
        split: Callable[[Any], tuple[Any, Detections | None]],
        space: Depth3D | None,
        bodies: HriPublisher | None,
        decode: Callable[[Any], np.ndarray],
        settings: Callable[[], Settings],
        statistics: Statistics,
        now_ns: Callable[[], int],
        shutting_down: Callable[[], bool],
        topic: str,
        logger: Any,
    ) -> None:
        self._stream = stream
        self._outputs = outputs
        self._split = split
        self._space = space
        self._bodies = bodies
        self._decode = decode
        self._settings = settings
        self._statistics = statistics
        self._now_ns = now_ns
        self._shutting_down = shutting_down
        self._topic = topic
        self._logger = logger
        self._throttle = Throttle()
        self._failures: set[str] = set()
        self._reset_wanted = False

    def reset_tracking(self) -> None:
        """From any thread: forget everybody before the next frame."""
        self._reset_wanted = True

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
        settings, clock = self._settings(), StageClock()
        message, boxes = self._split(frame.message)
        header = message.header
        self._note_stamp(message)
        if self._space is not None:
            self._space.begin(message, settings)
        with clock.stage("convert"):
            image = self._decode(message)
        result = self._people_in(image, message, frame, boxes, settings)
        with clock.stage("publish"):
            self._outputs.publish_results(header, image, result, settings)
            if self._bodies is not None:
                self._bodies.put(header, result.people, image=image)
        age_ms, stamp_age_ms = frame.age_ms(), plausible_age_ms(stamp_ns(message), self._now_ns())
        with clock.stage("draw"):
            self._outputs.publish_pictures(header, image, result, settings)
        if self._space is not None:
            with clock.stage("depth_3d"):
                self._space.publish(message, result.people, settings, image_wh=(image.shape[1], image.shape[0]))
        stage_ms = {**result.stage_ms, **clock.ms}
        self._statistics.frame_published(Outcome(age_ms, stamp_age_ms, stage_ms, persons=len(result.people)))

    def _people_in(
        self, image: np.ndarray, message: Any, frame: Frame, boxes: Detections | None, settings: Settings
    ) -> PipelineResult:
        """With track ids and smoothed, in the image's own time, or in ours if it has none."""
        if self._reset_wanted:
            self._reset_wanted = False
            self._stream.reset()
        return self._stream.run(
            image,
            stamp_s=stamp_ns(message) / 1e9 or frame.received_s,
            settings=settings.stream,
            boxes=None if boxes is None else self._usable(boxes, image, settings),
            keep_heatmaps=self._outputs.wants_heatmaps,
        )

    def _usable(self, boxes: Detections, image: np.ndarray, settings: Settings) -> Detections:
        """The given persons of this image, the best max_persons of them."""
        height, width = image.shape[:2]
        inside = boxes[touches_image(boxes.boxes_xyxy, width=width, height=height)]
        if len(inside) < len(boxes) and self._throttle.may_say("boxes"):
            self._logger.warning(
                f"{len(boxes) - len(inside)} of {len(boxes)} boxes lie wholly outside the {width} x {height} image of"
                f" {self._topic}, and are left out: are they in its pixels?"
            )
        return inside[: settings.stream.frame.max_persons]

    def _note_stamp(self, message: Any) -> None:
        if self._statistics.time_jumped_back(stamp_ns(message)) and self._throttle.may_say("time"):
            self._logger.info(f"the stamps on {self._topic} jumped back: a bag that loops, or two publishers on one topic")

    def _count_bad_frame(self, error: ImageError) -> None:
        kind = getattr(error, "kind", "image")
        self._statistics.frame_failed(kind)
        if self._throttle.may_say(kind):
            self._logger.warning(f"frame on {self._topic} skipped: {error}")

    def _count_failure(self, error: Exception) -> None:
        kind = type(error).__name__
        self._statistics.frame_failed(kind)
        if kind not in self._failures:
            self._failures.add(kind)
            self._logger.error(f"frame on {self._topic} failed (said once for {kind}):\n{traceback.format_exc()}")

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""One frame's way through the node, on the worker's thread: decode, run the pipeline, publish, count."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from pose_resnet_ros.core.errors import ImageError, InferenceCancelled
from pose_resnet_ros.models.stages import StageClock
from pose_resnet_ros.pipeline import PipelineResult
from pose_resnet_ros.ros.external_detections import GivenBoxes
from pose_resnet_ros.ros.frame_errors import FrameErrors
from pose_resnet_ros.ros.health.statistics import Outcome, Statistics, plausible_age_ms
from pose_resnet_ros.ros.outputs import Output, ProcessedFrame
from pose_resnet_ros.ros.ros_log import Throttle
from pose_resnet_ros.ros.time_sync import stamp_ns
from pose_resnet_ros.ros.topics import CameraContext
from pose_resnet_ros.ros.worker import InputFrame
from pose_resnet_ros.settings import Settings
from pose_resnet_ros.stream import PersonStream


class FrameProcessor:
    """Called with each frame of one camera; no exception leaves it, whatever the frame holds."""

    def __init__(self, context: CameraContext, stream: PersonStream, outputs: Sequence[Output], statistics: Statistics) -> None:
        self._context = context
        self._stream = stream
        self._outputs = outputs
        self._statistics = statistics
        self._transport, self._topic = context.transport, context.image_topic
        self._boxes = GivenBoxes(context)
        self._throttle = Throttle()
        self._errors = FrameErrors(context, statistics)
        self._reset_wanted = False

    def reset_tracking(self) -> None:
        """From any thread: the next frame's persons get new track ids."""
        self._reset_wanted = True

    def __call__(self, frame: InputFrame) -> None:
        try:
            self._process(frame)
        except InferenceCancelled:
            pass  # deactivated or shut down in the middle of it
        except ImageError as error:
            self._errors.bad_frame(error)
        except Exception as error:  # noqa: BLE001 - the worker must outlive whatever one frame does to it
            self._errors.failure(error)

    def _process(self, frame: InputFrame) -> None:
        settings, clock = self._context.settings(), StageClock()
        self._note_stamp(frame)
        for output in self._outputs:
            output.begin(frame.image, settings)
        with clock.stage("convert"):
            image = self._transport.decode(frame.image)
        result = self._people_in(image, frame, settings)
        self._publish(ProcessedFrame(frame.image, image, result, settings), frame, clock)

    def _publish(self, processed: ProcessedFrame, frame: InputFrame, clock: StageClock) -> None:
        """Results first: their age is measured before anything is drawn."""

        def publish(outputs: Iterable[Output]) -> None:
            for output in outputs:
                with clock.stage(output.stage):
                    output.publish(processed)

        publish(output for output in self._outputs if output.stage == Output.stage)
        now_ns = self._context.node.get_clock().now().nanoseconds
        age_ms, stamp_age_ms = frame.age_ms(), plausible_age_ms(stamp_ns(frame.image), now_ns)
        publish(output for output in self._outputs if output.stage != Output.stage)
        stage_ms = {**processed.result.stage_ms, **clock.ms}
        self._statistics.frame_published(Outcome(age_ms, stamp_age_ms, stage_ms, len(processed.result.people)))

    def _people_in(self, image: np.ndarray, frame: InputFrame, settings: Settings) -> PipelineResult:
        """Persons with track ids, smoothed; timed by the image's stamp, or by its receipt where it has none."""
        if self._reset_wanted:
            self._reset_wanted = False
            self._stream.reset()
        return self._stream.run(
            image,
            stamp_s=stamp_ns(frame.image) / 1e9 or frame.received_s,
            settings=settings.stream,
            boxes=None if frame.boxes is None else self._boxes.read(frame, settings, image_wh=(image.shape[1], image.shape[0])),
            keep_heatmaps=any(output.wants_heatmaps for output in self._outputs),
        )

    def _note_stamp(self, frame: InputFrame) -> None:
        if self._statistics.time_jumped_back(stamp_ns(frame.image)) and self._throttle.may_say("time"):
            self._context.logger.info(
                f"time stamps on {self._topic} jumped back: a bag that starts again, or two publishers on one topic"
            )

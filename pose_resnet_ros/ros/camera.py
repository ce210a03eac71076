# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""A camera: one image topic and everything that belongs to it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from diagnostic_msgs.msg import DiagnosticStatus

from pose_resnet_ros.pipeline import PosePipeline
from pose_resnet_ros.ros.annotation_output import AnnotationOutput, has_foxglove_msgs
from pose_resnet_ros.ros.depth_3d import Depth3D
from pose_resnet_ros.ros.external_detections import ExternalDetections
from pose_resnet_ros.ros.frame_processor import FrameProcessor
from pose_resnet_ros.ros.health.diagnostics import NodeState
from pose_resnet_ros.ros.health.reporter import CameraHealth
from pose_resnet_ros.ros.health.statistics import Statistics
from pose_resnet_ros.ros.hri_publisher import HriPublisher, TrackedBodies
from pose_resnet_ros.ros.image_input import ImageInput
from pose_resnet_ros.ros.latched_image import LatchedImage
from pose_resnet_ros.ros.outputs import ImageOutput, Output, PersonOutput
from pose_resnet_ros.ros.rate_limit import RateLimit
from pose_resnet_ros.ros.topics import CameraContext
from pose_resnet_ros.ros.video_stream import VideoStream
from pose_resnet_ros.ros.worker import FrameSlot, FrameWorker, InputFrame
from pose_resnet_ros.stream import PersonStream


class CameraInput:
    """What brings a camera's frames to the worker: subscriptions from its making until ``close``.

    With ``detector_model: external`` each image waits for its detections.
    """

    def __init__(self, context: CameraContext, slot: FrameSlot, statistics: Statistics) -> None:
        with ExitStack() as made:

            def add(part: Any) -> Any:
                made.callback(part.close)
                return part

            limit = RateLimit(lambda: context.settings().input.max_rate_hz)

            def put(frame: InputFrame) -> None:
                if limit.take():
                    slot.put(frame)

            self.external: ExternalDetections | None = None
            if context.settings().is_external:
                self.external = add(ExternalDetections(context, forward=put))
            forward = self.external.put if self.external else put
            self.video: VideoStream | None = None
            if context.transport.is_video:
                self.video = add(VideoStream(context, forward=forward, statistics=statistics))
            # To be paired with detections, every image is needed; to be decoded, every packet.
            needs_all = self.external or self.video
            images = ImageInput(
                context,
                is_wanted=lambda: bool(needs_all) or (limit.is_due and slot.is_wanted),
                due_in_s=lambda: limit.due_in_s,
                forward=self.video.put if self.video else forward,
                on_lost=self.video.lost if self.video else lambda _: None,
                statistics=statistics,
            )
            self.images: ImageInput = add(images)
            self.latched: LatchedImage | None = None
            if not self.video:  # a packet kept from earlier is of no use
                self.latched = add(
                    LatchedImage(context, is_waiting=lambda: images.is_waiting, forward=forward, statistics=statistics)
                )
            self.close = made.pop_all().close

    @property
    def parts(self) -> list[Any]:
        """The optional parts, whose values and warnings are part of the diagnostics."""
        return [part for part in (self.external, self.video) if part is not None]


class Camera:
    """Lives as long as its node: counts from the beginning, publishes from ``configure`` on, subscribes while active.

    Everything is called on the executor's thread; a failure half way is taken back by ``unsubscribe``, ``stop`` and ``close``.
    """

    def __init__(self, context: CameraContext, state_of_node: Callable[[], dict[str, Any]]) -> None:
        """state_of_node: gives the fields of NodeState that all cameras of the node share."""
        self.context = context
        self.statistics = Statistics()
        self._state_of_node = state_of_node
        self._health = CameraHealth(context)
        self.outputs: list[Output] = []
        self.input: CameraInput | None = None
        self._processor: FrameProcessor | None = None

    def configure(self, pipeline: PosePipeline, bodies: TrackedBodies) -> None:
        """Announce the results' topics. bodies: of all cameras of the node. Raises PoseError."""
        settings = self.context.settings()
        self.context.transport.require()
        self.outputs.append(PersonOutput(self.context, pipeline))
        if settings.hri.publish_hri:
            self.outputs.append(HriPublisher(self.context, pipeline.skeleton, bodies))
        self.outputs.append(ImageOutput(self.context, pipeline))
        if has_foxglove_msgs():
            self.outputs.append(AnnotationOutput(self.context, pipeline))
        if settings.depth.use_depth:
            self.outputs.append(Depth3D(self.context, pipeline.skeleton))

    def activate(self, pipeline: PosePipeline, worker: FrameWorker) -> None:
        """Subscribe, and let the worker serve this camera."""
        self.statistics.restart()
        self._processor = FrameProcessor(self.context, PersonStream(pipeline), self.outputs, self.statistics)
        slot = worker.add(
            self._processor,
            on_stale=self.statistics.frame_stale,
            on_wanted=self._on_wanted,
            max_age_ms=lambda: self.context.settings().input.max_age_ms,
        )
        for output in self.outputs:
            output.start()
        self.input = CameraInput(self.context, slot, self.statistics)

    def reset_tracking(self) -> None:
        """The next frame's persons get new track ids."""
        if self._processor is not None:
            self._processor.reset_tracking()

    def unsubscribe(self) -> None:
        """No frame reaches the worker any more."""
        if self.input is not None:
            self.input.close()
        self.input = self._processor = None

    def stop(self) -> None:
        """The worker has ended."""
        for output in self.outputs:
            output.stop()

    def close(self) -> None:
        """Take the results' topics away."""
        while self.outputs:
            self.outputs.pop().close()

    def status(self) -> DiagnosticStatus:
        """This camera's part of the diagnostics."""
        return self._health.status(self.statistics.summary(), self.state())

    def state(self) -> NodeState:
        """What the node is and sees of this camera."""
        publishers, other_types = self.context.publishers()
        parts: list[Any] = [*(self.input.parts if self.input else []), *self.outputs]
        return NodeState(
            topic=self.context.image_topic,
            publishers=publishers,
            other_types=other_types,
            elsewhere=None if publishers else self.context.published_elsewhere(),
            matched=self.input.images.matched_publishers() if self.input else None,
            is_waiting=self.input is not None and self.input.images.is_waiting,
            warning=next((part.warning for part in parts if part.warning), ""),
            further={key: value for part in parts for key, value in part.values().items()},
            **self._state_of_node(),
        )

    def _on_wanted(self) -> None:
        """On the worker's thread."""
        if (camera_input := self.input) is not None:
            camera_input.images.resume()

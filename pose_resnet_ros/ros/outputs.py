# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Result topics. Every message takes the input image's header as it is."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header
from vision_msgs.msg import Detection2DArray

from pose_resnet_ros.core.draw import draw_heatmaps, draw_people
from pose_resnet_ros.msg import PersonArray
from pose_resnet_ros.pipeline import PipelineResult, PosePipeline
from pose_resnet_ros.ros import messages, qos
from pose_resnet_ros.ros.topics import CameraContext
from pose_resnet_ros.settings import Settings


@dataclass(frozen=True, eq=False)
class ProcessedFrame:
    """message: the image message; image: (H, W, 3) uint8 BGR, not to be written into."""

    message: Any
    image: np.ndarray
    result: PipelineResult
    settings: Settings

    @property
    def header(self) -> Header:
        return self.message.header

    @property
    def image_wh(self) -> tuple[int, int]:
        return self.image.shape[1], self.image.shape[0]


class Output:
    """Topics made from each processed frame. A subclass creates them with ``publisher``, which are destroyed with it.

    ``begin`` and ``publish`` are called on the worker's thread, everything else on the executor's.
    stage: under which the time of ``publish`` is counted.
    """

    stage: ClassVar[str] = "publish"

    def __init__(self, context: CameraContext) -> None:
        self._context = context
        self._publishers: list[Any] = []

    def publisher(self, message_type: type, topic: str, profile: QoSProfile) -> Any:
        """A lifecycle publisher of this camera's topic."""
        create, name = self._context.node.create_lifecycle_publisher, self._context.output_topic(topic)
        self._publishers.append(qos.create_publisher(self._context.node, create, message_type, name, profile))
        return self._publishers[-1]

    def start(self) -> None:
        """Frames will arrive (activate)."""

    def begin(self, message: Any, settings: Settings) -> None:
        """The worker takes this image message."""

    def publish(self, frame: ProcessedFrame) -> None:
        """Publish what the frame gave; costly messages only while somebody subscribes."""
        raise NotImplementedError

    def stop(self) -> None:
        """No more frames arrive (deactivate; the worker has ended)."""

    @property
    def wants_heatmaps(self) -> bool:
        """Whether somebody subscribes to confidence maps."""
        return False

    @property
    def warning(self) -> str:
        """Why there have been no such results for a while; "" where there have."""
        return ""

    def values(self) -> dict[str, str]:
        """What diagnostics show of it."""
        return {}

    def close(self) -> None:
        """Destroy the topics."""
        self.stop()
        for publisher in self._publishers:
            self._context.node.destroy_lifecycle_publisher(publisher)
        self._publishers = []


class PersonOutput(Output):
    """Persons and detections in the image."""

    def __init__(self, context: CameraContext, pipeline: PosePipeline) -> None:
        super().__init__(context)
        self._skeleton = pipeline.skeleton
        self._persons = self.publisher(PersonArray, "~/persons", qos.results_profile())
        self._detections = self.publisher(Detection2DArray, "~/detections", qos.results_profile())

    def publish(self, frame: ProcessedFrame) -> None:
        people, threshold = frame.result.people, frame.settings.stream.frame.keypoint_threshold
        self._persons.publish(
            messages.person_array(frame.header, people, self._skeleton, image_wh=frame.image_wh, keypoint_threshold=threshold)
        )
        if self._detections.get_subscription_count():
            detections = frame.result.detections
            self._detections.publish(messages.detection_array(frame.header, detections, track_ids=people.track_ids))


class ImageOutput(Output):
    """The annotated image and the confidence maps."""

    stage = "draw"

    def __init__(self, context: CameraContext, pipeline: PosePipeline) -> None:
        super().__init__(context)
        self._skeleton = pipeline.skeleton
        self._crop_wh = (pipeline.pose_net.spec.input.width, pipeline.pose_net.spec.input.height)
        self._annotated = self.publisher(Image, "~/annotated_image", qos.image_profile())
        self._annotated_jpeg = self.publisher(CompressedImage, "~/annotated_image/compressed", qos.image_profile())
        self._heatmaps = self.publisher(Image, "~/heatmap_image", qos.image_profile())

    @property
    def wants_heatmaps(self) -> bool:
        return self._heatmaps.get_subscription_count() > 0

    def publish(self, frame: ProcessedFrame) -> None:
        self._publish_annotated(frame)
        result = frame.result
        if result.heatmaps is not None and result.image_from_crop is not None and self.wants_heatmaps:
            drawn = draw_heatmaps(frame.image, result.heatmaps, result.image_from_crop, input_wh=self._crop_wh)
            self._heatmaps.publish(messages.image_message(frame.header, drawn))

    def _publish_annotated(self, frame: ProcessedFrame) -> None:
        wants_raw = self._annotated.get_subscription_count() > 0
        wants_jpeg = self._annotated_jpeg.get_subscription_count() > 0
        if not (wants_raw or wants_jpeg):
            return
        settings = frame.settings
        threshold = settings.stream.frame.keypoint_threshold
        drawn = draw_people(
            frame.image, frame.result.people, self._skeleton, keypoint_threshold=threshold, **asdict(settings.draw)
        )
        if wants_raw:
            self._annotated.publish(messages.image_message(frame.header, drawn))
        if wants_jpeg:
            self._annotated_jpeg.publish(messages.jpeg_message(frame.header, drawn, quality=settings.output.jpeg_quality))

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The node's result topics. Every message takes the input image's header as it is."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
from rclpy.lifecycle import LifecycleNode
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header
from vision_msgs.msg import Detection2DArray

from pose_resnet_ros.core.draw import draw_heatmaps, draw_people
from pose_resnet_ros.msg import PersonArray
from pose_resnet_ros.pipeline import PipelineResult, PosePipeline
from pose_resnet_ros.ros import messages, qos
from pose_resnet_ros.settings import Settings


class Outputs:
    """Lifecycle publishers: created and destroyed on the executor's thread, used by the worker."""

    def __init__(self, node: LifecycleNode, pipeline: PosePipeline) -> None:
        self._node = node
        self._skeleton = pipeline.skeleton
        self._crop_wh = (pipeline.pose_net.spec.input.width, pipeline.pose_net.spec.input.height)
        self._persons = self._publisher(PersonArray, "~/persons", qos.results_profile())
        self._detections = self._publisher(Detection2DArray, "~/detections", qos.results_profile())
        self._annotated = self._publisher(Image, "~/annotated_image", qos.picture_profile())
        self._annotated_jpeg = self._publisher(CompressedImage, "~/annotated_image/compressed", qos.picture_profile())
        self._heatmaps = self._publisher(Image, "~/heatmap_image", qos.picture_profile())

    @property
    def wants_heatmaps(self) -> bool:
        """Whether anybody looks at the heatmaps."""
        return self._heatmaps.get_subscription_count() > 0

    def publish_results(self, header: Header, image: np.ndarray, result: PipelineResult, settings: Settings) -> None:
        """Persons and detections; image: (H, W, 3), for its size."""
        height, width, _ = image.shape
        threshold = settings.stream.frame.keypoint_threshold
        self._persons.publish(
            messages.person_array(header, result.people, self._skeleton, image_wh=(width, height), keypoint_threshold=threshold)
        )
        if self._detections.get_subscription_count():
            detections = messages.detection_array(header, result.detections, track_ids=result.people.track_ids)
            self._detections.publish(detections)

    def publish_pictures(self, header: Header, image: np.ndarray, result: PipelineResult, settings: Settings) -> None:
        """The annotated image and the heatmaps, each only while somebody subscribes."""
        wants_raw = self._annotated.get_subscription_count() > 0
        wants_jpeg = self._annotated_jpeg.get_subscription_count() > 0
        if wants_raw or wants_jpeg:
            threshold = settings.stream.frame.keypoint_threshold
            picture = draw_people(image, result.people, self._skeleton, keypoint_threshold=threshold, **asdict(settings.draw))
            if wants_raw:
                self._annotated.publish(messages.image_message(header, picture))
            if wants_jpeg:
                message = messages.jpeg_message(header, picture, quality=settings.output.jpeg_quality)
                self._annotated_jpeg.publish(message)
        if result.heatmaps is not None and result.image_from_crop is not None and self.wants_heatmaps:
            picture = draw_heatmaps(image, result.heatmaps, result.image_from_crop, input_wh=self._crop_wh)
            self._heatmaps.publish(messages.image_message(header, picture))

    def destroy(self) -> None:
        """Take the topics away."""
        pictures = (self._annotated, self._annotated_jpeg, self._heatmaps)
        for publisher in (self._persons, self._detections, *pictures):
            self._node.destroy_lifecycle_publisher(publisher)

    def _publisher(self, message_type: type, topic: str, profile: Any) -> Any:
        return qos.create_publisher(self._node, self._node.create_lifecycle_publisher, message_type, topic, profile)

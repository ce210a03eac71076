# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""``~/annotations``: what Foxglove draws over the camera's own image. Only where foxglove_msgs is installed."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pose_resnet_ros.core.image_annotations import image_annotations
from pose_resnet_ros.pipeline import PosePipeline
from pose_resnet_ros.ros import qos
from pose_resnet_ros.ros.outputs import Output, ProcessedFrame
from pose_resnet_ros.ros.topics import CameraContext

try:
    from foxglove_msgs import msg as foxglove
except ImportError:
    foxglove = None


def has_foxglove_msgs() -> bool:
    """Whether foxglove_msgs is installed."""
    return foxglove is not None


def make(name: str, **fields: Any) -> Any:
    """A message of foxglove_msgs, without the fields that an older version of it (before 3.2.5) does not have."""
    message_type = getattr(foxglove, name)
    known = message_type.get_fields_and_field_types()
    return message_type(**{field: value for field, value in fields.items() if field in known})


class AnnotationOutput(Output):
    """Skeletons, boxes and ids over the camera's image; made only while somebody subscribes."""

    stage = "draw"

    def __init__(self, context: CameraContext, pipeline: PosePipeline) -> None:
        super().__init__(context)
        self._skeleton = pipeline.skeleton
        self._annotations = self.publisher(foxglove.ImageAnnotations, "~/annotations", qos.results_profile())

    def publish(self, frame: ProcessedFrame) -> None:
        if not self._annotations.get_subscription_count():
            return
        settings = frame.settings
        threshold = settings.stream.frame.keypoint_threshold
        self._annotations.publish(
            image_annotations(
                make,
                frame.header.stamp,
                frame.result.people,
                self._skeleton,
                keypoint_threshold=threshold,
                **asdict(settings.draw),
            )
        )

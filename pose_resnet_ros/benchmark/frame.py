# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""One frame's way through everything that the node does with it, stage by stage, with a given number of persons."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from pose_resnet_ros.benchmark.scenes import Scene
from pose_resnet_ros.core.draw import draw_people
from pose_resnet_ros.core.types import People
from pose_resnet_ros.models.stages import STAGES, StageClock
from pose_resnet_ros.pipeline import PosePipeline
from pose_resnet_ros.settings import PipelineSettings

NETWORKS = ("detect", "pose")
ALL_STAGES = ("convert", *STAGES, "publish", "draw")


class FrameRun:
    """Runs frames through a pipeline and keeps the time of every stage.

    The detector's work is done and paid for, but the scene's boxes go on, so that the number of persons is the wanted one.
    ``publish`` is the making and serialising of the messages, and is absent where ROS 2 is not installed: the transport shows
    in ``benchmark --node``.
    """

    def __init__(self, pipeline: PosePipeline) -> None:
        self._pipeline = pipeline
        self._settings = PipelineSettings()
        self._publish = _publisher(pipeline)

    def __call__(self, scene: Scene, message: Any) -> dict[str, float]:
        """Milliseconds by stage; message: ``scene`` as ``message_of`` makes it."""
        from pose_resnet_ros.ros.codecs.image import image_to_bgr  # it imports no ROS

        clock, settings = StageClock(), self._settings
        with clock.stage("convert"):
            image = image_to_bgr(message)
        self._pipeline.detector.detect(
            image, detection_threshold=settings.detection_threshold, nms_threshold=settings.nms_threshold, clock=clock
        )
        result = self._pipeline.run(image, settings=settings, boxes=scene.boxes)
        for stage, ms in result.stage_ms.items():
            clock.ms[stage] = clock.ms.get(stage, 0.0) + ms
        if self._publish is not None:
            with clock.stage("publish"):
                self._publish(result.people, image)
        with clock.stage("draw"):
            draw_people(image, result.people, self._pipeline.skeleton)
        return clock.ms


def message_of(image: np.ndarray, *, encoding: str = "bgr8") -> Any:
    """The fields of a ``sensor_msgs/Image``, without ROS; encoding: bgr8 or rgb8."""
    height, width, _ = image.shape
    data = array("B")
    data.frombytes(np.ascontiguousarray(image).tobytes())
    return SimpleNamespace(height=height, width=width, encoding=encoding, is_bigendian=0, step=3 * width, data=data)


def _publisher(pipeline: PosePipeline) -> Callable[[People, np.ndarray], bytes] | None:
    """Makes and serialises the message; None without ROS 2."""
    try:
        from pose_resnet_ros.ros.messages import persons_bytes
    except ImportError:
        return None

    def publish(people: People, image: np.ndarray) -> bytes:
        size, threshold = (image.shape[1], image.shape[0]), PipelineSettings().keypoint_threshold
        return persons_bytes(people, pipeline.skeleton, image_wh=size, keypoint_threshold=threshold)

    return publish

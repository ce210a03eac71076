# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""A pipeline on images that follow one another: persons need not be detected in each of them."""

from __future__ import annotations

import numpy as np

from pose_resnet_ros.core.box_propagation import KeyframePoses, propagate
from pose_resnet_ros.core.boxes import nms, touches_image
from pose_resnet_ros.core.frame_time import in_order
from pose_resnet_ros.core.types import Detections
from pose_resnet_ros.pipeline import PipelineResult, PosePipeline
from pose_resnet_ros.settings import FrameSettings

MAX_GAP_S = 1.0  # after a longer one people are anywhere


class ImageSequence:
    """``PosePipeline.run`` with the setting ``detector_interval``: images of one camera, in order, from one thread.

    In the images between two detections the boxes follow the keypoints of the image before (``core.box_propagation``). A lost
    person triggers a new detection, and so does an image of another size or rotation, one that comes after a gap or (by more
    than a small step, ``core.frame_time``) before the last one, or a failure. New persons appear with the next detection.
    """

    def __init__(self, pipeline: PosePipeline) -> None:
        self._pipeline = pipeline
        self.forget()

    def forget(self) -> None:
        """Detect in the next image, whatever was before."""
        self._keyframe: KeyframePoses | None = None
        self._next: Detections | None = None
        self._view: tuple[object, ...] = ()
        self._stamp_s: float | None = None
        self._since_detection = 0

    def run(
        self,
        image: np.ndarray,
        *,
        settings: FrameSettings,
        boxes: Detections | None = None,
        keep_heatmaps: bool = False,
        stamp_s: float | None = None,
    ) -> PipelineResult:
        """As ``PosePipeline.run``; given boxes are used as they are, and nothing is remembered of them.

        stamp_s: the image's time in seconds; None where every image follows the last one at the source's own pace.
        """
        if boxes is not None or settings.detector_interval == 1:
            self.forget()
            return self._pipeline.run(image, settings=settings, boxes=boxes, keep_heatmaps=keep_heatmaps)
        stamp_s = None if stamp_s is None else in_order(stamp_s, self._stamp_s)
        if not self._follows(stamp_s):
            self.forget()
        view = (*image.shape[:2], settings.image_rotation)
        propagated = self._next if view == self._view and self._since_detection < settings.detector_interval else None
        self._next, self._stamp_s = None, stamp_s  # should the run fail, nothing is propagated past it
        result = self._pipeline.run(image, settings=settings, boxes=propagated, keep_heatmaps=keep_heatmaps)
        if propagated is None:
            self._keyframe = KeyframePoses.of(result.native, keypoint_threshold=settings.keypoint_threshold)
            self._view, self._since_detection = view, 0
        self._since_detection += 1
        self._propagate(result, settings, image)
        return result

    def _follows(self, stamp_s: float | None) -> bool:
        if stamp_s is None or self._stamp_s is None:
            return True
        return 0.0 <= stamp_s - self._stamp_s <= MAX_GAP_S

    def _propagate(self, result: PipelineResult, settings: FrameSettings, image: np.ndarray) -> None:
        """The boxes for the next image; none if somebody was lost."""
        assert self._keyframe is not None
        boxes, lost = propagate(self._keyframe, result.native, keypoint_threshold=settings.keypoint_threshold)
        if lost.any():
            self._next = None
            return
        height, width = image.shape[:2]
        kept = np.flatnonzero(touches_image(boxes, width=width, height=height))
        kept = kept[nms(boxes[kept], self._keyframe.scores[kept], iou_threshold=settings.nms_threshold)]
        self._keyframe = self._keyframe.rows(kept)
        self._next = Detections(boxes[kept], self._keyframe.scores)

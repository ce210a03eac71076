# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""People in consecutive images of one camera: detection intervals, track ids, smoothing.

::

    with load_pipeline() as pipeline:
        stream = PersonStream(pipeline)
        for image in images:
            print(stream.run(image).people.track_ids)
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pose_resnet_ros.core.appearance import appearance_of
from pose_resnet_ros.core.box_propagation import BoxPropagator
from pose_resnet_ros.core.filters import KeypointSmoother
from pose_resnet_ros.core.tracking import MAX_STEP_BACK_S, PoseTracker
from pose_resnet_ros.core.types import Detections, People
from pose_resnet_ros.pipeline import PipelineResult, PosePipeline
from pose_resnet_ros.settings import StreamSettings

FRAME_S = 1 / 30  # from one image to the next, where they have no times


class PersonStream:
    """``PosePipeline.run`` for consecutive images of one camera, with what depends on earlier images: track ids, smoothed
    keypoints, and detection only in some images (``detector_interval``). Use it from one thread; several streams may share a
    pipeline.

    Tracking and smoothing run on the pose model's own joints, so ids do not depend on the output skeleton.
    """

    def __init__(self, pipeline: PosePipeline) -> None:
        self._pipeline = pipeline
        self._boxes = BoxPropagator()
        self._tracker = PoseTracker(oks_sigmas=pipeline.native_skeleton.oks_sigmas)
        self._smoother = KeypointSmoother()
        self._stamp_s: float | None = None

    def reset(self) -> None:
        """Drop all tracks: the detector runs on the next image, and everyone in it gets a new track id."""
        self._boxes.reset()
        self._tracker.reset()
        self._smoother.reset()
        self._stamp_s = None

    def run(
        self,
        image: np.ndarray,
        *,
        stamp_s: float | None = None,
        settings: StreamSettings | None = None,
        boxes: Detections | None = None,
        keep_heatmaps: bool = False,
    ) -> PipelineResult:
        """As ``PosePipeline.run``; the people have track ids and are smoothed, as the settings say.

        stamp_s: the image's time in seconds, 1/30 s after the last image by default. A step back of up to MAX_STEP_BACK_S is
        treated as no step; a larger one (a bag that loops, a simulation that is reset) resets the tracks. settings may change
        from one image to the next without resetting the tracks; given boxes are used unchanged.
        """
        settings = settings or StreamSettings()
        stamp_s = self._stamp_s = self._in_order(stamp_s)
        frame, propagated = settings.frame, None
        if boxes is not None or frame.detector_interval == 1:
            self._boxes.reset()
        else:
            view = (image.shape[1], image.shape[0], frame.image_rotation)
            propagated = self._boxes.take(view, stamp_s=stamp_s, interval=frame.detector_interval)
        given = propagated if boxes is None else boxes
        result = self._pipeline.run(image, settings=frame, boxes=given, keep_heatmaps=keep_heatmaps)
        if boxes is None and frame.detector_interval > 1:
            self._boxes.update(result.native, keypoint_threshold=frame.keypoint_threshold, nms_threshold=frame.nms_threshold)
        return replace(result, native=self._tracked(result.native, image, stamp_s, settings))

    def _in_order(self, stamp_s: float | None) -> float:
        last_s = self._stamp_s
        if stamp_s is None:
            return 0.0 if last_s is None else last_s + FRAME_S
        return last_s if last_s is not None and 0.0 < last_s - stamp_s <= MAX_STEP_BACK_S else stamp_s

    def _tracked(self, people: People, image: np.ndarray, stamp_s: float, settings: StreamSettings) -> People:
        """The same persons in the same order, with track ids and, where it is enabled, smoothed keypoints."""
        tracking, smoothing = settings.tracking, settings.smoothing
        if tracking.tracker == "none":
            return people
        track_ids = self._tracker.update(
            people,
            stamp_s=stamp_s,
            appearance=appearance_of(image, people.boxes_xyxy),
            similarity=tracking.tracker,
            min_similarity=tracking.min_similarity,
            confirm_hits=tracking.confirm_hits,
            max_age_s=tracking.max_age_ms / 1e3,
        )
        keypoints_xy = people.keypoints_xy
        if smoothing.enabled:
            keypoints_xy = self._smoother.update(
                people, track_ids, stamp_s=stamp_s, min_cutoff_hz=smoothing.min_cutoff_hz, beta=smoothing.beta
            )
        return replace(people, track_ids=track_ids, keypoints_xy=keypoints_xy)

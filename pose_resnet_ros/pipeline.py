# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""A detector, then a pose network: image in, people out. The only place that knows both.

::

    with load_pipeline() as pipeline:
        result = pipeline.run(image)
        print(result.people.keypoints_xy)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pose_resnet_ros.core.crops import check_image
from pose_resnet_ros.core.image_rotation import ImageRotation
from pose_resnet_ros.core.skeletons import Skeleton, convert, joint_sources, skeleton_named
from pose_resnet_ros.core.types import Detections, People
from pose_resnet_ros.models.backends import SelectedProvider
from pose_resnet_ros.models.detector import Detector, load_detector
from pose_resnet_ros.models.model_folder import never
from pose_resnet_ros.models.pose_net import PoseNet, require_valid
from pose_resnet_ros.models.runtime import RunOn
from pose_resnet_ros.models.stages import StageClock
from pose_resnet_ros.ready import make_all_ready, require_present
from pose_resnet_ros.settings import NATIVE, FrameSettings, LoadSettings


@dataclass(frozen=True, eq=False)
class PipelineResult:
    """What one image gave; rows of all parts belong together.

    people: joints of the pipeline's output skeleton; native: the same persons with the pose model's own joints;
    stage_ms: wall-clock time by stage (``models.stages.STAGES``; a stage that did not run is absent); heatmaps: (N, K, h, w)
    raw maps of the native joints and image_from_crop: (N, 2, 3), which takes crop pixels to image pixels, if they were kept.
    """

    people: People
    native: People
    detections: Detections
    stage_ms: dict[str, float]
    heatmaps: np.ndarray | None = None
    image_from_crop: np.ndarray | None = None


class PosePipeline:
    """Use it from one thread; only ``cancel`` may come from another.

    skeleton: of ``people``; native_skeleton: the pose model's own.
    """

    def __init__(self, detector: Detector, pose_net: PoseNet, *, skeleton: str, run_on: RunOn) -> None:
        """skeleton: a name, or ``native``. Raises SettingsError where the pose model cannot give it."""
        self.detector = detector
        self.pose_net = pose_net
        self.native_skeleton: Skeleton = pose_net.skeleton
        self.skeleton = self.native_skeleton if skeleton == NATIVE else skeleton_named(skeleton)
        joint_sources(self.native_skeleton, self.skeleton)
        self._canceller = run_on.canceller

    @property
    def selected_providers(self) -> dict[str, SelectedProvider]:
        """What each network really runs on, and why: keys ``pose`` and, if it has a network, ``detector``."""
        providers = {"detector": self.detector.selected_provider, "pose": self.pose_net.selected_provider}
        return {name: selected for name, selected in providers.items() if selected is not None}

    def run(
        self,
        image: np.ndarray,
        *,
        settings: FrameSettings | None = None,
        boxes: Detections | None = None,
        keep_heatmaps: bool = False,
    ) -> PipelineResult:
        """The people in one image.

        image: (H, W, 3) uint8 BGR; boxes: given persons, instead of the detector's, all used in their order;
        keep_heatmaps: the result carries the heatmaps too. Boxes and results are in this image, also where
        ``image_rotation`` turns it for the networks.
        Raises ImageError for another image layout or a box without area, InferenceCancelled after ``cancel``.
        """
        check_image(image)
        if boxes is not None:  # before a rotation makes a valid one of what is inside out
            require_valid(boxes)
        settings = settings or FrameSettings()
        clock = StageClock()
        rotation = ImageRotation(settings.image_rotation, (image.shape[1], image.shape[0]))
        upright = rotation.image(image)
        detections = self._detect(upright, settings, clock) if boxes is None else rotation.detections(boxes)
        pose = self.pose_net.estimate(upright, detections, flip_test=settings.flip_test, keep_heatmaps=keep_heatmaps, clock=clock)
        native = rotation.people_back(pose.people)
        people = convert(native, native=self.native_skeleton, target=self.skeleton)
        kept = (pose.heatmaps, rotation.affine_back(pose.image_from_crop)) if keep_heatmaps else (None, None)
        detections = rotation.detections_back(detections) if boxes is None else boxes
        return PipelineResult(people, native, detections, clock.ms, *kept)

    def cancel(self) -> None:
        """From any thread: end the run in progress and refuse new ones, both by InferenceCancelled, until ``resume``."""
        self._canceller.cancel()

    def resume(self) -> None:
        """Allow runs again after ``cancel``."""
        self._canceller.resume()

    def close(self) -> None:
        """Free both networks. Cancels a run in progress; the pipeline cannot be used afterwards."""
        self.cancel()
        self.detector.close()
        self.pose_net.close()

    def __enter__(self) -> PosePipeline:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _detect(self, image: np.ndarray, settings: FrameSettings, clock: StageClock) -> Detections:
        x1, y1, x2, y2 = settings.detector_region(width=image.shape[1], height=image.shape[0])
        found = self.detector.detect(
            image[y1:y2, x1:x2],
            detection_threshold=settings.detection_threshold,
            nms_threshold=settings.nms_threshold,
            clock=clock,
        )
        found = found[: settings.max_persons]  # the best scores come first
        return replace(found, boxes_xyxy=found.boxes_xyxy + np.array([x1, y1, x1, y1], np.float32))


def load_pipeline(settings: LoadSettings | None = None, *, cancelled: Callable[[], bool] = never, **changes: Any) -> PosePipeline:
    """Load both networks.

    settings: which and how; changes: fields of LoadSettings by name, which replace those of ``settings``, as in
    ``load_pipeline(backend="cuda")``; cancelled: asked while models are downloaded, which ends once it is true.
    Raises SettingsError (a value that is not allowed, or the model cannot give the skeleton, or not take the input's size),
    ModelError (a file is missing, or is not what it should be, or could not be downloaded), BackendError (the backend cannot be
    had), or InferenceCancelled where ``cancelled`` ended it.
    """
    chosen = replace(settings or LoadSettings(), **changes)
    models = (chosen.detector_model, chosen.pose_model)
    if chosen.allow_download:
        make_all_ready(models, cancelled=cancelled)
    require_present(models)
    run_on = RunOn(backend=chosen.backend, device_id=chosen.device_id, threads=chosen.threads, max_batch=chosen.max_batch)
    pose_net = PoseNet(chosen.pose_model, run_on=run_on, precision=chosen.precision, fused_graph=chosen.fused_graph)
    detector = load_detector(
        chosen.detector_model, run_on=run_on, precision=chosen.detector_precision, input_wh=chosen.detector_input_wh
    )
    return PosePipeline(detector, pose_net, skeleton=chosen.skeleton, run_on=run_on)


def pose_score(people: People, *, keypoint_threshold: float) -> np.ndarray:
    """(N,) float32: mean of the keypoint scores strictly above the threshold, each clipped to 0..1; 0 where there is none.

    Source of the rule: microsoft/human-pose-estimation.pytorch, lib/dataset/coco.py (with 0.2), there without clipping.
    """
    scores = np.clip(people.keypoint_scores, 0, 1)
    sure = people.keypoint_scores > keypoint_threshold
    return ((scores * sure).sum(axis=1) / np.maximum(sure.sum(axis=1), 1)).astype(np.float32)

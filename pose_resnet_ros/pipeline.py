# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""A detector, then a pose network: image in, people out. The only place that knows both.

::

    with load_pipeline() as pipeline:
        result = pipeline.run(image)
        print(result.people.keypoints_xy)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from pose_resnet_ros.core.boxes import areas, oks_nms, require_valid
from pose_resnet_ros.core.crops import check_image
from pose_resnet_ros.core.errors import ImageError
from pose_resnet_ros.core.image_rotation import ImageRotation
from pose_resnet_ros.core.skeletons import Skeleton, convert, joint_sources, skeleton_named
from pose_resnet_ros.core.types import Detections, People
from pose_resnet_ros.models.backends import SelectedProvider
from pose_resnet_ros.models.detector import Detector, load_detector
from pose_resnet_ros.models.model_folder import never
from pose_resnet_ros.models.pose_net import PoseEstimate, PoseNet
from pose_resnet_ros.models.runtime import RunOn
from pose_resnet_ros.models.stages import StageClock
from pose_resnet_ros.ready import make_all_ready, require_present
from pose_resnet_ros.settings import NATIVE, FrameSettings, LoadSettings

# Of the detection threshold: a lower detector score is hardly ever lifted over the threshold by the keypoints.
CANDIDATE_SHARE = 2 / 3
# Of the evaluation of Simple Baselines, 0.9; the bundled models' skeletons of one person differ a little more.
SAME_POSE_OKS = 0.8


@dataclass(frozen=True, eq=False)
class PipelineResult:
    """The result for one image; row i is the same person in all parts.

    native: the persons with the pose model's own joints, those of native_skeleton; detections: the boxes that they were found in;
    stage_ms: wall-clock time by stage (``models.stages.STAGES``; a stage that did not run is absent); heatmaps: (N, K, h, w)
    raw maps of the native joints and image_from_crop: (N, 2, 3), which takes crop pixels to image pixels, if they were kept.
    """

    native: People
    native_skeleton: Skeleton
    skeleton: Skeleton
    detections: Detections
    stage_ms: dict[str, float]
    heatmaps: np.ndarray | None = None
    image_from_crop: np.ndarray | None = None

    @cached_property
    def people(self) -> People:
        """The same persons with the joints of ``skeleton``, the pipeline's output skeleton."""
        return convert(self.native, native=self.native_skeleton, target=self.skeleton)


class PosePipeline:
    """A detector and a pose network, loaded. Threads may share it: runs are independent, and ``cancel`` ends them all.

    skeleton: the joints of ``people``; native_skeleton: the pose model's own.
    """

    def __init__(self, detector: Detector, pose_net: PoseNet, *, skeleton: str, run_on: RunOn) -> None:
        """skeleton: a name, or ``native``. Raises SettingsError if the pose model lacks its joints."""
        self.detector = detector
        self.pose_net = pose_net
        self.native_skeleton: Skeleton = pose_net.skeleton
        self.skeleton = self.native_skeleton if skeleton == NATIVE else skeleton_named(skeleton)
        joint_sources(self.native_skeleton, self.skeleton)
        self._canceller = run_on.canceller

    @property
    def selected_providers(self) -> dict[str, SelectedProvider]:
        """What each network actually runs on, and why: keys ``pose`` and, if it has a network, ``detector``."""
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

        image: (H, W, 3) uint8 BGR; boxes: persons to use instead of the detector's, all of them and in this order;
        keep_heatmaps: include the heatmaps in the result. Boxes and results are in pixels of this image, even if
        ``image_rotation`` rotates it for the networks.
        Raises ImageError for another image layout or a box without area, InferenceCancelled after ``cancel``.
        """
        return self.run_batch([image], settings=[settings or FrameSettings()], boxes=[boxes], keep_heatmaps=keep_heatmaps)[0]

    def run_batch(
        self,
        images: Sequence[np.ndarray],
        *,
        settings: Sequence[FrameSettings] | None = None,
        boxes: Sequence[Detections | None] | None = None,
        keep_heatmaps: bool = False,
    ) -> list[PipelineResult]:
        """The people in each of several images, of one camera or of many: as ``run`` for each, in shared batches.

        settings, boxes: one for each image. The persons of all images share the pose network's batches, and the
        images share the detector's if it accepts several. ``stage_ms`` is the time of the whole
        batch. Raises what ``run`` raises, for the first image that cannot be used.
        """
        frames = [
            _Frame(*given)
            for given in zip(images, settings or [FrameSettings()] * len(images), boxes or [None] * len(images), strict=True)
        ]
        clock = StageClock()
        self._detect([frame for frame in frames if frame.given is None], clock)
        poses = self.pose_net.estimate_batch(
            [frame.upright for frame in frames],
            [frame.persons for frame in frames],
            flip_tests=[frame.settings.flip_test for frame in frames],
            keep_heatmaps=keep_heatmaps,
            clock=clock,
        )
        poses = [
            frame.verify(pose, self.native_skeleton) if self._verifies(frame) else pose
            for frame, pose in zip(frames, poses, strict=True)
        ]
        return [
            PipelineResult(
                native=frame.rotation.people_back(pose.people),
                native_skeleton=self.native_skeleton,
                skeleton=self.skeleton,
                detections=frame.detections,
                stage_ms=clock.ms,
                heatmaps=pose.heatmaps if keep_heatmaps else None,
                image_from_crop=frame.rotation.affine_back(pose.image_from_crop) if keep_heatmaps else None,
            )
            for frame, pose in zip(frames, poses, strict=True)
        ]

    def cancel(self) -> None:
        """From any thread: end the runs in progress and refuse new ones, both by InferenceCancelled, until ``resume``."""
        self._canceller.cancel()

    def resume(self) -> None:
        """Allow runs again after ``cancel``."""
        self._canceller.resume()

    def close(self) -> None:
        """Free both networks. Cancels the runs in progress; the pipeline cannot be used afterwards."""
        self.cancel()
        self.detector.close()
        self.pose_net.close()

    def __enter__(self) -> PosePipeline:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _detect(self, frames: Sequence[_Frame], clock: StageClock) -> None:
        if not frames:
            return
        found = self.detector.detect_batch(
            [frame.searched for frame in frames],
            detection_thresholds=[
                frame.settings.detection_threshold * (CANDIDATE_SHARE if self._verifies(frame) else 1.0) for frame in frames
            ],
            nms_thresholds=[frame.settings.nms_threshold for frame in frames],
            clock=clock,
        )
        for frame, detections in zip(frames, found, strict=True):
            frame.take(detections)

    def _verifies(self, frame: _Frame) -> bool:
        return frame.settings.verify_persons and frame.given is None and self.detector.selected_provider is not None


class _Frame:
    """One image on its way through the pipeline: checked, and turned upright.

    persons: in the upright image, those given until ``take``; given: None where the detector is to find them.
    """

    def __init__(self, image: np.ndarray, settings: FrameSettings, given: Detections | None) -> None:
        check_image(image)
        if given is not None:  # before a rotation makes a valid one of what is inside out
            require_valid(given.boxes_xyxy)
        self.settings, self.given = settings, given
        self.rotation = ImageRotation(settings.image_rotation, (image.shape[1], image.shape[0]))
        self.upright = self.rotation.image(image)
        self.persons = Detections.empty() if given is None else self.rotation.detections(given)
        self._region = settings.detector_region(width=self.upright.shape[1], height=self.upright.shape[0])

    @property
    def searched(self) -> np.ndarray:
        """What the detector looks at."""
        x1, y1, x2, y2 = self._region
        if (x2 - x1) * (y2 - y1) == 1:
            raise ImageError("the detector's region is a single pixel of this image; enlarge detector_region_width or _height")
        return self.upright[y1:y2, x1:x2]

    @property
    def detections(self) -> Detections:
        """The persons in the image as it came."""
        return self.rotation.detections_back(self.persons) if self.given is None else self.given

    def take(self, found: Detections) -> None:
        """What the detector found in ``searched``, the best scores first."""
        best = found[: self.settings.max_persons]
        self.persons = replace(best, boxes_xyxy=best.boxes_xyxy + np.tile(np.array(self._region[:2], np.float32), 2))

    def verify(self, pose: PoseEstimate, skeleton: Skeleton) -> PoseEstimate:
        """The persons whose detector score and keypoints together exceed the threshold, each once, the best scores first."""
        scores = pose.people.verified_scores()
        people = pose.people[sure := np.flatnonzero(scores > self.settings.detection_threshold)]
        # Two boxes of one person, or one around a couple, may overlap too little for the detector: their skeletons are the same.
        sizes, sigmas = areas(people.boxes_xyxy), skeleton.oks_sigmas
        kept = sure[oks_nms(people.keypoints_xy, scores[sure], areas=sizes, sigmas=sigmas, threshold=SAME_POSE_OKS)]
        self.persons = replace(self.persons, scores=scores)[kept]
        pose = pose[kept]
        return replace(pose, people=replace(pose.people, box_scores=self.persons.scores))


def load_pipeline(settings: LoadSettings | None = None, *, cancelled: Callable[[], bool] = never, **changes: Any) -> PosePipeline:
    """Load both networks.

    settings: which models, and how to run them; changes: fields of LoadSettings by name, which replace those of ``settings``,
    as in ``load_pipeline(backend="cuda")``; cancelled: polled during downloads, which end once it returns true.
    Raises SettingsError (a value is not allowed, or a model does not support the skeleton or the input size), ModelError (a file
    is missing, invalid, or could not be downloaded), BackendError (the backend is not available), or InferenceCancelled
    (``cancelled`` returned true).
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

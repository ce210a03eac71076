# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Persons over time: what is done with the pipeline's results when the images follow one another.

The pipeline itself knows one image; the node and the tools put this behind it for a camera, a video or a bag.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from pose_resnet_ros.core.appearance import appearance_of
from pose_resnet_ros.core.frame_time import in_order
from pose_resnet_ros.core.skeletons import Skeleton
from pose_resnet_ros.core.smoothing import KeypointSmoother, SmoothingSettings
from pose_resnet_ros.core.tracking import PoseTracker, TrackerSettings
from pose_resnet_ros.core.types import People
from pose_resnet_ros.settings import StreamSettings


@dataclass(frozen=True)
class IdentitySettings:
    """Both stages' settings."""

    tracker: TrackerSettings = field(default_factory=TrackerSettings)
    smoothing: SmoothingSettings = field(default_factory=SmoothingSettings)

    @classmethod
    def of(cls, settings: StreamSettings) -> IdentitySettings:
        """Those of a stream."""
        tracking, smoothing = settings.tracking, settings.smoothing
        tracker = TrackerSettings(
            kind=tracking.tracker,
            min_similarity=tracking.min_similarity,
            confirm_hits=tracking.confirm_hits,
            max_age_s=tracking.max_age_ms / 1e3,
        )
        return cls(tracker, SmoothingSettings(smoothing.enabled, smoothing.min_cutoff_hz, smoothing.beta))


def id_text(track_id: int) -> str:
    """``Detection2D.id`` of vision_msgs: the same for the same person, empty where a person has no id yet."""
    return str(track_id) if track_id > 0 else ""


class Identities:
    """Track ids, then smoothing along them. Use it from one thread.

    skeleton: of the people that will come; settings may be set anew between frames, tracks are kept.
    """

    def __init__(self, skeleton: Skeleton, settings: IdentitySettings | None = None) -> None:
        settings = settings or IdentitySettings()
        self._tracker = PoseTracker(settings.tracker, oks_sigmas=skeleton.oks_sigmas)
        self._smoother = KeypointSmoother(settings.smoothing)
        self._stamp_s: float | None = None

    def set(self, settings: IdentitySettings) -> None:
        """Use these settings from the next frame on."""
        self._tracker.settings = settings.tracker
        self._smoother.settings = settings.smoothing

    def update(self, people: People, *, stamp_s: float, image: np.ndarray | None = None) -> People:
        """The same persons in the same order, with track ids and, where it is enabled, smoothed keypoints.

        stamp_s: the frame's time in seconds; a small step back is none (``core.frame_time``), a larger one begins anew. image:
        (H, W, 3) uint8 BGR that they were found in; the colours of their clothes keep ids apart where persons meet.
        """
        self._stamp_s = stamp_s = in_order(stamp_s, self._stamp_s)
        appearance = None
        if image is not None and self._tracker.settings.kind != "none":
            appearance = appearance_of(image, people.boxes_xyxy)
        people = self._tracker.update(people, stamp_s=stamp_s, appearance=appearance)
        return self._smoother.update(people, stamp_s=stamp_s)

    def reset(self) -> None:
        """Forget everybody: the next frame's persons are new ones."""
        self._tracker.reset()
        self._smoother.reset()
        self._stamp_s = None

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The settings that may change from one image to the next."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from pose_resnet_ros.settings.setting import SettingsGroup, setting


@dataclass(frozen=True)
class FrameSettings(SettingsGroup):
    """What ``PosePipeline.run`` takes with an image. A pipeline alone detects in every image, whatever detector_interval says."""

    TITLE: ClassVar[str] = "Detection and keypoints"

    detection_threshold: float = setting(0.4, "Minimum detector score of a person.", dynamic=True, minimum=0.0, maximum=1.0)
    image_rotation: int = setting(
        0,
        "Clockwise rotation in degrees that makes the camera's images upright. Results stay in the pixels of the original image.",
        dynamic=True,
        minimum=0,
        maximum=270,
        step=90,
        per_camera=True,
    )
    detector_region_x: float = setting(
        0.0,
        "Left edge of the image region that the detector searches, as a fraction of the upright image's width.",
        dynamic=True,
        minimum=0.0,
        maximum=1.0,
        per_camera=True,
    )
    detector_region_y: float = setting(
        0.0,
        "Top edge of the image region that the detector searches, as a fraction of the upright image's height.",
        dynamic=True,
        minimum=0.0,
        maximum=1.0,
        per_camera=True,
    )
    detector_region_width: float = setting(
        1.0,
        "Width of the image region that the detector searches, as a fraction of the upright image's width.",
        dynamic=True,
        minimum=0.01,
        maximum=1.0,
        per_camera=True,
    )
    detector_region_height: float = setting(
        1.0,
        "Height of the image region that the detector searches, as a fraction of the upright image's height.",
        dynamic=True,
        minimum=0.01,
        maximum=1.0,
        per_camera=True,
    )
    detector_interval: int = setting(
        1,
        "Run the detector on every n-th image. In between, boxes follow the keypoints, and a lost person triggers a new"
        " detection.",
        dynamic=True,
        minimum=1,
        maximum=1000,
    )
    nms_threshold: float = setting(
        0.45,
        "Non-maximum suppression: boxes that overlap by more than this (intersection over union) are one person.",
        dynamic=True,
        minimum=0.0,
        maximum=1.0,
    )
    keypoint_threshold: float = setting(
        0.2,
        "Keypoints with a score above this are drawn and count in `pose_score`. All keypoints are published.",
        dynamic=True,
        minimum=0.0,
        maximum=1.0,
    )
    max_persons: int = setting(
        32, "Maximum number of persons per image; the best scores are kept.", dynamic=True, minimum=1, maximum=1000
    )
    flip_test: bool = setting(
        False, "Average the result with that of the mirrored crop: slightly more accurate, twice the pose time.", dynamic=True
    )

    def detector_region(self, *, width: int, height: int) -> tuple[int, int, int, int]:
        """Where the detector looks in an image of this size: x1, y1, x2, y2 in pixels, at least one pixel, inside of it."""
        x1, x2 = _span(self.detector_region_x, self.detector_region_width, width)
        y1, y2 = _span(self.detector_region_y, self.detector_region_height, height)
        return x1, y1, x2, y2


def _span(begin: float, share: float, length: int) -> tuple[int, int]:
    first = min(round(begin * length), length - 1)
    return first, max(min(round((begin + share) * length), length), first + 1)


@dataclass(frozen=True)
class TrackingSettings(SettingsGroup):
    """How persons keep their track_id from image to image."""

    TITLE: ClassVar[str] = "Tracking"
    PREFIX: ClassVar[str] = "tracking."

    tracker: Literal["none", "iou", "oks"] = setting(
        "iou",
        "How persons are matched from image to image: by box overlap (iou) or by keypoint similarity (oks), both together with"
        " the colours of clothes. none: no tracking, every track_id is -1.",
        name="tracker",
        dynamic=True,
        choices=("none", "iou", "oks"),
    )
    min_similarity: float = setting(
        0.2,
        "Minimum similarity of a person in consecutive images, in the measure that `tracker` names; for oks, 0.05 suits better.",
        dynamic=True,
        minimum=0.0,
        maximum=1.0,
    )
    confirm_hits: int = setting(
        2,
        "Number of consecutive images with a new person before it gets its track_id; until then it is -1.",
        dynamic=True,
        minimum=1,
        maximum=100,
    )
    max_age_ms: float = setting(
        2000.0,
        "Time in milliseconds after which an unseen person is forgotten and gets a new track_id on its return.",
        dynamic=True,
        minimum=0.0,
        maximum=60000.0,
    )


@dataclass(frozen=True)
class SmoothingSettings(SettingsGroup):
    """The One-Euro filter along each track."""

    TITLE: ClassVar[str] = "Smoothing"
    PREFIX: ClassVar[str] = "smoothing."

    enabled: bool = setting(
        False, "Smooth the keypoints of each tracked person with a One-Euro filter. Scores are not smoothed.", dynamic=True
    )
    min_cutoff_hz: float = setting(
        1.0,
        "Cutoff frequency in Hz of the One-Euro filter for a joint at rest. Lower is smoother.",
        dynamic=True,
        minimum=0.001,
        maximum=1000.0,
    )
    beta: float = setting(
        5.0,
        "Gain in Hz of the One-Euro filter's cutoff frequency for a joint that moves one body size per second. Higher lags less"
        " in fast motion.",
        dynamic=True,
        minimum=0.0,
        maximum=1000.0,
    )


@dataclass(frozen=True)
class StreamSettings(SettingsGroup):
    """What a stream of images takes with each of them."""

    frame: FrameSettings = field(default=FrameSettings())
    tracking: TrackingSettings = field(default=TrackingSettings())
    smoothing: SmoothingSettings = field(default=SmoothingSettings())


@dataclass(frozen=True)
class DrawSettings(SettingsGroup):
    """What ``core.draw.draw_people`` draws."""

    TITLE: ClassVar[str] = "Drawing"

    draw_skeletons: bool = setting(True, "Draw joints and limbs in annotated images.", dynamic=True)
    draw_boxes: bool = setting(True, "Draw bounding boxes in annotated images.", dynamic=True)
    draw_ids: bool = setting(True, "Write track ids into annotated images.", dynamic=True)
    draw_scores: bool = setting(False, "Write detector scores into annotated images.", dynamic=True)

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The settings that may change from one image to the next."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from pose_resnet_ros.settings.setting import SettingsGroup, dynamic, fraction


@dataclass(frozen=True)
class FrameSettings(SettingsGroup):
    """What ``PosePipeline.run`` takes with an image. A pipeline alone detects in every image, whatever detector_interval says."""

    TITLE: ClassVar[str] = "Detection and keypoints"

    detection_threshold: float = fraction(0.5, "Minimum score of a person; see `verify_persons`.")
    verify_persons: bool = dynamic(
        True,
        "Score each detected person by the detector and its most certain keypoints together, so that a detection without a"
        " visible joint is dropped, and so is one with the skeleton of another. false: the detector's score alone. Boxes from"
        " `detections` and full_frame keep their scores.",
    )
    image_rotation: int = dynamic(
        0,
        "Clockwise rotation in degrees that makes the camera's images upright. Results stay in pixels of the original image.",
        minimum=0,
        maximum=270,
        step=90,
        per_camera=True,
    )
    detector_region_x: float = fraction(
        0.0, "Left edge of the region that the detector searches, as a fraction of the upright image's width.", per_camera=True
    )
    detector_region_y: float = fraction(
        0.0, "Top edge of the region that the detector searches, as a fraction of the upright image's height.", per_camera=True
    )
    detector_region_width: float = fraction(
        1.0,
        "Width of the region that the detector searches, as a fraction of the upright image's width.",
        minimum=0.01,
        per_camera=True,
    )
    detector_region_height: float = fraction(
        1.0,
        "Height of the region that the detector searches, as a fraction of the upright image's height.",
        minimum=0.01,
        per_camera=True,
    )
    detector_interval: int = dynamic(
        1,
        "Run the detector on every n-th image. In between, boxes follow the keypoints; a lost person triggers a new detection.",
        minimum=1,
        maximum=1000,
    )
    nms_threshold: float = fraction(
        0.45, "Non-maximum suppression: boxes that overlap by more than this (intersection over union) are one person."
    )
    keypoint_threshold: float = fraction(
        0.33, "Keypoints with a score above this are drawn and count in `pose_score`. All keypoints are published."
    )
    max_persons: int = dynamic(32, "Maximum number of persons per image; the best scores are kept.", minimum=1, maximum=1000)
    flip_test: bool = dynamic(
        False, "Average the result with that of the mirrored crop: slightly more accurate, twice the pose time."
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

    tracker: Literal["none", "iou", "oks"] = dynamic(
        "iou",
        "How persons are matched from image to image: by box overlap (iou) or by keypoint similarity (oks), both together with"
        " the colours of clothes. none: no tracking, every track_id is -1.",
        name="tracker",
        choices=("none", "iou", "oks"),
    )
    min_similarity: float = fraction(
        0.2, "Minimum similarity of a person in consecutive images, measured as `tracker` says; 0.05 suits oks better."
    )
    confirm_hits: int = dynamic(
        2,
        "Number of consecutive images with a new person until it gets a track_id; before that it is -1.",
        minimum=1,
        maximum=100,
    )
    max_age_ms: float = dynamic(
        2000.0,
        "Time in milliseconds after which an unseen person is forgotten, and gets a new track_id on return.",
        minimum=0.0,
        maximum=60000.0,
    )


@dataclass(frozen=True)
class SmoothingSettings(SettingsGroup):
    """The One-Euro filter along each track."""

    TITLE: ClassVar[str] = "Smoothing"
    PREFIX: ClassVar[str] = "smoothing."

    enabled: bool = dynamic(False, "Smooth the keypoints of each tracked person with a One-Euro filter. Scores are not smoothed.")
    min_cutoff_hz: float = dynamic(
        1.0,
        "Cutoff frequency in Hz of the One-Euro filter for a joint at rest. Lower is smoother.",
        minimum=0.001,
        maximum=1000.0,
    )
    beta: float = dynamic(
        5.0,
        "Gain in Hz of the One-Euro filter's cutoff frequency for a joint that moves one body size per second. Higher lags less"
        " in fast motion.",
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

    draw_skeletons: bool = dynamic(True, "Draw joints and limbs in annotated images.")
    draw_boxes: bool = dynamic(True, "Draw bounding boxes in annotated images.")
    draw_ids: bool = dynamic(True, "Write track ids into annotated images.")
    draw_scores: bool = dynamic(False, "Write the persons' scores into annotated images.")

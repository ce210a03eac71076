# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The settings that may change from one frame to the next."""

from __future__ import annotations

from dataclasses import dataclass, fields

from pose_resnet_ros.options import option


@dataclass(frozen=True)
class PipelineSettings:
    """What ``PosePipeline.run`` takes along with the image; defaults, ranges and meanings stand in ``options.py``.

    detector_interval is for ``sequence.ImageSequence``: a pipeline alone detects in every image. Raises SettingsError for a
    value outside its range.
    """

    detection_threshold: float = option("detection_threshold").default  # type: ignore[assignment]
    image_rotation: int = option("image_rotation").default  # type: ignore[assignment]
    detector_region_x: float = option("detector_region_x").default  # type: ignore[assignment]
    detector_region_y: float = option("detector_region_y").default  # type: ignore[assignment]
    detector_region_width: float = option("detector_region_width").default  # type: ignore[assignment]
    detector_region_height: float = option("detector_region_height").default  # type: ignore[assignment]
    detector_interval: int = option("detector_interval").default  # type: ignore[assignment]
    nms_threshold: float = option("nms_threshold").default  # type: ignore[assignment]
    keypoint_threshold: float = option("keypoint_threshold").default  # type: ignore[assignment]
    max_persons: int = option("max_persons").default  # type: ignore[assignment]
    flip_test: bool = option("flip_test").default  # type: ignore[assignment]

    def __post_init__(self) -> None:
        for field in fields(self):
            value = option(field.name).check(getattr(self, field.name))
            object.__setattr__(self, field.name, value)

    def detector_region(self, *, width: int, height: int) -> tuple[int, int, int, int]:
        """Where the detector looks in an image of this size: x1, y1, x2, y2 in pixels, at least one pixel, inside of it."""
        x1, x2 = _span(self.detector_region_x, self.detector_region_width, width)
        y1, y2 = _span(self.detector_region_y, self.detector_region_height, height)
        return x1, y1, x2, y2


def _span(begin: float, share: float, length: int) -> tuple[int, int]:
    first = min(round(begin * length), length - 1)
    return first, max(min(round((begin + share) * length), length), first + 1)

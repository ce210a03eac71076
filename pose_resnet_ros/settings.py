# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The settings that may change from one frame to the next."""

from __future__ import annotations

from dataclasses import dataclass, fields

from pose_resnet_ros.options import option


@dataclass(frozen=True)
class PipelineSettings:
    """What ``PosePipeline.run`` takes along with the image; defaults, ranges and meanings stand in ``options.py``.

    Raises SettingsError for a value outside its range.
    """

    detection_threshold: float = option("detection_threshold").default  # type: ignore[assignment]
    nms_threshold: float = option("nms_threshold").default  # type: ignore[assignment]
    keypoint_threshold: float = option("keypoint_threshold").default  # type: ignore[assignment]
    max_persons: int = option("max_persons").default  # type: ignore[assignment]
    flip_test: bool = option("flip_test").default  # type: ignore[assignment]

    def __post_init__(self) -> None:
        for field in fields(self):
            value = option(field.name).check(getattr(self, field.name))
            object.__setattr__(self, field.name, value)

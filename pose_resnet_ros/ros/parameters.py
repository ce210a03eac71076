# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Every parameter of the pose node: the pipeline's options and the node's own, and the typed settings made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from pose_resnet_ros.options import PIPELINE_OPTIONS, Option, Value
from pose_resnet_ros.settings import PipelineSettings

NODE_OPTIONS: tuple[Option, ...] = (
    Option("autostart", True, "configure and activate at start; false: a lifecycle manager does it"),
    Option(
        "image_transport",
        "raw",
        "raw: sensor_msgs/Image on `image`; compressed: sensor_msgs/CompressedImage on `image`/compressed",
        choices=("raw", "compressed"),
    ),
    Option(
        "image_reliability",
        "best_effort",
        "reliability asked of the camera; best_effort hears every publisher, reliable only reliable ones",
        choices=("best_effort", "reliable"),
    ),
    Option(
        "max_age_ms",
        0.0,
        "a frame that waited longer than this since its receipt is dropped; 0: no limit",
        live=True,
        minimum=0.0,
    ),
)
PARAMETERS: tuple[Option, ...] = (*PIPELINE_OPTIONS, *NODE_OPTIONS)
# What `load_pipeline` takes.
_LOAD_NAMES = ("pose_model", "detector_model", "backend", "device_id", "threads", "max_batch", "skeleton")


@dataclass(frozen=True)
class Settings:
    """One consistent set of values: the worker takes one for each frame.

    load: arguments of ``load_pipeline``; frame: what the pipeline takes with each image; draw: the
    ``draw_*`` parameters, arguments of ``core.draw.draw_people``; the rest: parameters by their names.
    """

    load: Mapping[str, Any]
    frame: PipelineSettings
    draw: Mapping[str, bool]
    autostart: bool
    image_transport: str
    image_reliability: str
    max_age_ms: float

    @classmethod
    def from_values(cls, values: Mapping[str, Value]) -> Settings:
        """From the values of all PARAMETERS. Raises SettingsError for one that is not allowed."""
        own = [field.name for field in fields(cls) if field.name in values]
        return cls(
            load={name: values[name] for name in _LOAD_NAMES},
            frame=PipelineSettings(**{field.name: values[field.name] for field in fields(PipelineSettings)}),  # type: ignore[arg-type]
            draw={name: value for name, value in values.items() if name.startswith("draw_")},  # type: ignore[misc]
            **{name: values[name] for name in own},  # type: ignore[arg-type]
        )

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Every parameter of the pose node: the pipeline's options and the node's own, and the typed settings made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from pose_resnet_ros.identities import IdentitySettings
from pose_resnet_ros.models.registry import FULL_FRAME
from pose_resnet_ros.options import LOAD_NAMES, PIPELINE_OPTIONS, TRACKING_OPTIONS, Option, Value
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
    Option(
        "min_output_ratio",
        0.5,
        "diagnostics warn of an overload when for 10 s fewer than this share of the camera's images lead to a result; 0: never",
        live=True,
        minimum=0.0,
        maximum=1.0,
    ),
)
ROBOT_OPTIONS: tuple[Option, ...] = (
    Option(
        "jpeg_quality",
        90,
        "JPEG quality of ~/annotated_image/compressed: higher is larger and better",
        live=True,
        minimum=1,
        maximum=100,
    ),
    Option("publish_hri", False, "tracked persons as /humans/bodies (REP-155) too; needs the package hri_msgs"),
    Option(
        "hri_id_prefix",
        "",
        "with publish_hri: PREFIX_body1 in place of body1, so that two nodes never mean two persons by one id; empty: the node's"
        " namespace, and its name if that is not pose_resnet",
    ),
    Option(
        "person_class_ids",
        "person,0",
        "with detector_model external: the class ids on `detections` that mean a person, with commas between them",
    ),
    Option("use_depth", False, "persons in 3D, from `depth_image` (registered to the image) and `camera_info`"),
    Option(
        "depth_max_offset_ms",
        20.0,
        "a depth image further than this from the image's stamp is not used for it",
        live=True,
        minimum=0.0,
        maximum=1000.0,
    ),
    Option(
        "image_is_rectified",
        False,
        "the images have no lens distortion any more (image_rect): camera_info's P holds, not its K and D",
        live=True,
    ),
)
READ_AT_START = ("autostart",)
EXTERNAL = "external"  # a detector_model that only a node can have: boxes come by topic


def when_read(name: str) -> str:
    """When the node reads a parameter that is not live."""
    return "read when the process starts" if name in READ_AT_START else "read when the node is configured"


def why_fixed(name: str, state: str) -> str:
    """Why a parameter that is not live cannot change in this lifecycle state; "" if it can."""
    if name in READ_AT_START:
        return when_read(name)
    is_loaded = state in ("inactive", "active")
    return f"{when_read(name)}, which is {state} now: clean it up, then set and configure" if is_loaded else ""


def _for_the_node(option: Option) -> Option:
    if option.name != "detector_model":
        return option
    return replace(option, description=f"{option.description}, or external (boxes from `detections`, made from the same images)")


PARAMETERS: tuple[Option, ...] = (*map(_for_the_node, PIPELINE_OPTIONS), *TRACKING_OPTIONS, *NODE_OPTIONS, *ROBOT_OPTIONS)


@dataclass(frozen=True)
class Settings:
    """One consistent set of values: the worker takes one for each frame.

    load: arguments of ``load_pipeline``; frame: what the pipeline takes with each image; draw: the
    ``draw_*`` parameters, arguments of ``core.draw.draw_people``; identities: tracking and smoothing; is_external: boxes come by
    topic, so that no detector is loaded; the rest: parameters by their names.
    """

    load: Mapping[str, Any]
    frame: PipelineSettings
    draw: Mapping[str, bool]
    identities: IdentitySettings
    is_external: bool
    person_class_ids: tuple[str, ...]
    autostart: bool
    image_transport: str
    image_reliability: str
    max_age_ms: float
    min_output_ratio: float
    jpeg_quality: int
    publish_hri: bool
    hri_id_prefix: str
    use_depth: bool
    depth_max_offset_ms: float
    image_is_rectified: bool

    @classmethod
    def from_values(cls, values: Mapping[str, Value]) -> Settings:
        """From the values of all PARAMETERS. Raises SettingsError for one that is not allowed."""
        class_ids = tuple(name.strip() for name in str(values["person_class_ids"]).split(",") if name.strip())
        given = {"person_class_ids": class_ids, "is_external": values["detector_model"] == EXTERNAL}
        own = [field.name for field in fields(cls) if field.name in values and field.name not in given]
        detector = FULL_FRAME if given["is_external"] else values["detector_model"]
        return cls(
            load={**{name: values[name] for name in LOAD_NAMES}, "detector_model": detector},
            frame=PipelineSettings(**{field.name: values[field.name] for field in fields(PipelineSettings)}),  # type: ignore[arg-type]
            draw={name: value for name, value in values.items() if name.startswith("draw_")},  # type: ignore[misc]
            identities=IdentitySettings.from_options(values),
            **given,  # type: ignore[arg-type]
            **{name: values[name] for name in own},  # type: ignore[arg-type]
        )

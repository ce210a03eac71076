# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The settings that are read once, when the models are loaded."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import ClassVar

from pose_resnet_ros.core.skeletons import SKELETONS
from pose_resnet_ros.settings.setting import SettingsGroup, setting

EXTERNAL = "external"  # a detector_model that only a node can have
NATIVE = "native"
_PRECISIONS = ("auto", "fp32", "fp16", "int8")


@dataclass(frozen=True)
class LoadSettings(SettingsGroup):
    """What ``load_pipeline`` takes; docs/parameters.md describes each field."""

    TITLE: ClassVar[str] = "Models"

    pose_model: str | os.PathLike[str] = setting(
        "pose_resnet_lite", "Pose network: a name from `models list`, or the path of an ONNX file."
    )
    detector_model: str | os.PathLike[str] = setting(
        "person_lite",
        "Person detector: a name from `models list`, the path of an ONNX file, or full_frame (the whole image is one person)."
        " In the node also external: your own detector publishes the boxes on the topic `detections`.",
    )
    detector_input: str = setting(
        "",
        "Input size of the detector, WIDTHxHEIGHT in pixels, multiples of 32, such as 320x256. Smaller is faster, larger finds"
        " smaller persons. Only for models whose input size is free, such as person_lite. Empty: the model's own size.",
        pattern=r"([1-9][0-9]{0,4}x[1-9][0-9]{0,4})?",
        pattern_in_words="WIDTHxHEIGHT in pixels, such as 320x256, or nothing",
    )
    backend: str = setting(
        "auto",
        "Where the networks run. auto: cuda where a GPU can be used, else the CPU, which is logged. A named backend that cannot"
        " be used is an error.",
        choices=("auto", "cpu", "cuda", "tensorrt", "openvino"),
    )
    precision: str = setting(
        "auto",
        "Precision of the pose network. auto: the model file as given; bundled models run in int8 where that is faster (x86 with"
        " AVX2). fp16, int8: the file NAME.fp16.onnx or NAME.int8.onnx that `export` made. fp32: the model file as given, refused"
        " if it has another precision.",
        choices=_PRECISIONS,
    )
    detector_precision: str = setting(
        "auto",
        "Precision of the detector. auto: the model file as given; bundled models run in int8 where that is faster. fp16, int8:"
        " the file that `export` made. fp32: the model file as given, refused if it has another precision.",
        choices=_PRECISIONS,
    )
    device_id: int = setting(0, "Index of the GPU, counted from 0.", minimum=0, maximum=63)
    threads: int = setting(
        0,
        "CPU threads of each network. 0: one per physical core; the node divides the cores among its cameras.",
        minimum=0,
        maximum=256,
    )
    # One batch of the default size is more persons than a robot meets, and bounds the time that one image can take.
    max_batch: int = setting(
        32, "Largest number of persons in one run of the pose network; more persons take several runs.", minimum=1, maximum=256
    )
    fused_graph: bool = setting(
        False,
        "Crop and decode inside the pose network's graph: with backend cuda only the image goes to the GPU, and only keypoints"
        " come back. Where that is not possible, falls back to the CPU path and logs why.",
    )
    skeleton: str = setting(
        "openpose18", "Joint set of the results. native: the joints of the pose network.", choices=(*SKELETONS, NATIVE)
    )
    allow_download: bool = setting(
        False,
        "Download models that are missing on this machine, verify their checksums and convert them where needed. Progress is"
        " logged.",
    )

    @property
    def detector_input_wh(self) -> tuple[int, int] | None:
        """Width and height in pixels; None: the model's own."""
        width, _, height = self.detector_input.partition("x")
        return (int(width), int(height)) if width else None

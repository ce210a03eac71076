# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Batched PoseResNet for ROS 2: a camera image in, named human keypoints out.

What programs need is importable from here; each name is loaded at its first use::

    from pose_resnet_ros import load_pipeline

This file runs in every process that imports our messages (``ros2 topic echo``, rosbag2, rqt), so it imports nothing heavy.
"""

from importlib import import_module
from pkgutil import extend_path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pose_resnet_ros.core.errors import (
        BackendError,
        BenchmarkError,
        DataFileError,
        DownloadError,
        ImageError,
        IncompleteVideoError,
        InferenceCancelled,
        ModelError,
        PoseError,
        SettingsError,
    )
    from pose_resnet_ros.core.types import Detections, People
    from pose_resnet_ros.pipeline import PipelineResult, PosePipeline, load_pipeline
    from pose_resnet_ros.settings import FrameSettings, LoadSettings, SmoothingSettings, StreamSettings, TrackingSettings
    from pose_resnet_ros.stream import PersonStream

# In a clone's root the source tree comes first on sys.path; the generated messages (`pose_resnet_ros.msg`) live in the
# installed copy. Joining both keeps `python3 -m pose_resnet_ros` working from any folder.
__path__ = extend_path(__path__, __name__)

__version__ = "0.2.0"

__all__ = [
    "BackendError",
    "BenchmarkError",
    "DataFileError",
    "Detections",
    "DownloadError",
    "FrameSettings",
    "ImageError",
    "IncompleteVideoError",
    "InferenceCancelled",
    "LoadSettings",
    "ModelError",
    "People",
    "PersonStream",
    "PipelineResult",
    "PoseError",
    "PosePipeline",
    "SettingsError",
    "SmoothingSettings",
    "StreamSettings",
    "TrackingSettings",
    "load_pipeline",
]

_MODULES = {
    "Detections": "core.types",
    "People": "core.types",
    "PersonStream": "stream",
    "PipelineResult": "pipeline",
    **dict.fromkeys(("FrameSettings", "LoadSettings", "SmoothingSettings", "StreamSettings", "TrackingSettings"), "settings"),
    "PosePipeline": "pipeline",
    "load_pipeline": "pipeline",
}  # the others are errors


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    value = getattr(import_module(f"{__name__}.{_MODULES.get(name, 'core.errors')}"), name)
    globals()[name] = value  # the next use finds it without this function
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

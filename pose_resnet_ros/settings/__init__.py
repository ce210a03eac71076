# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Every setting, declared once as a field of a frozen dataclass.

Node parameters, command line options, launch arguments, config/pose.yaml and docs/parameters.md all derive from these.
"""

from pose_resnet_ros.settings.load_settings import EXTERNAL, NATIVE, LoadSettings
from pose_resnet_ros.settings.node_settings import (
    DepthSettings,
    HriSettings,
    InputSettings,
    NodeSettings,
    OutputSettings,
    Settings,
    SourceSettings,
)
from pose_resnet_ros.settings.setting import Setting, SettingsGroup, Value, setting
from pose_resnet_ros.settings.stream_settings import (
    DrawSettings,
    FrameSettings,
    SmoothingSettings,
    StreamSettings,
    TrackingSettings,
)

__all__ = [
    "EXTERNAL",
    "NATIVE",
    "DepthSettings",
    "DrawSettings",
    "FrameSettings",
    "HriSettings",
    "InputSettings",
    "LoadSettings",
    "NodeSettings",
    "OutputSettings",
    "Setting",
    "Settings",
    "SettingsGroup",
    "SmoothingSettings",
    "SourceSettings",
    "StreamSettings",
    "TrackingSettings",
    "Value",
    "setting",
]

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Whether a source is a video, of which every frame counts, or a live one, of which the newest does."""

from __future__ import annotations

from pose_resnet_ros.video.live import LiveReader, LiveSettings
from pose_resnet_ros.video.reader import VideoReader
from pose_resnet_ros.video.source import Source


def open_video(source: Source, settings: LiveSettings | None = None) -> VideoReader | LiveReader:
    """Open a file, a webcam or an address. settings: its timeout holds for a video behind an address too.

    What an address gives is a video where it has an end (a length is announced), else live; rtsp is always live.
    Raises SettingsError if it cannot be opened.
    """
    settings = settings or LiveSettings()
    container = source.open(settings.timeout_s)
    has_end = not source.scheme or (source.scheme in ("http", "https") and container.duration is not None)
    if has_end and not source.device:
        return VideoReader(source, container)
    return LiveReader(source, container, settings)

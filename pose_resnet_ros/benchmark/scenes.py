# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Frames with a known number of persons, synthetic or recorded."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from itertools import islice

import cv2
import numpy as np

from pose_resnet_ros.core.errors import SettingsError
from pose_resnet_ros.core.types import Detections
from pose_resnet_ros.media import open_media, readable_frames
from pose_resnet_ros.models.detector import Detector
from pose_resnet_ros.settings import FrameSettings

SYNTHETIC, SYNTHETIC_WH = "synthetic", (640, 480)
_RECORDED_COUNT = 8
_PERSON_ASPECT = 0.4  # width to height of somebody who stands


@dataclass(frozen=True, eq=False)
class Scene:
    """image: (H, W, 3) uint8 BGR; boxes: as many as were asked for."""

    image: np.ndarray
    boxes: Detections


def synthetic_scene(persons: int, *, width: int, height: int, seed: int = 0) -> Scene:
    """A smooth random image, and boxes of standing persons of 30 to 90 % of its height; reproducible by the seed."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (max(2, height // 16), max(2, width // 16), 3), np.uint8)
    image = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    heights = rng.uniform(0.3, 0.9, persons) * height
    sizes = np.stack([_PERSON_ASPECT * heights, heights], axis=1)
    centres = rng.uniform(0.2, 0.8, (persons, 2)) * (width, height)
    corners = np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=1)
    return Scene(image, Detections(corners.astype(np.float32), np.ones(persons, np.float32)))


def recorded_images(source: str, *, count: int, size_wh: tuple[int, int] | None = None) -> list[np.ndarray]:
    """Up to ``count`` images, spread evenly over a video or a folder, in their own size unless another is given.

    Damaged ones are skipped. Raises SettingsError where none can be read.
    """
    with closing(open_media(source)) as media:
        step = max(1, (media.length or count) // count)
    wanted = islice((frame for frame in readable_frames(source) if frame.index % step == 0), count)
    images = [frame.bgr if size_wh is None else cv2.resize(frame.bgr, size_wh) for frame in wanted]
    if not images:
        raise SettingsError(f"source: '{source}' holds no image")
    return images


def recorded_scene(image: np.ndarray, persons: int, *, detector: Detector) -> Scene:
    """The image with its most confident persons; if there are too few, they are repeated, slightly shifted. Where the detector
    finds nobody, the whole image counts as one person.
    """
    settings = FrameSettings()
    found = detector.detect(image, detection_threshold=settings.detection_threshold, nms_threshold=settings.nms_threshold)
    height, width = image.shape[:2]
    boxes = found.boxes_xyxy if len(found) else np.array([[0, 0, width, height]], np.float32)
    place = np.arange(persons)
    moved = boxes[place % len(boxes)] + (4.0 * (place // len(boxes)))[:, None]
    return Scene(image, Detections(moved.astype(np.float32), np.ones(persons, np.float32)))


@dataclass(frozen=True)
class Source:
    """Where the frames come from: ``synthetic``, or a file or folder; encoding: bgr8 or rgb8.

    size_wh: of the frames; None: 640 x 480 for synthetic ones, their own for others.
    """

    name: str = SYNTHETIC
    size_wh: tuple[int, int] | None = None
    encoding: str = "bgr8"

    def images(self) -> list[np.ndarray]:
        """(H, W, 3) uint8 BGR, all of one size if one is given. Raises SettingsError for a source that cannot be read."""
        if self.name != SYNTHETIC:
            return recorded_images(self.name, count=_RECORDED_COUNT, size_wh=self.size_wh)
        width, height = self.size_wh or SYNTHETIC_WH
        return [synthetic_scene(0, width=width, height=height).image]

    def scene_maker(self, detector: Detector) -> Callable[[int], list[Scene]]:
        """A number of persons to scenes with as many. Raises SettingsError as ``images`` does."""
        if self.name == SYNTHETIC:
            width, height = self.size_wh or SYNTHETIC_WH
            return lambda count: [synthetic_scene(count, width=width, height=height)]
        images = self.images()
        return lambda count: [recorded_scene(image, count, detector=detector) for image in images]

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Network inputs from a folder of the user's images, made by the code that the node runs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from pose_resnet_ros.core.crops import CROPS, check_image
from pose_resnet_ros.core.errors import SettingsError
from pose_resnet_ros.core.letterbox import LETTERBOXES
from pose_resnet_ros.media import readable_frames
from pose_resnet_ros.models.detector import FullFrame, PersonDetector
from pose_resnet_ros.models.spec import PoseSpec, Spec
from pose_resnet_ros.settings import FrameSettings

MAX_PICTURES = 200
MAX_PERSONS = 8


def calibration_tensors(folder: Path, spec: Spec) -> Iterator[np.ndarray]:
    """(N, 3, h, w) float32, one for each of at most ``MAX_PICTURES`` images.

    For a pose network, crops of the people that the bundled detector finds, or the whole image if it finds none; for a detector,
    the letterboxed image. A damaged image is skipped, with a warning in the log. Raises SettingsError if no image can be read.
    """
    detector = PersonDetector("person_lite", precision="fp32") if isinstance(spec, PoseSpec) else None
    count = 0
    for frame in islice(readable_frames(str(folder)), MAX_PICTURES):
        count += 1
        yield _tensor(frame.bgr, spec, detector)
    if count == 0:
        raise SettingsError(f"calibration: no image in {folder} can be read")


def _tensor(image: np.ndarray, spec: Spec, detector: PersonDetector | None) -> np.ndarray:
    if not isinstance(spec, PoseSpec) or detector is None:
        check_image(image)
        return LETTERBOXES[spec.letterbox](image, spec=spec.input).tensor  # type: ignore[union-attr]
    thresholds = FrameSettings().detection_threshold, FrameSettings().nms_threshold
    found = detector.detect(image, detection_threshold=thresholds[0], nms_threshold=thresholds[1])
    if not len(found):
        found = FullFrame().detect(image, detection_threshold=thresholds[0], nms_threshold=thresholds[1])
    boxes = found[:MAX_PERSONS].boxes_xyxy
    return CROPS[spec.crop](image, boxes, spec=spec.input, padding=spec.padding).tensor

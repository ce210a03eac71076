# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The top-down pose network: an image and its persons' boxes in, keypoints out."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np

from pose_resnet_ros.core import boxes as box_maths
from pose_resnet_ros.core import types
from pose_resnet_ros.core.crops import CROPS, tensor_for, to_image
from pose_resnet_ros.core.errors import ImageError, ModelError, SettingsError
from pose_resnet_ros.core.heatmaps import DECODERS, merge_flipped, mirrored
from pose_resnet_ros.core.simcc import merge_flipped_simcc
from pose_resnet_ros.core.skeletons import skeleton_named
from pose_resnet_ros.core.types import Crops, Detections, People
from pose_resnet_ros.models.backends import Grant
from pose_resnet_ros.models.checks import check_pose_outputs
from pose_resnet_ros.models.loading import open_model
from pose_resnet_ros.models.runtime import RunOn
from pose_resnet_ros.models.spec import PoseSpec
from pose_resnet_ros.models.stages import StageClock


@dataclass(frozen=True, eq=False)
class PoseEstimate:
    """People with the network's own joints, and where they come from, row by row.

    heatmaps: (N, K, Hh, Wh) raw, or None for a network without them; image_from_crop: (N, 2, 3), crop pixels to image pixels.
    """

    people: People
    heatmaps: np.ndarray | None
    image_from_crop: np.ndarray


class PoseNet:
    """One pose network, loaded.

    spec: its description; skeleton: its joints; input_wh: the crop's size; grant: what it runs on, and why.
    """

    def __init__(
        self, name_or_path: str | os.PathLike[str], *, run_on: RunOn | None = None, precision: str = "auto"
    ) -> None:
        """Load the network and run it once on nothing, which checks its output and warms it up.

        precision: as in ``options.py``. Raises ModelError or BackendError.
        """
        self._model, spec = open_model(
            name_or_path, spec_type=PoseSpec, run_on=run_on or RunOn(), precision=precision
        )
        self.spec = spec
        try:
            self.skeleton = skeleton_named(spec.skeleton)
            self._crop = types.option(CROPS, spec.crop, what="crop")
            self._decode = types.option(DECODERS, spec.decoder, what="decoder")
        except SettingsError as error:
            raise ModelError(
                f"{self._model.path}: its description does not fit this package: {error}"
            ) from error
        self.input_wh = (spec.input.width, spec.input.height)
        self._example = self._model.run(np.zeros((2, 3, spec.input.height, spec.input.width), np.float32))
        check_pose_outputs(spec, self._example, self._model)
        self._tensor = tensor_for(1, spec=spec.input)

    @property
    def grant(self) -> Grant:
        return self._model.grant

    def estimate(
        self,
        image: np.ndarray,
        detections: Detections,
        *,
        flip_test: bool = False,
        clock: StageClock | None = None,
    ) -> PoseEstimate:
        """Keypoints of each detection.

        image: (H, W, 3) uint8 BGR; boxes may cross or leave its border. flip_test: average with the mirrored crops.
        Raises ImageError for a box that has no area or is not finite, InferenceCancelled.
        """
        _require_sound(detections)
        clock = clock or StageClock()
        if len(detections) == 0:
            return self._nobody()
        with clock.stage("crop"):
            crops = self._crops(image, detections)
        with clock.stage("pose"):
            outputs = self._infer(crops, flip_test)
        with clock.stage("decode"):
            points, scores = self._decode(outputs, input_wh=self.input_wh)
            people = People.untracked(detections, to_image(points, crops.image_from_crop), scores)
        return PoseEstimate(people, self._heatmaps(outputs), crops.image_from_crop)

    def close(self) -> None:
        """Free the network."""
        self._model.close()

    def _crops(self, image: np.ndarray, detections: Detections) -> Crops:
        if len(self._tensor) < len(detections):  # kept from frame to frame, for the largest crowd so far
            self._tensor = tensor_for(len(detections), spec=self.spec.input)
        return self._crop(
            image, detections.boxes_xyxy, spec=self.spec.input, padding=self.spec.padding, out=self._tensor
        )

    def _infer(self, crops: Crops, flip_test: bool) -> list[np.ndarray]:
        outputs = self._model.run(crops.tensor)
        if not flip_test:
            return outputs
        flipped = self._model.run(mirrored(crops.tensor))
        order = self.skeleton.flip_order()
        if self._has_heatmaps:
            return [merge_flipped(outputs[0], flipped[0], flip_order=order)]
        return merge_flipped_simcc(outputs, flipped, flip_order=order)

    @property
    def _has_heatmaps(self) -> bool:
        return self.spec.decoder != "simcc"

    def _heatmaps(self, outputs: list[np.ndarray]) -> np.ndarray | None:
        return outputs[0] if self._has_heatmaps else None

    def _nobody(self) -> PoseEstimate:
        outputs = [output[:0] for output in self._example]
        return PoseEstimate(People.empty(len(self.skeleton)), self._heatmaps(outputs), np.zeros((0, 2, 3)))


def _require_sound(detections: Detections) -> None:
    unsound = np.flatnonzero(~box_maths.is_sound(detections.boxes_xyxy))
    if len(unsound):
        box = detections.boxes_xyxy[unsound[0]].tolist()
        raise ImageError(
            f"box {unsound[0]} (x1, y1, x2, y2) = {box} has no area; expected x1 < x2 and y1 < y2, finite"
        )

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The top-down pose network: an image and its persons' boxes in, keypoints out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pose_resnet_ros.core import types
from pose_resnet_ros.core.boxes import require_valid
from pose_resnet_ros.core.crops import CROPS, check_image, to_image, topdown_affines
from pose_resnet_ros.core.errors import ModelError, SettingsError
from pose_resnet_ros.core.heatmaps import DECODERS, mirrored
from pose_resnet_ros.core.skeletons import skeleton_named
from pose_resnet_ros.core.types import Crops, Detections, People
from pose_resnet_ros.models.backends import SelectedProvider
from pose_resnet_ros.models.fused_graph import FusedGraph, open_fused_graph
from pose_resnet_ros.models.input_buffer import InputBuffer
from pose_resnet_ros.models.loading import check_finite, check_pose_outputs, open_model
from pose_resnet_ros.models.runtime import RunOn
from pose_resnet_ros.models.spec import PoseSpec
from pose_resnet_ros.models.stages import StageClock


@dataclass(frozen=True, eq=False)
class PoseEstimate:
    """People with the network's own joints, and the crops they were decoded from, row by row.

    heatmaps: (N, K, Hh, Wh) raw, or None for a network without them, or where they stayed on the GPU;
    image_from_crop: (N, 2, 3), crop pixels to image pixels.
    """

    people: People
    heatmaps: np.ndarray | None
    image_from_crop: np.ndarray

    def __getitem__(self, rows: np.ndarray) -> PoseEstimate:
        """The persons of an index array."""
        heatmaps = None if self.heatmaps is None else self.heatmaps[rows]
        return PoseEstimate(self.people[rows], heatmaps, self.image_from_crop[rows])


class PoseNet:
    """One pose network, loaded.

    spec: its description; decoder: what its outputs mean; skeleton: its joints; input_wh: the crop's size;
    selected_provider: what it runs on, and why.
    """

    def __init__(
        self,
        name_or_path: str | os.PathLike[str],
        *,
        run_on: RunOn | None = None,
        precision: str = "auto",
        fused_graph: bool = False,
    ) -> None:
        """Load the network and run it once on an empty crop, which checks its output and warms it up.

        precision: as in ``settings.LoadSettings``; fused_graph: crop and decode in the network's graph (``fused_graph.py``) if
        that is possible, else the log says why not. Raises ModelError or BackendError.
        """
        run_on = run_on or RunOn()
        self._model, spec = open_model(name_or_path, spec_type=PoseSpec, run_on=run_on, precision=precision)
        self.spec = spec
        try:
            self.skeleton = skeleton_named(spec.skeleton)
            self._crop = types.option(CROPS, spec.crop, what="crop")
            self.decoder = types.option(DECODERS, spec.decoder, what="decoder")
        except SettingsError as error:
            raise ModelError(f"{self._model.path}: its description does not fit this package: {error}") from error
        self.input_wh = (spec.input.width, spec.input.height)
        self._example = self._warm_up(run_on.max_batch)
        check_finite(self._example, self._model)
        check_pose_outputs(spec, self._example, self._model)
        self._inputs = InputBuffer(spec.input)
        self._fused_graph: FusedGraph | None = None
        if fused_graph:
            self._fused_graph = self._open_fused_graph(run_on)

    @property
    def selected_provider(self) -> SelectedProvider:
        return self._model.selected_provider

    def estimate(
        self,
        image: np.ndarray,
        detections: Detections,
        *,
        flip_test: bool = False,
        keep_heatmaps: bool = True,
        clock: StageClock | None = None,
    ) -> PoseEstimate:
        """Keypoints of each detection.

        image: (H, W, 3) uint8 BGR; boxes may cross or leave its border. flip_test: average with the mirrored crops.
        keep_heatmaps: return the heatmaps, which otherwise may stay on the GPU.
        Raises ImageError for another image layout, or a box that has no area or is not finite; InferenceCancelled.
        """
        check_image(image)
        require_valid(detections.boxes_xyxy)
        clock = clock or StageClock()
        return self.estimate_batch([image], [detections], flip_tests=[flip_test], keep_heatmaps=keep_heatmaps, clock=clock)[0]

    def estimate_batch(
        self,
        images: Sequence[np.ndarray],
        detections: Sequence[Detections],
        *,
        flip_tests: Sequence[bool],
        keep_heatmaps: bool,
        clock: StageClock,
    ) -> list[PoseEstimate]:
        """As ``estimate`` for each image, in shared batches; images and boxes are taken as checked."""
        estimates = {row: self._nobody() for row, persons in enumerate(detections) if not len(persons)}
        for flip_test in (False, True):
            rows = [row for row, wanted in enumerate(flip_tests) if wanted == flip_test and len(detections[row])]
            if not rows:
                continue
            chosen = [images[row] for row in rows], [detections[row] for row in rows]
            if self._fused_graph is not None and not keep_heatmaps:
                with clock.stage("pose"):
                    found = [self._run_fused(self._fused_graph, *pair, flip_test) for pair in zip(*chosen, strict=True)]
            else:
                found = self._estimated(*chosen, flip_test, clock)
            estimates.update(zip(rows, found, strict=True))
        return [estimates[row] for row in range(len(images))]

    def _estimated(
        self, images: Sequence[np.ndarray], detections: Sequence[Detections], flip_test: bool, clock: StageClock
    ) -> list[PoseEstimate]:
        """For images with at least one person each."""
        parts = _parts([len(persons) for persons in detections])
        with clock.stage("crop"):
            crops = self._crops(images, detections, parts)
        with clock.stage("pose"):
            outputs = self._infer(crops, flip_test)
        with clock.stage("decode"):
            points, scores = self.decoder.decode(outputs, input_wh=self.input_wh)
            points_xy = to_image(points, crops.image_from_crop)
        heatmaps = self._heatmaps(outputs)
        return [
            PoseEstimate(
                People.untracked(persons, points_xy[part], scores[part]),
                None if heatmaps is None else heatmaps[part],
                crops.image_from_crop[part],
            )
            for persons, part in zip(detections, parts, strict=True)
        ]

    def close(self) -> None:
        """Free the network."""
        if self._fused_graph is not None:
            self._fused_graph.close()
        self._model.close()

    def _warm_up(self, max_batch: int) -> list[np.ndarray]:
        """The outputs for empty crops.

        TensorRT widens its engine's range whenever a batch falls outside, which takes minutes: it has the largest and the
        smallest one here, so that no frame waits.
        """
        counts = (max_batch, 1) if self.selected_provider.backend == "tensorrt" else (2,)
        shape = (3, self.spec.input.height, self.spec.input.width)
        return [self._model.run(np.zeros((count, *shape), np.float32)) for count in counts][-1]

    def _open_fused_graph(self, run_on: RunOn) -> FusedGraph | None:
        return open_fused_graph(
            self._model,
            self.spec,
            output=self._example[0],
            flip_order=self.skeleton.flip_order().tolist(),
            run_on=run_on,
            reference=self._ordinary_keypoints,
        )

    def _ordinary_keypoints(self, image: np.ndarray, boxes_xyxy: np.ndarray) -> np.ndarray:
        detections = Detections(boxes_xyxy, np.ones(len(boxes_xyxy), np.float32))
        return self.estimate(image, detections, keep_heatmaps=True).people.keypoints_xy

    def _run_fused(self, fused_graph: FusedGraph, image: np.ndarray, detections: Detections, flip_test: bool) -> PoseEstimate:
        boxes = detections.boxes_xyxy
        people = People.untracked(detections, *fused_graph.run(image, boxes, flip_test=flip_test))
        affines = topdown_affines(boxes, spec=self.spec.input, padding=self.spec.padding)
        return PoseEstimate(people, None, affines)

    def _crops(self, images: Sequence[np.ndarray], detections: Sequence[Detections], parts: Sequence[slice]) -> Crops:
        """Of all images, one below the other."""
        tensor = self._inputs.rows(parts[-1].stop)
        affines = [
            self._crop(
                image, persons.boxes_xyxy, spec=self.spec.input, padding=self.spec.padding, out=tensor[part]
            ).image_from_crop
            for image, persons, part in zip(images, detections, parts, strict=True)
        ]
        return Crops(tensor, np.concatenate(affines))

    def _infer(self, crops: Crops, flip_test: bool) -> list[np.ndarray]:
        outputs = self._model.run(crops.tensor)
        if not flip_test:
            return outputs
        flipped = self._model.run(mirrored(crops.tensor))
        return self.decoder.merge_flipped(outputs, flipped, flip_order=self.skeleton.flip_order())

    def _heatmaps(self, outputs: list[np.ndarray]) -> np.ndarray | None:
        return outputs[0] if self.decoder.has_heatmaps else None

    def _nobody(self) -> PoseEstimate:
        outputs = [output[:0] for output in self._example]
        return PoseEstimate(People.empty(len(self.skeleton)), self._heatmaps(outputs), np.zeros((0, 2, 3)))


def _parts(counts: Sequence[int]) -> list[slice]:
    """The rows of each, where they lie one below the other."""
    ends = np.cumsum(counts).tolist()
    return [slice(end - count, end) for end, count in zip(ends, counts, strict=True)]

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Person detectors: an image in, boxes out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pose_resnet_ros.core import types
from pose_resnet_ros.core.boxes import nms, touches_image
from pose_resnet_ros.core.crops import check_image
from pose_resnet_ros.core.detector_heads import DECODERS, DetectorDecoder
from pose_resnet_ros.core.errors import InferenceCancelled, ModelError, PoseError, SettingsError
from pose_resnet_ros.core.letterbox import LETTERBOXES, Letterboxed
from pose_resnet_ros.core.library_setup import logger_of
from pose_resnet_ros.core.types import Detections
from pose_resnet_ros.models.backends import SelectedProvider
from pose_resnet_ros.models.input_buffer import InputBuffer
from pose_resnet_ros.models.loading import DESCRIBE, check_finite, open_model
from pose_resnet_ros.models.registry import FULL_FRAME
from pose_resnet_ros.models.runtime import OnnxModel, RunOn
from pose_resnet_ros.models.spec import MAX_INPUT_PIXELS, DetectorSpec
from pose_resnet_ros.models.stages import StageClock

_log = logger_of(__name__)

# Suppression compares all pairs: more candidates than an image can have persons would only cost time.
_MAX_CANDIDATES = 1000
# Of networks whose description lists no grids: YOLOX, and YOLOv3 with its suppression in the graph.
_COARSEST_STRIDE = 32


class Detector:
    """Finds persons. selected_provider: what its network runs on; None without a network: its scores then mean nothing."""

    @property
    def selected_provider(self) -> SelectedProvider | None:
        return None

    def detect(
        self, image: np.ndarray, *, detection_threshold: float, nms_threshold: float, clock: StageClock | None = None
    ) -> Detections:
        """Persons with a score above the threshold, the best first, boxes as the network gave them (not clipped).

        image: (H, W, 3) uint8 BGR. Raises ImageError for another image layout, InferenceCancelled.
        """
        check_image(image)
        return self.detect_batch(
            [image], detection_thresholds=[detection_threshold], nms_thresholds=[nms_threshold], clock=clock or StageClock()
        )[0]

    def detect_batch(
        self,
        images: Sequence[np.ndarray],
        *,
        detection_thresholds: Sequence[float],
        nms_thresholds: Sequence[float],
        clock: StageClock,
    ) -> list[Detections]:
        """As ``detect`` for each of N >= 1 images that ``core.crops.check_image`` lets pass."""
        raise NotImplementedError

    def close(self) -> None:
        """Free the network."""


class FullFrame(Detector):
    """The whole image is one person, of score 1."""

    def detect_batch(
        self,
        images: Sequence[np.ndarray],
        *,
        detection_thresholds: Sequence[float],
        nms_thresholds: Sequence[float],
        clock: StageClock,
    ) -> list[Detections]:
        boxes = [np.array([[0, 0, image.shape[1], image.shape[0]]], np.float32) for image in images]
        return [Detections(box, np.ones(1, np.float32)) for box in boxes]


class PersonDetector(Detector):
    """A detector network, loaded. spec: its description, with the input size that it runs at."""

    def __init__(
        self,
        name_or_path: str | os.PathLike[str],
        *,
        run_on: RunOn | None = None,
        precision: str = "auto",
        input_wh: tuple[int, int] | None = None,
    ) -> None:
        """Load the network and run it once on a grey image, which checks its output and warms it up.

        precision: as in ``settings.LoadSettings``; input_wh: the input's (width, height), None for the model's own.
        Raises ModelError, BackendError, or SettingsError if the model does not accept that size.
        """
        run_on = run_on or RunOn()
        self._model, spec = open_model(name_or_path, spec_type=DetectorSpec, run_on=run_on, precision=precision)
        self.spec = spec if input_wh is None else at_size(spec, input_wh, self._model)
        self._inputs = InputBuffer(self.spec.input)
        # TensorRT would build its engine again for each new number of images, which takes minutes.
        self._batches = (
            self._model.fixed_batch is None
            and len(self._model.inputs) == 1
            and self._model.selected_provider.backend != "tensorrt"
        )
        try:
            self._letterbox = types.option(LETTERBOXES, self.spec.letterbox, what="letterbox")
            self._decoder = types.option(DECODERS, self.spec.decoder, what="decoder")
            self._further_inputs = _further_inputs(self._decoder, self.spec, self._model)
            letterboxed, outputs = self._run([np.full((64, 64, 3), 128, np.uint8)], StageClock())[0]
            self._found(letterboxed, outputs, detection_threshold=0.5)
        except InferenceCancelled:
            raise
        except (PoseError, IndexError, ValueError) as error:  # outputs of another shape fail in NumPy
            raise ModelError(f"{self._model.path}: the file does not fit its description: {error}; {DESCRIBE}") from error
        check_finite(outputs, self._model)

    @property
    def selected_provider(self) -> SelectedProvider:
        return self._model.selected_provider

    def detect_batch(
        self,
        images: Sequence[np.ndarray],
        *,
        detection_thresholds: Sequence[float],
        nms_thresholds: Sequence[float],
        clock: StageClock,
    ) -> list[Detections]:
        """In one run where the network can take several images, else one by one."""
        runs = self._run(images, clock)
        with clock.stage("boxes"):
            found = [
                self._found(*run, detection_threshold=threshold)
                for run, threshold in zip(runs, detection_thresholds, strict=True)
            ]
            return [
                _best(persons, image.shape[1], image.shape[0], threshold if self._decoder.needs_nms else None)
                for persons, image, threshold in zip(found, images, nms_thresholds, strict=True)
            ]

    def close(self) -> None:
        """Free the network."""
        self._model.close()

    def _run(self, images: Sequence[np.ndarray], clock: StageClock) -> list[tuple[Letterboxed, list[np.ndarray]]]:
        """Each image as the network saw it, and the outputs for it, of a batch of one."""
        tensor = self._inputs.rows(len(images))
        rows = [slice(row, row + 1) for row in range(len(images))]
        with clock.stage("letterbox"):
            letterboxed = [
                self._letterbox(image, spec=self.spec.input, out=tensor[row]) for image, row in zip(images, rows, strict=True)
            ]
        with clock.stage("detect"):
            together = self._run_together(tensor) if self._batches and len(images) > 1 else None
            outputs = [
                self._model.run(tensor[row], **self._further_inputs) if together is None else [output[row] for output in together]
                for row in rows
            ]
        return list(zip(letterboxed, outputs, strict=True))

    def _run_together(self, tensor: np.ndarray) -> list[np.ndarray] | None:
        """The outputs for all inputs; None, from then on too, if the file's graph takes one only."""
        count = len(tensor)
        try:
            outputs = self._model.run(tensor)
        except ModelError as error:
            reason = str(error)
        else:
            if all(len(output) == count for output in outputs):
                return outputs
            reason = f"for {count} images its outputs have the shapes {[output.shape for output in outputs]}"
        _log.warning("%s: several images are run one by one: %s", self._model.path.name, reason)
        self._batches = False
        return None

    def _found(self, letterboxed: Letterboxed, outputs: list[np.ndarray], *, detection_threshold: float) -> Detections:
        """What the outputs hold, in pixels of the image, duplicates and all."""
        found = self._decoder.decode(outputs, spec=self.spec, threshold=detection_threshold)
        return Detections(letterboxed.boxes_to_image(found.boxes_xyxy), found.scores)


def _further_inputs(decoder: DetectorDecoder, spec: DetectorSpec, model: OnnxModel) -> dict[str, np.ndarray]:
    """The decoder's values for each input after the image, (1, ...) of the declared type. Raises ModelError for one too many."""
    values, infos = decoder.further_inputs(spec.input), model.inputs[1:]
    if len(infos) > len(values):
        raise ModelError(
            f"decoder '{spec.decoder}' has values for {len(values)} inputs besides the image, the file needs {len(infos)}:"
            f" {', '.join(map(str, infos))}"
        )
    return {info.name: np.array([row]).astype(info.numpy_dtype) for info, row in zip(infos, values, strict=False)}


def load_detector(
    name_or_path: str | os.PathLike[str],
    *,
    run_on: RunOn | None = None,
    precision: str = "auto",
    input_wh: tuple[int, int] | None = None,
) -> Detector:
    """A detector by the name or path of its model; ``full_frame`` needs none. Arguments and errors as of PersonDetector."""
    if name_or_path != FULL_FRAME:
        return PersonDetector(name_or_path, run_on=run_on, precision=precision, input_wh=input_wh)
    if input_wh is not None:
        raise SettingsError("detector_input: full_frame has no input size; leave it empty")
    return FullFrame()


def _best(candidates: Detections, width: int, height: int, nms_threshold: float | None) -> Detections:
    """Candidates that touch the image, the best score first; without duplicates where a threshold is given."""
    candidates = candidates[touches_image(candidates.boxes_xyxy, width=width, height=height)]
    candidates = candidates[np.argsort(-candidates.scores, kind="stable")[:_MAX_CANDIDATES]]
    if nms_threshold is None:
        return candidates
    kept: Detections = candidates[nms(candidates.boxes_xyxy, candidates.scores, iou_threshold=nms_threshold)]
    return kept


def at_size(spec: DetectorSpec, input_wh: tuple[int, int], model: OnnxModel) -> DetectorSpec:
    """The description with another input size: (width, height). Raises SettingsError, with the sizes that the model accepts."""
    wanted = replace(spec, input=replace(spec.input, width=input_wh[0], height=input_wh[1]))
    if wanted == spec:
        return spec
    asked, own = "x".join(map(str, input_wh)), f"{spec.input.width}x{spec.input.height}"
    if any(size is not None for size in model.inputs[0].shape[2:]):
        raise SettingsError(
            f"detector_input: {model.path} accepts {own} only, got {asked}: leave detector_input empty, or use a model"
            " whose height and width are free, such as person_lite"
        )
    if input_wh[0] * input_wh[1] > MAX_INPUT_PIXELS:
        raise SettingsError(f"detector_input: expected at most {MAX_INPUT_PIXELS} pixels, got {asked}")
    stride = max((scale.stride for scale in spec.scales), default=_COARSEST_STRIDE)
    if input_wh[0] % stride or input_wh[1] % stride:
        raise SettingsError(
            f"detector_input: expected a width and a height that are multiples of {stride} for {model.path.name}, got {asked}"
        )
    return wanted

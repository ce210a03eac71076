# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""From a model's name or path to an opened network, checked against its description."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from pose_resnet_ros.core.errors import ModelError
from pose_resnet_ros.core.heatmaps import DECODERS, Shape
from pose_resnet_ros.core.library_setup import logger_of
from pose_resnet_ros.core.skeletons import skeleton_named
from pose_resnet_ros.models.hardware import is_fast_at_int8, saturates_at_int8
from pose_resnet_ros.models.model_folder import digest_of
from pose_resnet_ros.models.registry import ModelFile, bundled_int8, find_model, how_to_make, of_precision
from pose_resnet_ros.models.runtime import OnnxModel, RunOn
from pose_resnet_ros.models.spec import (
    MADE_FROM,
    METADATA_KEY,
    PRECISION,
    WEIGHT_BITS,
    DetectorSpec,
    ModelEntry,
    PoseSpec,
    Spec,
    spec_from_json,
)

S = TypeVar("S", PoseSpec, DetectorSpec)
_log = logger_of(__name__)

DESCRIBE = "describe it again with: pose_resnet_ros models add FILE --like ROW (docs/models.md), or use another file"


def open_model(
    name_or_path: str | os.PathLike[str], *, spec_type: type[S], run_on: RunOn, precision: str = "auto"
) -> tuple[OnnxModel, S]:
    """Open a model of the given kind (``PoseSpec`` or ``DetectorSpec``) and check its input against its description.

    precision: as in ``settings.LoadSettings``. Raises ModelError or BackendError; each says what to do.
    """
    original = find_model(name_or_path, kind=spec_type.kind)
    file = of_precision(original, precision)
    on_cpu = bundled_int8(original) if precision == "auto" and is_fast_at_int8() else None
    model = OnnxModel(file.path, run_on=run_on, path_on_cpu=on_cpu)
    spec = check_kind(spec_of(model, file.entry), spec_type, model)
    check_input(spec, model)
    check_precision(spec, precision, model)
    if model.path != original.path:
        check_made_from(spec, original, model)
    warn_of_wide_weights(spec, model)
    return model, spec


def spec_of(model: OnnxModel, entry: ModelEntry | None) -> Spec:
    """The model's description: the one in the file, else the one in the table. Raises ModelError if there is none to be read."""
    text = model.metadata.get(METADATA_KEY)
    if text is not None:
        try:
            return spec_from_json(text)
        except ModelError as error:
            raise ModelError(f"{model.path}: {error}") from error
    if entry is not None and entry.spec is not None:
        return entry.spec
    raise ModelError(
        f"{model.path} does not say what input it expects and what its output means (no metadata entry '{METADATA_KEY}');"
        f" describe it with: pose_resnet_ros models add {shlex.quote(str(model.path))} --like ROW, where ROW is a"
        " model of the table with the same kind of input and output (docs/models.md)"
    )


def check_kind(spec: Spec, wanted: type[S], model: OnnxModel) -> S:
    """The spec, as one of the wanted kind. Raises ModelError for a detector in place of a pose network, or vice versa."""
    if not isinstance(spec, wanted):
        raise ModelError(f"{model.path} is a {spec.kind} model ('{spec.name}'); expected a {wanted.kind} model")
    return spec


def check_input(spec: Spec, model: OnnxModel) -> None:
    """Raises ModelError unless the first input takes (N, 3, height, width) float32 of the described size."""
    wanted = (3, spec.input.height, spec.input.width)
    if not model.inputs:
        raise ModelError(f"{model.path} has no input; expected an image of (N, 3, height, width)")
    given = model.inputs[0]
    if given.dtype == "tensor(float16)":
        raise ModelError(
            f"{model.path}: expected a float32 input, the file has {given}; export it with float32 inputs and outputs"
            " (half precision inside is fine: keep_io_types), or make it from the fp32 file with:"
            " pose_resnet_ros export FILE --fp16"
        )
    fits = len(given.shape) == 4 and all(have in (None, want) for have, want in zip(given.shape[1:], wanted, strict=True))
    if not fits or given.dtype != "tensor(float)":
        raise ModelError(
            f"{model.path}: the description says input (N, 3, {spec.input.height}, {spec.input.width}) float32,"
            f" the file has {given}; {DESCRIBE}"
        )


def check_precision(spec: Spec, wanted: str, model: OnnxModel) -> None:
    """Raises ModelError if fp32 is requested and the file is of another precision; auto accepts any."""
    stored = spec.provenance.get(PRECISION, "fp32")
    if wanted == "fp32" != stored:
        raise ModelError(
            f"{model.path} was exported as {stored}; expected fp32: set precision to auto or {stored}, or use the file it"
            " was made from"
        )


def check_made_from(spec: Spec, original: ModelFile, model: OnnxModel) -> None:
    """Raises ModelError if the file was made from other weights than those of ``original``."""
    made_from = spec.provenance.get(MADE_FROM)
    if made_from is not None and made_from != digest_of(original.path):
        raise ModelError(
            f"{model.path} was made from another {original.path.name} than the one on this machine; make it again with:"
            f" {how_to_make(original, spec.provenance[PRECISION])}"
        )


def warn_of_wide_weights(spec: Spec, model: OnnxModel) -> None:
    """Log a warning where the CPU needs slower kernels for this file than for those that ``export`` writes now."""
    if model.selected_provider.backend == "cpu" and has_wide_weights(spec) and saturates_at_int8():
        _log.warning(
            "%s has 8-bit weights, with which fast int8 kernels overflow on this x86 CPU without VNNI: exact kernels are used,"
            " which take about a quarter more time; export it again for full speed (with 7-bit weights)",
            model.path.name,
        )


def has_wide_weights(spec: Spec) -> bool:
    """Whether it describes an int8 file of an older ``export``, whose weights use all 8 bits."""
    return spec.provenance.get(PRECISION) == "int8" and spec.provenance.get(WEIGHT_BITS, "8") == "8"


def check_finite(outputs: Sequence[np.ndarray], model: OnnxModel) -> None:
    """Raises ModelError if a run on a uniform image gave NaN or infinity: the model would silently find nobody."""
    numbers = [output for output in outputs if output.dtype.kind == "f"]
    if not all(np.isfinite(output).all() for output in numbers):
        raise ModelError(
            f"{model.path} gives values that are not finite: its weights are damaged, or too large for its precision; fetch or"
            " export it again"
        )


def check_pose_outputs(spec: PoseSpec, outputs: Sequence[np.ndarray], model: OnnxModel) -> None:
    """Raises ModelError unless the outputs of a run have the shapes that the description's decoder and skeleton require."""
    joints, input_wh = len(skeleton_named(spec.skeleton)), (spec.input.width, spec.input.height)
    wanted = DECODERS[spec.decoder].output_shapes(joints, input_wh)
    if len(outputs) < len(wanted) or not all(map(_is_shaped, outputs, wanted)):
        shapes = ", ".join(str(("N", *shape)).replace("None", "any above 1").replace("'", "") for shape in wanted)
        raise ModelError(
            f"{model.path}: decoder '{spec.decoder}' and skeleton '{spec.skeleton}' ({joints} joints) need outputs of shape"
            f" {shapes} for an input of {input_wh[0]}x{input_wh[1]} pixels, the file gives {_shapes(outputs)}; {DESCRIBE}"
        )


def _is_shaped(output: np.ndarray, wanted: Shape) -> bool:
    sizes = output.shape[1:]
    return len(sizes) == len(wanted) and all(h == w or (w is None and h > 1) for h, w in zip(sizes, wanted, strict=True))


def _shapes(outputs: Sequence[np.ndarray]) -> str:
    return ", ".join(str(output.shape) for output in outputs)

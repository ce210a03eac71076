# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Adding the user's own ONNX files to the model folder, each with its description as metadata."""

from __future__ import annotations

import os
import shutil
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from pose_resnet_ros.core.detector_heads import DECODERS
from pose_resnet_ros.core.errors import ModelError
from pose_resnet_ros.core.types import option
from pose_resnet_ros.core.whole_file import whole_file
from pose_resnet_ros.models.declared_weights import has_weights_elsewhere
from pose_resnet_ros.models.detector import PersonDetector
from pose_resnet_ros.models.loading import spec_of
from pose_resnet_ros.models.model_folder import models_folder, record_digest, writable_folder
from pose_resnet_ros.models.pose_net import PoseNet
from pose_resnet_ros.models.registry import find_entry, get_entry
from pose_resnet_ros.models.runtime import OnnxModel, RunOn
from pose_resnet_ros.models.spec import DetectorSpec, PoseSpec, Spec
from pose_resnet_ros.output_files import OutputGuard


def add_described_file(
    path: Path, *, name: str, like: str | None, person_class: int = 0, decoder: str | None = None, letterbox: str | None = None
) -> Path:
    """Copy an ONNX file into the model folder, with its description, after a run that shows that the description fits.

    like: the row whose description it gets (its own input size and number of classes are kept); None: the file carries one
    already. With ``like``: person_class: the class of a detector that is a person; decoder, letterbox: instead of the row's.
    Raises ModelError for a file that is not ONNX, has no description or does not fit it, or for a name that cannot be used, and
    SettingsError where the file lies in the model folder under that name already.
    """
    if find_entry(name) is not None:
        raise ModelError(f"'{name}' is a name of the model table; choose another with --name")
    if not name or os.sep in name:
        raise ModelError(f"'{name}' cannot be the name of a model, because it would be a path; choose another with --name")
    if path.suffix != ".onnx":
        raise ModelError(
            f"{path.name}: expected an ONNX file, or a published file of the model table;"
            " a checkpoint of your own becomes ONNX with: pose_resnet_ros export FILE --model ROW --output NAME.onnx"
        )
    if not path.is_file():
        raise ModelError(f"{path}: no such file")
    with closing(OnnxModel(path, run_on=RunOn(backend="cpu"))) as opened:
        spec = _own_spec(opened) if like is None else _spec_like(opened, name, like, person_class, decoder, letterbox)
    target = models_folder() / f"{name}.onnx"
    OutputGuard([path]).claim("name", target)
    with writable_folder():
        with whole_file(target) as part:
            if like is None and not has_weights_elsewhere(path):
                shutil.copyfile(path, part)
            else:
                _write_described(path, spec, part)
            _try(part, spec, path)
        record_digest(target)
    return target


def _own_spec(model: OnnxModel) -> Spec:
    try:
        return spec_of(model, None)
    except ModelError as error:
        raise ModelError(
            f"{model.path.name} does not contain a description that can be used: name a row with the same kind of input and"
            f" output with --like ROW (for example yolox_s, or pose_resnet_50_256x192): {error}"
        ) from error


def _try(part: Path, spec: Spec, path: Path) -> None:
    """Load it as the node does. Raises ModelError, which names the user's file."""
    kind = PoseNet if isinstance(spec, PoseSpec) else PersonDetector
    try:
        kind(part, run_on=RunOn(backend="cpu")).close()
    except ModelError as error:
        raise ModelError(str(error).replace(str(part), str(path))) from error


def _spec_like(model: OnnxModel, name: str, like: str, person_class: int, decoder: str | None, letterbox: str | None) -> Spec:
    spec = get_entry(like).spec
    shape = model.inputs[0].shape
    if spec is None:
        raise ModelError(f"--like: '{like}' has no description in the model table; choose another row")
    if len(shape) != 4 or shape[1] not in (None, 3):
        raise ModelError(f"{model.path}: expected an input (N, 3, height, width), got {model.inputs[0]}")
    pixels = replace(spec.input, width=shape[3] or spec.input.width, height=shape[2] or spec.input.height)
    spec = replace(spec, name=name, input=pixels, provenance={"described_like": like, "file": model.path.name})
    spec = replace(spec, decoder=decoder or spec.decoder)
    if isinstance(spec, DetectorSpec):
        return _with_classes(replace(spec, letterbox=letterbox or spec.letterbox), model, person_class)
    if letterbox:
        raise ModelError(f"--letterbox is for detectors; '{like}' is a pose network")
    return spec


def _with_classes(spec: DetectorSpec, model: OnnxModel, person_class: int) -> DetectorSpec:
    """The detector's own number of classes, where the shapes of its outputs tell it."""
    shapes = [output.shape for output in model.outputs]
    decoder = option(DECODERS, spec.decoder, what="decoder")
    told = decoder.class_count(shapes, spec) if shapes else None
    count = spec.class_count if told is None else told
    if not 0 <= person_class < count:
        raise ModelError(
            f"--person-class: {model.path.name} has {count} classes; expected one from 0 to {count - 1}, got {person_class}"
        )
    return replace(spec, class_count=count, person_class=person_class)


def _write_described(path: Path, spec: Spec, target: Path) -> None:
    """The model in one file, its weights and description included."""
    try:
        from pose_resnet_ros.export.graph import describe
        from pose_resnet_ros.export.onnx_file import load_onnx
    except ModuleNotFoundError as error:
        raise ModelError(
            f"writing the description into the file needs {error.name}, which is not installed; pip install {error.name}"
        ) from error
    model = load_onnx(path)
    describe(model, spec)
    target.write_bytes(model.SerializeToString())

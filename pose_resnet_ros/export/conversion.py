# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""From a published file, or one of your own, to a described ONNX model; and the comparison of the two.

A source gives its network as an ONNX graph, and runs the original for comparison.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import onnx
import onnxruntime

from pose_resnet_ros.core.errors import ModelError, PoseError
from pose_resnet_ros.core.skeletons import skeleton_named
from pose_resnet_ros.core.whole_file import whole_file
from pose_resnet_ros.export.checkpoint import import_torch, load_state
from pose_resnet_ros.export.darknet import ARCHITECTURES, ConvWeights, Layer, architecture_of, darknet_graph, read_weights
from pose_resnet_ros.export.graph import DEFAULT_OPSET, describe, lower_ir
from pose_resnet_ros.export.onnx_file import free_batch, load_onnx, run_one_by_one
from pose_resnet_ros.export.pose_resnet import joint_count, pose_graph
from pose_resnet_ros.export.rewrite import INT8_WEIGHT_BITS, split_transposed_convolutions, to_fp16, to_int8
from pose_resnet_ros.models.backends import first_line
from pose_resnet_ros.models.hardware import session_options
from pose_resnet_ros.models.model_folder import digest_of
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


class Source(Protocol):
    """A network in its makers' format."""

    def graph(self, opset: int) -> onnx.ModelProto:
        """The network in ONNX, with a free batch axis. Raises ModelError."""

    def run(self, tensor: np.ndarray) -> list[np.ndarray]:
        """What the original gives for (N, 3, h, w) float32. Raises ModelError."""


@dataclass(frozen=True, eq=False)
class PoseCheckpoint:
    """PoseResNet's tensors by Microsoft's names."""

    state: dict[str, np.ndarray]
    spec: PoseSpec

    def graph(self, opset: int) -> onnx.ModelProto:
        return pose_graph(self.state, width=self.spec.input.width, height=self.spec.input.height, opset=opset)

    def run(self, tensor: np.ndarray) -> list[np.ndarray]:
        torch = import_torch()
        from pose_resnet_ros.export.torch_networks import network_for

        network = network_for({name: torch.from_numpy(array) for name, array in self.state.items()})
        with torch.no_grad():
            return [network(torch.from_numpy(tensor)).numpy()]


@dataclass(frozen=True, eq=False)
class DarknetFile:
    """YOLOv3 or YOLOv3-tiny."""

    layers: tuple[Layer, ...]
    weights: list[ConvWeights]
    spec: DetectorSpec

    def graph(self, opset: int) -> onnx.ModelProto:
        return darknet_graph(self.layers, self.weights, opset=opset)

    def run(self, tensor: np.ndarray) -> list[np.ndarray]:
        torch = import_torch()
        from pose_resnet_ros.export.torch_networks import run_in_torch

        with torch.no_grad():
            return [output.numpy() for output in run_in_torch(self.layers, self.weights, torch.from_numpy(tensor))]


@dataclass(frozen=True, eq=False)
class OnnxFile:
    """A network that is ONNX already, with a batch that may be fixed."""

    path: Path

    def graph(self, opset: int) -> onnx.ModelProto:
        """Its own opset is kept: ``opset`` is only for graphs that are written here."""
        return free_batch(self.path)

    def run(self, tensor: np.ndarray) -> list[np.ndarray]:
        return run_one_by_one(load_onnx(self.path), tensor)


def open_source(path: Path, spec: Spec) -> Source:
    """Read a file as what its suffix says: ``.weights``, ``.onnx``, or else a PyTorch checkpoint.

    Raises ModelError if the file is damaged or does not fit the description.
    """
    if not path.is_file():
        raise ModelError(f"{path}: no such file")
    if path.suffix == ".onnx":
        return OnnxFile(path)
    if path.suffix == ".weights":
        return _open_darknet(path, spec)
    if not isinstance(spec, PoseSpec):
        raise ModelError(f"{path}: '{spec.name}' is a detector; only pose networks come as PyTorch checkpoints")
    state = load_state(path)
    joints = len(skeleton_named(spec.skeleton))
    if joint_count(state) != joints:
        raise ModelError(f"{path}: {joint_count(state)} joints, but '{spec.name}' ({spec.skeleton}) has {joints}")
    return PoseCheckpoint(state, spec)


def _open_darknet(path: Path, spec: Spec) -> DarknetFile:
    name = architecture_of(path)
    grids = len(spec.scales) if isinstance(spec, DetectorSpec) else 0
    if not isinstance(spec, DetectorSpec) or grids != (2 if name == "yolov3-tiny" else 3):
        raise ModelError(f"{path} holds {name}, but '{spec.name}' is described as another network ({grids} output grids)")
    layers = ARCHITECTURES[name]
    return DarknetFile(layers, read_weights(path, layers), spec)


@dataclass(frozen=True)
class ExportOptions:
    """calibration: network inputs (N, 3, h, w) that 8-bit export needs; None leaves the network in floating point.

    split: transposed convolutions become plain ones (``rewrite.split_transposed_convolutions``); 8-bit export always does that.
    """

    opset: int = DEFAULT_OPSET
    fp16: bool = False
    calibration: Iterable[np.ndarray] | None = None
    split: bool = False


def export(source: Source, spec: Spec, options: ExportOptions) -> onnx.ModelProto:
    """The described model, which was run once. Raises ModelError if it cannot be exported with these options."""
    model = source.graph(options.opset)
    try:
        model = _converted(model, options)
        lower_ir(model)
        describe(model, _with_precision(spec, source, options))
        outputs = _run_once(model, spec)
    except PoseError:
        raise
    except Exception as error:  # whatever the tools of onnx and onnxruntime raise for a graph that they are not made for
        raise ModelError(f"the network cannot be exported with these options: {first_line(error)}") from error
    if not all(np.isfinite(output).all() for output in outputs):
        raise ModelError(
            "the exported network gives values that are not finite; its weights are damaged, or too large for the precision"
        )
    return model


def _converted(model: onnx.ModelProto, options: ExportOptions) -> onnx.ModelProto:
    if options.split or options.calibration is not None:
        model = split_transposed_convolutions(model)
    if options.fp16:
        model = to_fp16(model)
    return model if options.calibration is None else to_int8(model, options.calibration)


def _run_once(model: onnx.ModelProto, spec: Spec) -> list[np.ndarray]:
    """The outputs for a black image; none for a network with further inputs, which is only opened."""
    session = onnxruntime.InferenceSession(model.SerializeToString(), session_options(0), providers=["CPUExecutionProvider"])
    if len(session.get_inputs()) > 1:
        return []
    black = np.zeros((1, 3, spec.input.height, spec.input.width), np.float32)
    return session.run(None, {session.get_inputs()[0].name: black})


def _with_precision(spec: Spec, source: Source, options: ExportOptions) -> Spec:
    if not options.fp16 and options.calibration is None:
        return spec
    facts = {PRECISION: "fp16"} if options.fp16 else {PRECISION: "int8", WEIGHT_BITS: str(INT8_WEIGHT_BITS)}
    if isinstance(source, OnnxFile):
        facts[MADE_FROM] = digest_of(source.path)
    return replace(spec, provenance={**spec.provenance, **facts})


def described(entry: ModelEntry | None, *, source: Path) -> Spec:
    """The row's description with where the weights come from; without a row, or for one without, the file's own.

    Raises ModelError where neither is there.
    """
    if entry is None or entry.spec is None:
        metadata = {item.key: item.value for item in load_onnx(source).metadata_props}
        if METADATA_KEY not in metadata:
            raise ModelError(
                f"{source} does not describe itself, and its colour order, size and decoder are not guessed; say which row of"
                " the model table describes it, with --model NAME (see: pose_resnet_ros models list)"
            )
        return spec_from_json(metadata[METADATA_KEY])
    facts = {
        "model": entry.name,
        "source": entry.source,
        "licence": entry.licence,
        "terms": entry.terms,
        "data": entry.data,
        "exported_from": source.name,
    }
    return replace(entry.spec, provenance=facts)


def save(model: onnx.ModelProto, path: Path) -> None:
    """Write the file whole or not at all. Raises ModelError where the disk refuses."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as part:
            part.write_bytes(model.SerializeToString())
    except OSError as error:
        raise ModelError(f"cannot write {path} ({error.strerror}); choose another place with --output") from error


def largest_difference(model: onnx.ModelProto, source: Source, spec: Spec, *, seed: int = 0) -> tuple[float, float]:
    """Largest difference between the exported and the source network on random input, and the largest output.

    Two inputs of standard normal noise for a pose network, of uniform noise in the detector's value range else.
    """
    tensor = _random_input(spec, seed)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    ours = session.run(None, {session.get_inputs()[0].name: tensor})
    theirs = source.run(tensor)
    difference = max(float(np.abs(a - b).max()) for a, b in zip(ours, theirs, strict=True))
    return difference, max(float(np.abs(b).max()) for b in theirs)


def _random_input(spec: Spec, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    shape = (2, 3, spec.input.height, spec.input.width)
    if spec.kind == "pose":
        return rng.standard_normal(shape, np.float32)
    return rng.random(shape, np.float32) * np.float32(255 * spec.input.scale)

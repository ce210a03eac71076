# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""What can be exported: a source gives its network as an ONNX graph, and runs the original for comparison."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import onnx

from pose_resnet_ros.core.errors import ModelError
from pose_resnet_ros.core.skeletons import skeleton_named
from pose_resnet_ros.export.checkpoint import import_torch, load_state
from pose_resnet_ros.export.darknet import ARCHITECTURES, ConvWeights, Layer, architecture_of, read_weights
from pose_resnet_ros.export.darknet_graph import darknet_graph, run_in_torch
from pose_resnet_ros.export.pose_graph import joint_count, pose_graph
from pose_resnet_ros.export.rebatch import free_batch, load_onnx, run_one_by_one
from pose_resnet_ros.models.spec import DetectorSpec, PoseSpec, Spec


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
        from pose_resnet_ros.export.pose_resnet_torch import network_for

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

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Darknet's YOLOv3 and YOLOv3-tiny: their layers, their ``.weights`` files and their ONNX graph.

Layers: ``cfg/yolov3.cfg`` and ``cfg/yolov3-tiny.cfg`` of pjreddie/darknet; layout of the file: ``src/parser.c`` there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from math import prod
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx

from pose_resnet_ros.core.errors import ModelError
from pose_resnet_ros.export.graph import DEFAULT_OPSET, GraphBuilder, fold_batch_norm

CLASS_COUNT = 80
OUTPUT_CHANNELS = 3 * (5 + CLASS_COUNT)
BATCH_NORM_EPSILON = 1e-6  # added to the root, as in src/blas.c; the CUDA code adds 1e-5 under it
LEAKY_SLOPE = 0.1


@dataclass(frozen=True)
class Conv:
    """Padding size // 2. ``head``: biased and linear; else batch norm and leaky ReLU (0.1)."""

    filters: int
    size: int = 3
    stride: int = 1
    head: bool = False


@dataclass(frozen=True)
class MaxPool:
    """2x2. With stride 1 the size is kept: cells missing at the right and at the bottom count as minus infinity."""

    stride: int = 2


@dataclass(frozen=True)
class Upsample:
    """Nearest neighbour, times two."""


@dataclass(frozen=True)
class Shortcut:
    """Sum of the previous layer and the one three layers back."""


@dataclass(frozen=True)
class Route:
    """Concatenation of the layers with these indices, in this order."""

    layers: tuple[int, ...]


@dataclass(frozen=True)
class Output:
    """The previous layer is one of the network's outputs (darknet's ``yolo`` layer)."""


Layer = Conv | MaxPool | Upsample | Shortcut | Route | Output
Architecture = Literal["yolov3-tiny", "yolov3"]


def _head() -> tuple[Layer, ...]:
    return (Conv(OUTPUT_CHANNELS, 1, head=True), Output())


def _tiny() -> tuple[Layer, ...]:
    backbone = [layer for filters in (16, 32, 64, 128, 256) for layer in (Conv(filters), MaxPool())]
    coarse = (Conv(512), MaxPool(stride=1), Conv(1024), Conv(256, 1), Conv(512), *_head())
    fine = (Route((13,)), Conv(128, 1), Upsample(), Route((19, 8)), Conv(256), *_head())
    return (*backbone, *coarse, *fine)


def _residual_stage(filters: int, count: int) -> tuple[Layer, ...]:
    pair = (Conv(filters // 2, 1), Conv(filters), Shortcut())
    return (Conv(filters, stride=2), *(pair * count))


def _yolov3() -> tuple[Layer, ...]:
    stages = ((64, 1), (128, 2), (256, 8), (512, 8), (1024, 4))
    backbone = [Conv(32), *(layer for stage in stages for layer in _residual_stage(*stage))]

    def head(filters: int) -> tuple[Layer, ...]:
        return (*(Conv(filters, 1), Conv(2 * filters)) * 3, *_head())

    middle = (Route((79,)), Conv(256, 1), Upsample(), Route((85, 61)))
    fine = (Route((91,)), Conv(128, 1), Upsample(), Route((97, 36)))
    return (*backbone, *head(512), *middle, *head(256), *fine, *head(128))


ARCHITECTURES: dict[Architecture, tuple[Layer, ...]] = {"yolov3-tiny": _tiny(), "yolov3": _yolov3()}


@dataclass(frozen=True)
class ConvWeights:
    """weight (out, in, k, k); bias (out,); norm: ``weight``, ``running_mean`` and ``running_var`` (out,), or None in a head."""

    weight: np.ndarray
    bias: np.ndarray
    norm: dict[str, np.ndarray] | None


def value_count(layers: tuple[Layer, ...]) -> int:
    """How many float32 values the file holds after its header."""
    return sum(c.filters * (channels * c.size**2 + (1 if c.head else 4)) for c, channels in _convs(layers))


def read_weights(path: Path, layers: tuple[Layer, ...]) -> list[ConvWeights]:
    """The convolutions' weights, in layer order.

    Raises ModelError unless the file holds exactly this architecture, to the byte.
    """
    _, header = _matching(path, {"this architecture": layers})  # known before its bytes take memory
    values = np.fromfile(path, "<f4", offset=header, count=value_count(layers))
    weights = []
    for conv, channels in _convs(layers):
        shape = (conv.filters, channels, conv.size, conv.size)
        vectors, kernel, values = np.split(values, np.cumsum([conv.filters * (1 if conv.head else 4), prod(shape)]))
        bias, *norm = vectors.reshape(-1, conv.filters)
        named = dict(zip(("weight", "running_mean", "running_var"), norm, strict=True)) if norm else None
        weights.append(ConvWeights(kernel.reshape(shape), bias, named))
    return weights


def architecture_of(path: Path) -> Architecture:
    """Which of the two networks a file holds, told by its size; raises ModelError if it is neither."""
    return _matching(path, ARCHITECTURES)[0]


def _matching(path: Path, candidates: Mapping[Any, tuple[Layer, ...]]) -> tuple[Any, int]:
    """The name of the network that the file's size fits, and the bytes of its header. Raises ModelError if there is none."""
    size, header = path.stat().st_size, _header_size(path)
    sizes = {name: header + 4 * value_count(layers) for name, layers in candidates.items()}
    for name, wanted in sizes.items():
        if size == wanted:
            return name, header
    expected = " or ".join(f"{wanted} bytes ({name})" for name, wanted in sizes.items())
    raise ModelError(f"{path}: expected {expected}, got {size} bytes; the file is truncated, or of another network")


def _header_size(path: Path) -> int:
    """Three int32 of version, then the number of images seen: int64 from version 0.2 on, int32 before."""
    with path.open("rb") as file:
        data = file.read(20)
    if len(data) < 20:
        raise ModelError(f"{path}: expected a darknet weights file, got {len(data)} bytes")
    major, minor = np.frombuffer(data, "<i4", count=2).tolist()
    return 20 if major * 10 + minor >= 2 and major < 1000 and minor < 1000 else 16


def _convs(layers: tuple[Layer, ...]) -> list[tuple[Conv, int]]:
    """The convolutions, each with the number of its input channels."""
    convs: list[tuple[Conv, int]] = []
    outputs: list[int] = []
    for layer in layers:
        channels = outputs[-1] if outputs else 3
        if isinstance(layer, Conv):
            convs.append((layer, channels))
            channels = layer.filters
        elif isinstance(layer, Route):
            channels = sum(outputs[i] for i in layer.layers)
        outputs.append(channels)
    return convs


def darknet_graph(layers: tuple[Layer, ...], weights: list[ConvWeights], *, opset: int = DEFAULT_OPSET) -> onnx.ModelProto:
    """``input`` (N, 3, height, width) -> raw maps ``grid_32``, ``grid_16``... (N, 255, height/32, width/32)..., all but the
    channels free.
    """
    g, numbers = GraphBuilder(), count()

    def conv(x: str, layer: Conv, stored: ConvWeights) -> str:
        return _conv(g, x, layer, stored, name=f"grid_{32 >> next(numbers)}" if layer.head else "")

    grids = run_layers(layers, weights, "input", conv, lambda layer, made: _plain_layer(g, layer, made))
    heads = [layer.filters for layer in layers if isinstance(layer, Conv) and layer.head]
    shapes = {
        grid: ("N", filters, f"rows{32 >> index}", f"columns{32 >> index}")
        for index, (grid, filters) in enumerate(zip(grids, heads, strict=True))
    }
    return g.model(name="darknet", input_shape=("N", 3, "height", "width"), outputs=shapes, opset=opset)


def run_layers(
    layers: tuple[Layer, ...],
    weights: list[ConvWeights],
    x: Any,
    conv: Callable[[Any, Conv, ConvWeights], Any],
    plain: Callable[[Layer, list[Any]], Any],
) -> list[Any]:
    """The network's outputs. plain: a layer without weights; it gets what all layers before gave."""
    made: list[Any] = []
    outputs, stored = [], iter(weights)
    for layer in layers:
        if isinstance(layer, Conv):
            made.append(conv(made[-1] if made else x, layer, next(stored)))
        elif isinstance(layer, Output):
            outputs.append(made[-1])
            made.append(made[-1])
        else:
            made.append(plain(layer, made))
    return outputs


def _conv(g: GraphBuilder, x: str, layer: Conv, stored: ConvWeights, *, name: str) -> str:
    if stored.norm is None:
        return g.conv(x, stored.weight, stored.bias, stride=layer.stride, output=name)
    with np.errstate(invalid="ignore"):  # a variance below 0 becomes NaN, which no weight may be
        denominator = np.sqrt(stored.norm["running_var"].astype(np.float64)) + BATCH_NORM_EPSILON
    folded = fold_batch_norm(stored.weight, {**stored.norm, "bias": stored.bias}, denominator=denominator)
    return g.node("LeakyRelu", g.conv(x, *folded, stride=layer.stride), alpha=LEAKY_SLOPE)


def _plain_layer(g: GraphBuilder, layer: Layer, made: list[str]) -> str:
    if isinstance(layer, MaxPool):
        pads = [0, 0, 2 - layer.stride, 2 - layer.stride]
        return g.node("MaxPool", made[-1], kernel_shape=[2, 2], strides=[layer.stride] * 2, pads=pads)
    if isinstance(layer, Upsample):
        scales = g.weight(np.array([1, 1, 2, 2], np.float32))
        nearest = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        return g.node("Resize", made[-1], "", scales, **nearest)
    if isinstance(layer, Shortcut):
        return g.node("Add", made[-1], made[-3])
    assert isinstance(layer, Route)
    return made[layer.layers[0]] if len(layer.layers) == 1 else g.node("Concat", *(made[i] for i in layer.layers), axis=1)

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Darknet layers and weights to an ONNX graph, and the same network in PyTorch to compare it with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx

from pose_resnet_ros.export.darknet import Conv, ConvWeights, Layer, MaxPool, Output, Route, Shortcut, Upsample
from pose_resnet_ros.export.graph import DEFAULT_OPSET, GraphBuilder, fold_batch_norm

BATCH_NORM_EPSILON = 1e-6  # added to the root, as in src/blas.c; the CUDA code adds 1e-5 under it
LEAKY_SLOPE = 0.1


def darknet_graph(layers: tuple[Layer, ...], weights: list[ConvWeights], *, opset: int = DEFAULT_OPSET) -> onnx.ModelProto:
    """``input`` (N, 3, height, width) -> raw maps ``grid_32``, ``grid_16``... (N, 255, height/32, width/32)..., all but the
    channels free.
    """
    g = GraphBuilder()
    made: list[str] = []
    outputs: dict[str, tuple] = {}
    stored = iter(weights)
    for index, layer in enumerate(layers):
        before = made[-1] if made else "input"
        if isinstance(layer, Conv):
            stride = 32 >> len(outputs)
            made.append(_conv(g, before, layer, next(stored), name=f"grid_{stride}" if layer.head else ""))
        elif isinstance(layer, Output):
            stride = 32 >> len(outputs)
            outputs[before] = ("N", layers[index - 1].filters, f"rows{stride}", f"columns{stride}")  # type: ignore[union-attr]
            made.append(before)
        else:
            made.append(_plain_layer(g, layer, made))
    return g.model(name="darknet", input_shape=("N", 3, "height", "width"), outputs=outputs, opset=opset)


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


def run_in_torch(layers: tuple[Layer, ...], weights: list[ConvWeights], x: Any) -> list[Any]:
    """The outputs that darknet's own arithmetic gives, batch norm unfolded. x: (N, 3, h, w) tensor."""
    from torch.nn import functional

    made: list[Any] = []
    outputs: list[Any] = []
    stored: Iterator[ConvWeights] = iter(weights)
    for layer in layers:
        before = made[-1] if made else x
        if isinstance(layer, Conv):
            before = _conv_in_torch(before, layer, next(stored))
        elif isinstance(layer, MaxPool):
            padded = functional.pad(before, (0, 2 - layer.stride) * 2, value=float("-inf"))
            before = functional.max_pool2d(padded, 2, layer.stride)
        elif isinstance(layer, Upsample):
            before = functional.interpolate(before, scale_factor=2)
        elif isinstance(layer, Shortcut):
            before = before + made[-3]
        elif isinstance(layer, Route):
            import torch

            before = torch.cat([made[i] for i in layer.layers], dim=1)
        else:
            outputs.append(before)
        made.append(before)
    return outputs


def _conv_in_torch(x: Any, layer: Conv, stored: ConvWeights) -> Any:
    import torch
    from torch.nn import functional

    def column(array: np.ndarray) -> Any:
        return torch.tensor(array).reshape(1, -1, 1, 1)

    x = functional.conv2d(x, torch.tensor(stored.weight), stride=layer.stride, padding=layer.size // 2)
    if stored.norm is None:
        return x + column(stored.bias)
    x = (x - column(stored.norm["running_mean"])) / (column(stored.norm["running_var"]).sqrt() + BATCH_NORM_EPSILON)
    return functional.leaky_relu(x * column(stored.norm["weight"]) + column(stored.bias), LEAKY_SLOPE)

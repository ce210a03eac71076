# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""What one run of a network costs."""

from __future__ import annotations

from math import prod
from pathlib import Path

import onnx

from pose_resnet_ros.core.errors import ModelError
from pose_resnet_ros.export.rebatch import load_onnx


def giga_multiply_adds(path: Path, *, width: int, height: int) -> float:
    """Multiply-adds of the convolutions and matrix products for one input of that size, in 1e9.

    A transposed convolution counts at its input's resolution, where it multiplies. Raises ModelError for a file that is not
    ONNX or whose shapes cannot be told.
    """
    model = load_onnx(path)
    for axis, size in zip(model.graph.input[0].type.tensor_type.shape.dim, (1, 3, height, width), strict=True):
        axis.dim_value = size
    for value in (*model.graph.value_info, *model.graph.output):
        value.type.tensor_type.ClearField("shape")
    try:
        graph = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True).graph
    except onnx.shape_inference.InferenceError as error:
        raise ModelError(f"{path}: its shapes cannot be told ({error})") from error
    shapes = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    for value in (*graph.input, *graph.value_info, *graph.output):
        shapes[value.name] = tuple(axis.dim_value for axis in value.type.tensor_type.shape.dim)
    return sum(_multiply_adds(node, shapes) for node in graph.node) / 1e9


def _multiply_adds(node: onnx.NodeProto, shapes: dict[str, tuple[int, ...]]) -> int:
    if node.op_type == "Conv":  # weight (out, in / groups, k, k)
        return prod(shapes[node.output[0]]) * prod(shapes[node.input[1]][1:])
    if node.op_type == "ConvTranspose":  # weight (in, out / groups, k, k)
        return prod(shapes[node.input[0]]) * prod(shapes[node.input[1]][1:])
    if node.op_type in ("MatMul", "Gemm"):
        return prod(shapes[node.output[0]]) * shapes[node.input[0]][-1]
    return 0

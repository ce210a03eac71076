# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""ONNX files: reading, making the batch axis free where the graph allows it, and counting their cost.

Exporters write the batch into the shapes of the inputs and outputs and into the constants of Reshape nodes. Both are changed,
and the result is believed only after it gave, for a batch of two, what the original gave one by one.
"""

from __future__ import annotations

from math import prod
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper

from pose_resnet_ros.core.errors import ModelError
from pose_resnet_ros.models.backends import first_line
from pose_resnet_ros.models.declared_weights import check_declared_weights
from pose_resnet_ros.models.spec import MAX_INPUT_PIXELS

TOLERANCE = 1e-4
MAX_VALUES = 3 * MAX_INPUT_PIXELS  # of an input


def load_onnx(path: Path) -> onnx.ModelProto:
    """Read a model. Raises ModelError if it is none, or if its weights are not those that it declares."""
    check_declared_weights(path)
    try:
        model = onnx.load(str(path))
    except Exception as error:  # protobuf's own, which no public module of onnx names
        raise ModelError(f"{path} is not an ONNX model, or only a part of one: {error}") from error
    if not model.graph.node:
        raise ModelError(f"{path} is not an ONNX model, or only a part of one: it has no nodes")
    inputs = _real_inputs(model)
    if not inputs or not all(value.type.tensor_type.shape.dim for value in inputs):
        raise ModelError(f"{path}: expected inputs that are tensors with a batch axis, got none or others")
    return model


def free_batch(path: Path) -> onnx.ModelProto:
    """The model with a free batch axis; unchanged if it has one already.

    Raises ModelError for a graph that onnxruntime cannot load, and where the batch is part of its arithmetic: then use the file
    as it is, one run per person.
    """
    fixed = load_onnx(path)
    try:
        _session(fixed)
    except Exception as error:  # onnxruntime's exceptions share no base class below Exception
        raise ModelError(f"{path}: onnxruntime cannot load the model: {first_line(error)}") from error
    return _freed(path, fixed) if _has_fixed_batch(fixed) else fixed


def _freed(path: Path, fixed: onnx.ModelProto) -> onnx.ModelProto:
    shape = [dim.dim_value for dim in _real_inputs(fixed)[0].type.tensor_type.shape.dim]
    refusal = f"{path}: the graph depends on its batch of {shape[0]}; use the file as it is: people are then run one by one"
    if shape[0] != 1 or min(shape) < 1 or prod(shape) > MAX_VALUES or len(_real_inputs(fixed)) != 1:
        raise ModelError(refusal)
    try:
        free = _with_free_axes(fixed)
        same = _give_the_same(fixed, free, np.random.default_rng(0).random((2, *shape[1:]), np.float32))
    except Exception as error:  # as above; and onnx's shape inference has exceptions of its own
        raise ModelError(f"{refusal} ({first_line(error)})") from error
    if not same:
        raise ModelError(refusal)
    return free


def run_one_by_one(model: onnx.ModelProto, tensor: np.ndarray) -> list[np.ndarray]:
    """The outputs for (N, ...) float32, from N runs of one."""
    session = _session(model)
    name = session.get_inputs()[0].name
    parts = [session.run(None, {name: tensor[i : i + 1]}) for i in range(len(tensor))]
    return [np.concatenate(rows) for rows in zip(*parts, strict=True)]


def _has_fixed_batch(model: onnx.ModelProto) -> bool:
    return any(value.type.tensor_type.shape.dim[0].dim_value > 0 for value in _real_inputs(model))


def _real_inputs(model: onnx.ModelProto) -> list[onnx.ValueInfoProto]:
    """Old files list their weights among the inputs."""
    weights = {tensor.name for tensor in model.graph.initializer}
    return [value for value in model.graph.input if value.name not in weights]


def _larger_first_axes(model: onnx.ModelProto) -> set[str]:
    """Names of the values whose first axis is known, and is not one."""
    graph = onnx.shape_inference.infer_shapes(model).graph
    values = (*graph.value_info, *graph.input, *graph.output)
    shapes = {value.name: value.type.tensor_type.shape.dim for value in values}
    return {name for name, dims in shapes.items() if len(dims) and dims[0].dim_value > 1}


def _free_reshapes(model: onnx.ModelProto, without_batch: set[str]) -> None:
    """In every Reshape from a batch of one to a first axis of one, take that axis from the input (a 0 says so)."""
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            constants[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
    for node in model.graph.node:
        if node.op_type != "Reshape" or node.input[0] in without_batch:
            continue
        shape = constants.get(node.input[1])
        if shape is not None and len(shape) and shape[0] == 1:
            name = f"{node.input[1]}_free_{node.output[0]}"
            freed = np.concatenate([np.zeros(1, np.int64), shape[1:]])
            model.graph.initializer.append(numpy_helper.from_array(freed, name))
            node.input[1] = name


def _with_free_axes(fixed: onnx.ModelProto) -> onnx.ModelProto:
    free = onnx.ModelProto()
    free.CopyFrom(fixed)
    _free_reshapes(free, _larger_first_axes(fixed))
    for value in (*_real_inputs(free), *free.graph.output):
        if value.type.tensor_type.shape.dim:  # an output may leave its shape open
            value.type.tensor_type.shape.dim[0].dim_param = "N"
    del free.graph.value_info[:]
    return free


def _give_the_same(fixed: onnx.ModelProto, free: onnx.ModelProto, tensor: np.ndarray) -> bool:
    session = _session(free)
    batched = session.run(None, {session.get_inputs()[0].name: tensor})
    pairs = zip(batched, run_one_by_one(fixed, tensor), strict=True)
    return all(a.shape == b.shape and np.allclose(a, b, atol=TOLERANCE) for a, b in pairs)


def _session(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def giga_multiply_adds(path: Path, *, width: int, height: int) -> float:
    """Multiply-adds of the convolutions and matrix products for one input of that size, in 1e9.

    A transposed convolution counts at its input's resolution, where it multiplies. Raises ModelError for a file that is not
    ONNX or whose shapes cannot be inferred.
    """
    model = load_onnx(path)
    for axis, size in zip(model.graph.input[0].type.tensor_type.shape.dim, (1, 3, height, width), strict=True):
        axis.dim_value = size
    for value in (*model.graph.value_info, *model.graph.output):
        value.type.tensor_type.ClearField("shape")
    try:
        graph = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True).graph
    except onnx.shape_inference.InferenceError as error:
        raise ModelError(f"{path}: its shapes cannot be inferred ({error})") from error
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

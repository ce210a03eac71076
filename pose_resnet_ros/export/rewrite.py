# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The same network in other nodes: split for speed, in half precision, or in int8 (the last two by onnxruntime's own tools)."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.transformers.float16 import convert_float_to_float16
from onnxruntime.transformers.onnx_model import OnnxModel

from pose_resnet_ros.core.errors import ModelError

# Along one axis: the taps of the 4-tap kernel that even outputs (phase 0) and odd ones (phase 1) see, in the input's order.
_TAPS = ((3, 1), (2, 0))
_DOUBLING = {"kernel_shape": [4, 4], "strides": [2, 2], "pads": [1, 1, 1, 1]}
# 7 of 8: x86 without VNNI adds two products of an activation (0 to 255) and a weight in 16 bits, which saturate where the weight
# may be 127 (2 * 255 * 127 > 2**15) and cannot where it is at most 64. The files are then right on every processor, equally fast,
# and as accurate (docs/performance.md).
INT8_WEIGHT_BITS = 7
_QUANTISED = frozenset(("QuantizeLinear", "DequantizeLinear", "QLinearConv", "QLinearMatMul", "ConvInteger", "MatMulInteger"))


def unpack_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy whose weights are stored as they are computed with: a Cast of a stored weight is done now."""
    made = onnx.ModelProto()
    made.CopyFrom(model)
    stored = {weight.name: weight for weight in made.graph.initializer}
    for cast in [node for node in made.graph.node if node.op_type == "Cast" and node.input[0] in stored]:
        weight = stored[cast.input[0]]
        dtype = helper.tensor_dtype_to_np_dtype(helper.get_node_attr_value(cast, "to"))
        weight.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weight).astype(dtype), cast.output[0]))
        made.graph.node.remove(cast)
    return made


def split_transposed_convolutions(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy in which each 4x4 transposed convolution of stride 2 is four 2x2 convolutions, interleaved.

    Output (2i + a, 2j + b) of such a layer depends on 2x2 inputs around (i, j) only, by a quarter of the kernel: so each of the
    four phases (a, b) is a plain convolution, and DepthToSpace puts them together. The sums are the same; onnxruntime has 8-bit
    kernels for these and none for ConvTranspose, and its fp32 ones are faster too. A ReLU that follows moves ahead of the
    interleaving, where it is part of the convolution. Layers of another geometry, or whose weights are computed, stay.
    """
    made = unpack_weights(model)
    weights = {weight.name: numpy_helper.to_array(weight) for weight in made.graph.initializer}
    nodes: list[onnx.NodeProto] = []
    merged: set[str] = set()
    for node in made.graph.node:
        if node.output[0] in merged:
            continue
        if not _is_doubling(node, weights):
            nodes.append(node)
            continue
        relu = _only_relu(made.graph, node.output[0])
        if relu is not None:
            merged.add(relu.output[0])
        nodes.extend(_phases(made.graph, node, weights, relu))
    del made.graph.node[:]
    made.graph.node.extend(nodes)
    _drop_unused(made.graph)
    return made


def _is_doubling(node: onnx.NodeProto, weights: dict[str, np.ndarray]) -> bool:
    if node.op_type != "ConvTranspose" or not all(name in weights for name in node.input[1:]):
        return False
    given = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    neutral = {"group": 1, "dilations": [1, 1], "output_padding": [0, 0]}
    return {name: value for name, value in given.items() if value != neutral.get(name)} == _DOUBLING


def _only_relu(graph: onnx.GraphProto, name: str) -> onnx.NodeProto | None:
    readers = [node for node in graph.node if name in node.input]
    return readers[0] if len(readers) == 1 and readers[0].op_type == "Relu" else None


def _phases(
    graph: onnx.GraphProto, node: onnx.NodeProto, weights: dict[str, np.ndarray], relu: onnx.NodeProto | None
) -> list[onnx.NodeProto]:
    """The nodes instead of ``node`` and ``relu``; their weights go into the graph."""
    kernel = weights[node.input[1]]  # (in, out, 4, 4)
    bias = weights[node.input[2]] if len(node.input) > 2 else np.zeros(kernel.shape[1], kernel.dtype)
    base, made, phases = node.output[0], [], []
    for row, column in ((0, 0), (0, 1), (1, 0), (1, 1)):
        phase = f"{base}_phase{row}{column}"
        quarter = kernel[:, :, _TAPS[row]][:, :, :, _TAPS[column]].swapaxes(0, 1)
        # A bias for each: quantisation gives it the scale of its own convolution.
        for suffix, array in (("weight", quarter), ("bias", bias)):
            graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(array), f"{phase}_{suffix}"))
        inputs = [node.input[0], f"{phase}_weight", f"{phase}_bias"]
        pads = [1 - row, 1 - column, row, column]
        made.append(helper.make_node("Conv", inputs, [phase], name=phase, kernel_shape=[2, 2], pads=pads))
        if relu is not None:
            made.append(helper.make_node("Relu", [phase], [f"{phase}_relu"], name=f"{phase}_relu"))
        phases.append(made[-1].output[0])
    output = base if relu is None else relu.output[0]
    made.append(helper.make_node("Concat", phases, [f"{base}_phases"], name=f"{base}_phases", axis=1))
    made.append(helper.make_node("DepthToSpace", [f"{base}_phases"], [output], name=output, blocksize=2, mode="DCR"))
    return made


def _drop_unused(graph: onnx.GraphProto) -> None:
    used = {name for node in graph.node for name in node.input}
    for weight in [weight for weight in graph.initializer if weight.name not in used]:
        graph.initializer.remove(weight)


def to_fp16(model: onnx.ModelProto) -> onnx.ModelProto:
    """Weights and arithmetic in half precision; inputs and outputs stay float32."""
    half = convert_float_to_float16(model, keep_io_types=True)
    OnnxModel.graph_topological_sort(half.graph)  # the conversion appends its casts to the end
    return half


def to_int8(model: onnx.ModelProto, tensors: Iterable[np.ndarray]) -> onnx.ModelProto:
    """Quantise to int8: 8-bit activations, weights of ``INT8_WEIGHT_BITS``; inputs and outputs stay float32.

    Static ranges from ``tensors``, weights by channel and symmetric. The layer before each output stays float32 as well: one
    range for a detector's raw boxes and scores together is a coarse one.
    tensors: network inputs (N, 3, h, w) float32 of real images, at least one. Needs opset 13 or later.
    Raises ModelError for a network that is already quantised.
    """
    _require_floats(model.graph)
    logging.getLogger().addFilter(_quiet)  # onnxruntime's tool logs advice to the root logger
    try:
        with tempfile.TemporaryDirectory() as folder:
            source, target = Path(folder) / "float.onnx", Path(folder) / "int8.onnx"
            onnx.save(model, str(source))
            quantize_static(
                str(source),
                str(target),
                _Inputs(model.graph.input[0].name, tensors),
                quant_format=QuantFormat.QDQ,
                per_channel=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                reduce_range=True,
                nodes_to_exclude=_last_nodes(model.graph),
            )
            return onnx.load(str(target))
    finally:
        logging.getLogger().removeFilter(_quiet)


def _require_floats(graph: onnx.GraphProto) -> None:
    quantised = sorted({node.op_type for node in graph.node} & _QUANTISED)
    if quantised:
        raise ModelError(
            f"--int8: the network is already quantised (it has {', '.join(quantised)}), and its weights would be rounded"
            " again; expected the floating-point file that it was made from"
        )


def _last_nodes(graph: onnx.GraphProto) -> list[str]:
    """Names of the nodes that give the outputs; who has none is named after its output."""
    outputs = {value.name for value in graph.output}
    last = [node for node in graph.node if not outputs.isdisjoint(node.output)]
    for node in last:
        node.name = node.name or node.output[0]
    return [node.name for node in last]


class _Inputs(CalibrationDataReader):
    def __init__(self, name: str, tensors: Iterable[np.ndarray]) -> None:
        self._feeds = ({name: tensor} for tensor in tensors)

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self._feeds, None)


def _quiet(record: logging.LogRecord) -> bool:
    return "pre-processing" not in record.getMessage()

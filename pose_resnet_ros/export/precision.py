# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Half precision and 8-bit versions of an exported network, by onnxruntime's own tools."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.transformers.float16 import convert_float_to_float16
from onnxruntime.transformers.onnx_model import OnnxModel

from pose_resnet_ros.core.errors import ModelError

# 7 of 8: x86 without VNNI adds two products of an activation (0 to 255) and a weight in 16 bits, which saturate where the weight
# may be 127 (2 * 255 * 127 > 2**15) and cannot where it is at most 64. The files are then right on every processor, equally fast,
# and as accurate (docs/performance.md).
INT8_WEIGHT_BITS = 7
_QUANTISED = frozenset(("QuantizeLinear", "DequantizeLinear", "QLinearConv", "QLinearMatMul", "ConvInteger", "MatMulInteger"))


def to_fp16(model: onnx.ModelProto) -> onnx.ModelProto:
    """Weights and arithmetic in half precision; inputs and outputs stay float32."""
    half = convert_float_to_float16(model, keep_io_types=True)
    OnnxModel.graph_topological_sort(half.graph)  # the conversion appends its casts to the end
    return half


def to_int8(model: onnx.ModelProto, tensors: Iterable[np.ndarray]) -> onnx.ModelProto:
    """Activations in 8 bits, weights in ``INT8_WEIGHT_BITS``; inputs and outputs stay float32.

    Static ranges from ``tensors``, weights by channel and symmetric. The layer before each output stays float32 as well: one
    range for a detector's raw boxes and scores together is a coarse one.
    tensors: network inputs (N, 3, h, w) float32 of real pictures, at least one. Needs opset 13 or later.
    Raises ModelError for a network that is quantised already.
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
            f"--int8: the network is quantised already (it has {', '.join(quantised)}), and its rounded weights would be rounded"
            " again; expected the floating-point file that it was made of"
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

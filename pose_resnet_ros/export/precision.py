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


def to_fp16(model: onnx.ModelProto) -> onnx.ModelProto:
    """Weights and arithmetic in half precision; inputs and outputs stay float32."""
    half = convert_float_to_float16(model, keep_io_types=True)
    _put_in_order(half.graph)
    return half


def to_int8(model: onnx.ModelProto, tensors: Iterable[np.ndarray]) -> onnx.ModelProto:
    """Weights and activations in 8 bits: static ranges from ``tensors``, weights by channel; inputs and outputs stay float32.

    So does the layer before each output: one range for a detector's raw boxes and scores together is a coarse one.
    tensors: network inputs (N, 3, h, w) float32 of real pictures, at least one. Needs opset 13 or later.
    """
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
                nodes_to_exclude=_last_nodes(model.graph),
            )
            return onnx.load(str(target))
    finally:
        logging.getLogger().removeFilter(_quiet)


def _last_nodes(graph: onnx.GraphProto) -> list[str]:
    """Names of the nodes that give the outputs; who has none is named after its output."""
    outputs = {value.name for value in graph.output}
    last = [node for node in graph.node if not outputs.isdisjoint(node.output)]
    for node in last:
        node.name = node.name or node.output[0]
    return [node.name for node in last]


def _put_in_order(graph: onnx.GraphProto) -> None:
    """Every node after those that it reads from, as ONNX wants it; the conversion appends its casts to the end."""
    known = {"", *(value.name for value in graph.input), *(weight.name for weight in graph.initializer)}
    ordered: list[onnx.NodeProto] = []
    waiting, count = list(graph.node), 0
    while len(waiting) != count:  # until a pass finds no more
        count, passed_over = len(waiting), []
        for node in waiting:
            if known.issuperset(node.input):
                ordered.append(node)
                known.update(node.output)
            else:
                passed_over.append(node)
        waiting = passed_over
    ordered += waiting
    del graph.node[:]
    graph.node.extend(ordered)


class _Inputs(CalibrationDataReader):
    def __init__(self, name: str, tensors: Iterable[np.ndarray]) -> None:
        self._feeds = ({name: tensor} for tensor in tensors)

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self._feeds, None)


def _quiet(record: logging.LogRecord) -> bool:
    return "pre-processing" not in record.getMessage()

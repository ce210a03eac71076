# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""An ONNX pose network as a PyTorch module, so that PyTorch runs the very same weights. Only what PoseResNet's graphs hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
import torch
from onnx import helper, numpy_helper
from torch.nn import functional

from pose_resnet_ros.core.errors import ModelError


class OnnxInTorch(torch.nn.Module):
    """The graph, node by node. Raises ModelError for one that holds other operators."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        graph = onnx.load(str(path)).graph
        unknown = sorted({node.op_type for node in graph.node} - _OPERATORS.keys())
        if unknown:
            raise ModelError(f"{path}: PyTorch as a baseline runs plain PoseResNets; this graph holds {', '.join(unknown)}")
        self._weights = {w.name: f"w{index}" for index, w in enumerate(graph.initializer)}
        for weight in graph.initializer:
            tensor = torch.from_numpy(numpy_helper.to_array(weight).copy())
            self.register_buffer(self._weights[weight.name], tensor.float())
        # Weights in half precision are cast when the model is loaded, not at each run.
        self._alias = {node.output[0]: node.input[0] for node in graph.node if node.op_type == "Cast"}
        self._nodes = [node for node in graph.node if node.op_type != "Cast"]
        self._input, self._outputs = graph.input[0].name, [output.name for output in graph.output]

    def forward(self, tensor: torch.Tensor) -> torch.Tensor:
        values = {self._input: tensor}

        def value(name: str) -> torch.Tensor:
            name = self._alias.get(name, name)
            return values[name] if name in values else getattr(self, self._weights[name])

        for node in self._nodes:
            attributes = {item.name: helper.get_attribute_value(item) for item in node.attribute}
            values[node.output[0]] = _OPERATORS[node.op_type](*map(value, node.input), **attributes)
        return values[self._outputs[0]]


def _conv(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, **given: Any) -> torch.Tensor:
    return functional.conv2d(x, weight, bias, stride=given["strides"], padding=given["pads"][:2])


def _conv_transpose(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, **given: Any) -> torch.Tensor:
    return functional.conv_transpose2d(x, weight, bias, stride=given["strides"], padding=given["pads"][:2])


def _max_pool(x: torch.Tensor, **given: Any) -> torch.Tensor:
    return functional.max_pool2d(x, given["kernel_shape"], given["strides"], given["pads"][:2])


_OPERATORS = {
    "Cast": None,
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "MaxPool": _max_pool,
    "Relu": functional.relu,
    "Add": torch.add,
}

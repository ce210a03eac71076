# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Writing an ONNX graph node by node.

The architectures here are fixed and small, so their graphs are written directly: every node is one that was meant, batch norm
is folded in float64, and the file has the opset and IR version that old runtimes read.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from pose_resnet_ros.core.errors import ModelError
from pose_resnet_ros.models.spec import METADATA_KEY, Spec, spec_to_json

DEFAULT_OPSET = 17
DEFAULT_IR = 8
_LARGE_BYTES = 256


class GraphBuilder:
    """Collects nodes and weights; every method that adds a node returns the name of its output."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[TensorProto] = []

    def weight(self, array: np.ndarray) -> str:
        """Raises ModelError for values that are not finite: a network with them silently finds nobody."""
        if not np.isfinite(array).all():
            raise ModelError(
                "its weights hold values that are not finite (or a variance below 0); the file is damaged: fetch it again"
            )
        name = f"w{len(self._weights)}"
        self._weights.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def node(self, op: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        output = output or f"{op.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(op, list(inputs), [output], name=output, **attributes))
        return output

    def conv(self, x: str, weight: np.ndarray, bias: np.ndarray, *, stride: int = 1, output: str = "") -> str:
        """Convolution with padding size // 2; weight (out, in, k, k)."""
        size = weight.shape[2]
        names = self.weight(weight), self.weight(bias)
        return self.node("Conv", x, *names, output=output, kernel_shape=[size, size], strides=[stride] * 2, pads=[size // 2] * 4)

    def model(
        self, *, input_shape: tuple, outputs: dict[str, tuple], opset: int = DEFAULT_OPSET, name: str = "network"
    ) -> onnx.ModelProto:
        """The finished model: float32 ``input`` and outputs; a string in a shape is the name of a dynamic axis."""
        graph = helper.make_graph(
            self._nodes,
            name,
            [helper.make_tensor_value_info("input", TensorProto.FLOAT, input_shape)],
            [helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n, shape in outputs.items()],
            self._weights,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], producer_name="pose_resnet_ros")
        lower_ir(model)
        _check(model)
        return model


def fold_batch_norm(
    weight: np.ndarray, norm: dict[str, np.ndarray], *, denominator: np.ndarray, out_axis: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Weight and bias of the convolution that equals a bias-free convolution followed by batch norm.

    norm: ``weight``, ``bias``, ``running_mean``, each (C,); denominator: (C,) float64, what the centred value is divided by
    (frameworks differ in where they put epsilon); out_axis: axis of the output channels in ``weight``.
    """
    shape = [1] * weight.ndim
    shape[out_axis] = -1
    with np.errstate(all="ignore"):  # what is not finite is refused when it is written
        factor = norm["weight"].astype(np.float64) / denominator
        bias = norm["bias"].astype(np.float64) - norm["running_mean"].astype(np.float64) * factor
        folded = (weight.astype(np.float64) * factor.reshape(shape)).astype(np.float32)
        return folded, bias.astype(np.float32)


def _check(model: onnx.ModelProto) -> None:
    """onnx's own checks of nodes and shapes. Large weights take part as inputs, since only their shapes matter."""
    small = [tensor for tensor in model.graph.initializer if len(tensor.raw_data) < _LARGE_BYTES]
    large = [tensor for tensor in model.graph.initializer if len(tensor.raw_data) >= _LARGE_BYTES]
    stand_ins = [helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims) for tensor in large]
    inputs = [*model.graph.input, *stand_ins]
    graph = helper.make_graph(model.graph.node, model.graph.name, inputs, model.graph.output, small)
    light = helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)
    onnx.checker.check_model(light, full_check=True)


def lower_ir(model: onnx.ModelProto) -> None:
    """IR version 8 or older, so that older onnxruntimes read the file; a newer one only where the opset came with it."""
    needed = helper.find_min_ir_version_for(model.opset_import, ignore_unknown=True)
    model.ir_version = min(model.ir_version, max(DEFAULT_IR, needed))


def describe(model: onnx.ModelProto, spec: Spec) -> None:
    """Put the description into the model's metadata, replacing an older one."""
    kept = {entry.key: entry.value for entry in model.metadata_props}
    helper.set_model_props(model, kept | {METADATA_KEY: spec_to_json(spec)})

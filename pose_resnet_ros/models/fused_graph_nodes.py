# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Nodes and constants of an ONNX graph, collected one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class Nodes:
    """Collects nodes and constants; ``add`` returns the name of the node's output."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self.constants: list[TensorProto] = []
        self._count = 0

    def add(self, op: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        self._count += 1
        output = output or f"{op.lower()}_{self._count}"
        node = helper.make_node(op, inputs, [output], name=f"fused_graph_{self._count}", **attributes)
        self._nodes.append(node)
        return output

    def gather(self, data: str, indices: Sequence[int], *, axis: int) -> str:
        return self.add("Gather", data, self.integers(list(indices)), axis=axis)

    def floats(self, values: Any) -> str:
        return self._constant(np.asarray(values, np.float32))

    def integers(self, values: Any) -> str:
        return self._constant(np.asarray(values, np.int64))

    def taken(self) -> list[onnx.NodeProto]:
        """The nodes so far; collecting starts again."""
        nodes, self._nodes = self._nodes, []
        return nodes

    def _constant(self, array: np.ndarray) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(array, name))
        return name

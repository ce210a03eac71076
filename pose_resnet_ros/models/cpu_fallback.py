# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""What of a network onnxruntime left on the CPU although a GPU was granted.

A session on CUDA takes any network: nodes without a kernel there run on the CPU in silence, with a copy of their data before and
after. The provider's name says nothing of it.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import onnxruntime as ort

from pose_resnet_ros.core.log import logger_of

_log = logger_of(__name__)

# Asks a session to keep what ``get_provider_graph_assignment_info`` tells; others pass it over.
RECORD_ENTRY = "session.record_ep_graph_assignment_info"
# Shapes are computed on the CPU on purpose (GetCpuPreferredNodes in onnxruntime's core/framework/fallback_cpu_capability.cc).
_OF_SHAPES = {
    *("Shape", "Reshape", "Unsqueeze", "Squeeze", "Slice", "Gather", "Concat", "Expand", "ConstantOfShape", "Range"),
    *("Cast", "Identity", "Add", "Sub", "Mul", "Div", "Floor", "Ceil", "Min", "Max", "Equal", "Where"),
}


def left_on_cpu(session: ort.InferenceSession) -> Counter[str]:
    """Operators of the nodes on the CPU and their number, but for what computes shapes; empty before onnxruntime 1.24.

    session: opened with ``RECORD_ENTRY`` set to 1.
    """
    if not hasattr(session, "get_provider_graph_assignment_info"):
        return Counter()
    parts = [part for part in session.get_provider_graph_assignment_info() if part.ep_name.startswith("CPU")]
    operators = (node.op_type for part in parts for node in part.get_nodes())
    return Counter(operator for operator in operators if operator not in _OF_SHAPES)


def warn_of_nodes_on_cpu(session: ort.InferenceSession, path: Path) -> None:
    """One warning for a network that does not wholly run on the GPU."""
    left = left_on_cpu(session)
    if left:
        listed = ", ".join(f"{count} {operator}" for operator, count in sorted(left.items()))
        _log.warning(
            "%s: a part runs on the CPU and is copied to and fro at each run (%s); a GPU wants a file of opset 21 or older"
            " and without 8 bits, as 'python3 -m pose_resnet_ros export' writes them",
            path.name,
            listed,
        )

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import logging
from collections import Counter
from pathlib import Path

import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper

from pose_resnet_ros.models.cpu_fallback import left_on_cpu, warn_of_nodes_on_cpu
from pose_resnet_ros.models.session_options import session_options


def session() -> ort.InferenceSession:
    """Two nodes that compute and two of shapes, on the CPU: what a GPU did not take looks the same."""
    nodes = [
        helper.make_node("Shape", ["x"], ["shape"]),
        helper.make_node("Sin", ["x"], ["a"]),
        helper.make_node("ConstantOfShape", ["shape"], ["zeros"]),
        helper.make_node("Add", ["a", "zeros"], ["b"]),
        helper.make_node("Softmax", ["b"], ["y"]),
    ]
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 2]) for name in ("x", "y"))
    graph = helper.make_graph(nodes, "g", [x], [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return ort.InferenceSession(model.SerializeToString(), session_options(1), providers=["CPUExecutionProvider"])


def test_what_computes_on_the_cpu_is_told_and_what_is_for_shapes_is_not(caplog: pytest.LogCaptureFixture) -> None:
    opened = session()
    can_tell = hasattr(opened, "get_provider_graph_assignment_info")  # onnxruntime 1.24
    assert left_on_cpu(opened) == (Counter({"Sin": 1, "Softmax": 1}) if can_tell else Counter())
    with caplog.at_level(logging.WARNING):
        warn_of_nodes_on_cpu(opened, Path("some.onnx"))
    assert ("some.onnx: a part runs on the CPU" in caplog.text) == can_tell
    assert ("(1 Sin, 1 Softmax)" in caplog.text) == can_tell


def test_an_older_onnxruntime_cannot_tell(caplog: pytest.LogCaptureFixture) -> None:
    warn_of_nodes_on_cpu(object(), Path("some.onnx"))  # type: ignore[arg-type]
    assert caplog.text == ""

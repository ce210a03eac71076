# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import onnx
from onnx import TensorProto, helper

from pose_resnet_ros.models.cuda_smoke_test import CONVOLUTION, run_convolution
from pose_resnet_ros.models.session_options import session_options


def test_the_convolution_is_the_one_that_is_described() -> None:
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "w"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 2, 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1, 1, 1])],
        [helper.make_tensor("w", TensorProto.FLOAT, [1, 1, 2, 2], [1, 2, 3, 4])],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=6)
    assert onnx.load_from_string(CONVOLUTION) == made


def test_it_adds_up() -> None:
    assert run_convolution(session_options(1), [("CPUExecutionProvider", {})]) == 10

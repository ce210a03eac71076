# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""A pose network for tests of the node: it finds the brightest spot, and takes as long as the test wants."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from pose_resnet_ros.core.types import InputSpec
from pose_resnet_ros.models.spec import METADATA_KEY, PoseSpec, spec_to_json

INPUT_WH = (48, 64)


def spot_model(path: Path, *, joints: int = 17, skeleton: str = "coco17", delay: int = 0) -> Path:
    """A pose network whose every joint is the brightest 4 x 4 cell of the crop.

    delay: turns of a loop of matrix products (about a millisecond each) that run first and change nothing, for a crop with a
    pure white spot; fewer in proportion for a darker one, none for a black crop.
    """
    weights = np.full((joints, 3, 1, 1), 1 / 3, np.float32)
    nodes, tensors = [], [numpy_helper.from_array(weights, "weights")]
    pooled_from = "input"
    if delay:
        nodes, extra = _delay(delay)
        tensors += extra
        pooled_from = "delayed"
    nodes += [
        helper.make_node("AveragePool", [pooled_from], ["pooled"], kernel_shape=[4, 4], strides=[4, 4]),
        helper.make_node("Conv", ["pooled", "weights"], ["heatmaps"], kernel_shape=[1, 1]),
    ]
    width, height = INPUT_WH
    graph = helper.make_graph(
        nodes,
        "bright_spot",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["n", 3, height, width])],
        [helper.make_tensor_value_info("heatmaps", TensorProto.FLOAT, ["n", joints, height // 4, width // 4])],
        tensors,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    spec = PoseSpec(
        name="bright_spot",
        input=InputSpec(width=width, height=height, channel_order="bgr", scale=1 / 255),
        decoder="microsoft",
        skeleton=skeleton,
    )
    helper.set_model_props(model, {METADATA_KEY: spec_to_json(spec)})
    onnx.save(model, path)
    return path


def _delay(turns: int) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """Nodes from "input" to "delayed", equal but late: 0 times the result of the products is added."""
    size = 256
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go_on"], ["still_go_on"]),
            helper.make_node("MatMul", ["product", "factor"], ["next_product"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, []),
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("product", TensorProto.FLOAT, [size, size]),
        ],
        [
            helper.make_tensor_value_info("still_go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("next_product", TensorProto.FLOAT, [size, size]),
        ],
        [numpy_helper.from_array(np.eye(size, dtype=np.float32), "factor")],
    )
    nodes = [
        helper.make_node("ReduceMax", ["input"], ["brightest"], keepdims=0),
        helper.make_node("Mul", ["brightest", "delay"], ["turns_float"]),
        helper.make_node("Cast", ["turns_float"], ["turns"], to=TensorProto.INT64),
        helper.make_node("Loop", ["turns", "", "start"], ["product_at_end"], body=body),
        helper.make_node("ReduceMax", ["product_at_end"], ["scalar"], keepdims=0),
        helper.make_node("Mul", ["scalar", "zero"], ["nothing"]),
        helper.make_node("Add", ["input", "nothing"], ["delayed"]),
    ]
    tensors = [
        numpy_helper.from_array(np.array(turns, np.float32), "delay"),
        numpy_helper.from_array(np.eye(size, dtype=np.float32), "start"),
        numpy_helper.from_array(np.array(0, np.float32), "zero"),
    ]
    return nodes, tensors

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The composed graph holds only what onnxruntime runs on CUDA, so that it can be recorded and nothing travels in between.

One node without a kernel costs a copy to the CPU and one back, and forbids CUDA graphs: a change that brings one must not pass
unseen where no GPU is. The kinds below are those that the CUDA provider of onnxruntime-gpu 1.23.2, 1.27.0 and 1.31.1 took whole,
without one copy (node placement of its log, over a CUDA runtime that computes nothing). A new kind belongs here only after such a
look; docs/OperatorKernels.md of onnxruntime, which lists the kernels, is the first place for it. Log and MatMul, which DARK
needs, were only looked up there: kernels for float32 since opset 13.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import known_models
import onnx
import pytest
from onnx import TensorProto, shape_inference

from pose_resnet_ros.core.skeletons import skeleton_named
from pose_resnet_ros.core.types import InputSpec
from pose_resnet_ros.export.rewrite import split_transposed_convolutions, to_fp16, unpack_weights
from pose_resnet_ros.models.fused_graph import DECODERS
from pose_resnet_ros.models.fused_graph_compose import compose_fused_graph
from pose_resnet_ros.models.spec import METADATA_KEY, PoseSpec, spec_from_json

LITE = Path(__file__).parents[2] / "pose_resnet_ros" / "weights" / "pose_resnet_lite.onnx"
FLIP_ORDER = skeleton_named("coco17").flip_order().tolist()
# Operator and the type of its first input; Cast: and of its output; Where: and of its second input.
AROUND = {
    *("Add float", "And bool", "Concat float", "Div float", "Floor float", "Gather float", "Gather uint8"),
    *("GatherElements float", "GlobalMaxPool float", "Greater float", "GridSample float", "Identity float"),
    *(
        "IsNaN float",
        "Less float",
        "Log float",
        "MatMul float",
        "Max float",
        "Min float",
        "Mul float",
        "Reshape float",
        "Sub float",
    ),
    *("Transpose float", "Transpose uint8", "Where bool float"),
    *("Cast bool float", "Cast float int64", "Cast uint8 float"),
}
NETWORK = {"Cast float16 float", "Conv float", "ConvTranspose float", "MaxPool float", "Relu float", "Add float"}
HALF = {"Cast float float16", "Cast float16 float", "Conv float16", "ConvTranspose float16", "MaxPool float16"}
HALF |= {"Relu float16", "Add float16"}
SPLIT = {"Conv float", "MaxPool float", "Relu float", "Add float", "Concat float", "DepthToSpace float"}


def kinds(model: onnx.ModelProto) -> Iterator[str]:
    graph = shape_inference.infer_shapes(model, strict_mode=True).graph
    types = {weight.name: weight.data_type for weight in graph.initializer}
    for value in (*graph.input, *graph.value_info, *graph.output):
        types[value.name] = value.type.tensor_type.elem_type
    second = {"Cast": lambda node: node.output[:1], "Where": lambda node: node.input[1:2]}
    for node in graph.node:
        names = [node.input[0], *second.get(node.op_type, lambda node: [])(node)]
        yield " ".join([node.op_type, *(TensorProto.DataType.Name(types[name]).lower() for name in names)])


def lite() -> tuple[onnx.ModelProto, PoseSpec]:
    model = onnx.load(str(LITE))
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    spec = spec_from_json(metadata[METADATA_KEY])
    assert isinstance(spec, PoseSpec)
    return model, spec


@pytest.mark.parametrize(
    ("change", "allowed"),
    [
        (lambda model: model, NETWORK),
        (lambda model: to_fp16(unpack_weights(model)), HALF),
        (split_transposed_convolutions, SPLIT),
    ],
    ids=["as it ships", "half precision", "split"],
)
def test_every_node_has_a_kernel_on_cuda(change, allowed: set[str]) -> None:  # type: ignore[no-untyped-def]
    network, spec = lite()
    network = change(network)
    shape = (17, spec.input.height // 4, spec.input.width // 4)
    for decoder, order, flip_order in product(DECODERS, ("bgr", "rgb"), (None, FLIP_ORDER)):
        given: InputSpec = replace(spec.input, channel_order=order)  # type: ignore[arg-type]
        model = compose_fused_graph(
            network, replace(spec, decoder=decoder, input=given), heatmap_shape=shape, flip_order=flip_order
        )
        assert set(kinds(model)) <= AROUND | allowed


@pytest.mark.parametrize("opset", [16, 17, 18, 19, 20, 21, 22])
def test_networks_of_other_opsets_are_brought_to_one_with_kernels(tmp_path: Path, opset: int) -> None:
    """GridSample of opset 20 has none in onnxruntime 1.23, MaxPool of opset 22 none in 1.31."""
    network = onnx.load(str(known_models.blob_finder(tmp_path / "p.onnx")))
    network = onnx.version_converter.convert_version(network, opset)
    model = compose_fused_graph(network, known_models.POSE_SPEC, heatmap_shape=(17, 64, 48))
    assert [entry.version for entry in model.opset_import if not entry.domain] == [opset if opset < 20 else 17]

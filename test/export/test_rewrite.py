# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Rewritten networks give what they gave."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from pose_resnet_ros.core.errors import ModelError
from pose_resnet_ros.export.rewrite import split_transposed_convolutions, to_int8, unpack_weights

GEOMETRY = {"kernel_shape": [4, 4], "strides": [2, 2], "pads": [1, 1, 1, 1]}
CHANNELS, MADE = 5, 3


def network(nodes: Sequence[onnx.NodeProto], weights: dict[str, np.ndarray]) -> onnx.ModelProto:
    graph = helper.make_graph(
        list(nodes),
        "graph",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["N", CHANNELS, "h", "w"])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["N", MADE, "H", "W"])],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def deconvolution(
    *, relu: bool, bias: bool = True, inputs: Sequence[str] = ("input", "kernel", "bias"), **geometry: object
) -> onnx.ModelProto:
    rng = np.random.default_rng(0)
    weights = {"kernel": rng.standard_normal((CHANNELS, MADE, 4, 4), np.float32)}
    if bias:
        weights["bias"] = rng.standard_normal(MADE, np.float32)
    given = {**GEOMETRY, **geometry}
    names = inputs if bias else inputs[:2]
    nodes = [helper.make_node("ConvTranspose", names, ["raised" if relu else "output"], **given)]
    if relu:
        nodes.append(helper.make_node("Relu", ["raised"], ["output"]))
    return network(nodes, weights)


def outputs_of(model: onnx.ModelProto, tensor: np.ndarray) -> np.ndarray:
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"input": tensor})[0]


def operators(model: onnx.ModelProto) -> list[str]:
    return [node.op_type for node in model.graph.node]


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("shape", [(1, CHANNELS, 1, 1), (2, CHANNELS, 8, 6), (3, CHANNELS, 7, 5)])
def test_four_convolutions_are_one_transposed(relu: bool, bias: bool, shape: tuple[int, ...]) -> None:
    model = deconvolution(relu=relu, bias=bias)
    made = split_transposed_convolutions(model)
    each = ["Conv", "Relu"] if relu else ["Conv"]
    assert operators(made) == [*each * 4, "Concat", "DepthToSpace"]
    tensor = np.random.default_rng(1).standard_normal(shape, np.float32)
    before, after = outputs_of(model, tensor), outputs_of(made, tensor)
    assert after.shape == (shape[0], MADE, 2 * shape[2], 2 * shape[3])
    assert np.abs(before - after).max() < 1e-5


def test_the_model_handed_in_stays_as_it_is() -> None:
    model = deconvolution(relu=True)
    before = model.SerializeToString()
    split_transposed_convolutions(model)
    assert model.SerializeToString() == before


@pytest.mark.parametrize("geometry", [{"strides": [1, 1]}, {"pads": [0, 0, 0, 0]}, {"output_padding": [1, 1]}])
def test_layers_of_another_geometry_stay(geometry: dict[str, list[int]]) -> None:
    model = deconvolution(relu=True, **geometry)
    assert operators(split_transposed_convolutions(model)) == ["ConvTranspose", "Relu"]


def test_a_relu_that_is_not_the_only_reader_stays_behind() -> None:
    model = deconvolution(relu=False)
    model.graph.node[0].output[0] = "raised"
    model.graph.node.append(helper.make_node("Relu", ["raised"], ["positive"]))
    model.graph.node.append(helper.make_node("Add", ["raised", "positive"], ["output"]))
    made = split_transposed_convolutions(model)
    assert operators(made) == [*["Conv"] * 4, "Concat", "DepthToSpace", "Relu", "Add"]
    tensor = np.random.default_rng(1).standard_normal((1, CHANNELS, 4, 4), np.float32)
    assert np.abs(outputs_of(model, tensor) - outputs_of(made, tensor)).max() < 1e-5


def half_stored() -> onnx.ModelProto:
    model = deconvolution(relu=True, inputs=("input", "kernel_full", "bias"))
    stored = model.graph.initializer[0]
    stored.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(stored).astype(np.float16), "kernel"))
    model.graph.node.insert(0, helper.make_node("Cast", ["kernel"], ["kernel_full"], to=TensorProto.FLOAT))
    return model


def test_weights_stored_in_half_precision_are_unpacked() -> None:
    model = half_stored()
    made = unpack_weights(model)
    assert operators(made) == ["ConvTranspose", "Relu"]
    assert {weight.data_type for weight in made.graph.initializer} == {TensorProto.FLOAT}
    tensor = np.random.default_rng(1).standard_normal((1, CHANNELS, 4, 4), np.float32)
    assert np.array_equal(outputs_of(model, tensor), outputs_of(made, tensor))
    assert "Cast" not in operators(split_transposed_convolutions(model))


def test_every_phase_is_quantised() -> None:
    tensor = np.abs(np.random.default_rng(1).standard_normal((4, CHANNELS, 8, 6), np.float32))
    model = split_transposed_convolutions(half_stored())
    small = to_int8(model, [tensor])
    kernels = [numpy_helper.to_array(w) for w in small.graph.initializer if len(w.dims) == 4]
    assert [kernel.dtype for kernel in kernels] == [np.int8] * 4
    # By channel, and of 7 bits: right on processors whose sums of two products saturate at 16 bits.
    assert all((np.abs(kernel.astype(int)).max(axis=(1, 2, 3)) == 64).all() for kernel in kernels)
    exact = outputs_of(model, tensor)
    assert np.abs(outputs_of(small, tensor) - exact).max() < 0.05 * np.abs(exact).max()


def test_what_is_quantised_already_is_not_quantised_again() -> None:
    tensor = np.ones((1, CHANNELS, 8, 6), np.float32)
    small = to_int8(split_transposed_convolutions(half_stored()), [tensor])
    with pytest.raises(ModelError, match=r"already quantised \(it has DequantizeLinear, QuantizeLinear\)"):
        to_int8(small, [tensor])

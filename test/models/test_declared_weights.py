# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Files whose weights lie where they must not, or are not there. Each is looked at on its own, and through what loads it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from pose_resnet_ros.core.errors import ModelError
from pose_resnet_ros.export.onnx_file import load_onnx
from pose_resnet_ros.models.declared_weights import (
    DeclaredTensor,
    check_declared_weights,
    declared_tensors,
    has_weights_elsewhere,
)
from pose_resnet_ros.models.registry import find_model
from pose_resnet_ros.models.runtime import OnnxModel, RunOn

WEIGHTS = np.arange(12, dtype=np.float32).reshape(4, 3, 1, 1)


def model_of(tensor: TensorProto) -> onnx.ModelProto:
    """A convolution with these weights."""
    values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["n", c, 8, 8]) for n, c in (("x", 3), ("y", 4))]
    nodes = [helper.make_node("Conv", ["x", tensor.name], ["y"])]
    graph = helper.make_graph(nodes, "graph", values[:1], values[1:], [tensor])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def external(location: str, dims: Sequence[int] = WEIGHTS.shape) -> TensorProto:
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=dims, data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value=location)
    return tensor


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of models with weights in it, and weights, a link and a pipe that do not belong there."""
    made = tmp_path / "models"
    (made / "sub").mkdir(parents=True)
    for place in (made / "w.bin", made / "sub" / "w.bin", tmp_path / "outside.bin"):
        place.write_bytes(WEIGHTS.tobytes())
    (made / "short.bin").write_bytes(b"1234")
    (made / "link.bin").symlink_to("../outside.bin")
    (made / "up").symlink_to("..")
    (made / "loop").symlink_to("loop")
    os.mkfifo(made / "pipe.bin")
    return made


def written(folder: Path, model: onnx.ModelProto) -> Path:
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString())
    return path


@pytest.mark.parametrize("location", ["w.bin", "sub/w.bin", "./w.bin", "sub/../w.bin"])
def test_weights_beside_the_model_are_read(folder: Path, location: str) -> None:
    path = written(folder, model_of(external(location)))
    (output,) = OnnxModel(path, run_on=RunOn(backend="cpu")).run(np.ones((1, 3, 8, 8), np.float32))
    np.testing.assert_array_equal(output[0, :, 0, 0], WEIGHTS.sum(axis=(1, 2, 3)))
    np.testing.assert_array_equal(numpy_helper.to_array(load_onnx(path).graph.initializer[0]), WEIGHTS)
    assert has_weights_elsewhere(path)


@pytest.mark.parametrize("location", ["../outside.bin", "/etc/hostname", "link.bin", "up/outside.bin", "/dev/zero"])
def test_weights_outside_the_models_folder_are_refused(folder: Path, location: str) -> None:
    path = written(folder, model_of(external(location)))
    for load in (check_declared_weights, load_onnx, lambda p: OnnxModel(p, run_on=RunOn(backend="cpu"))):
        with pytest.raises(ModelError, match=f"refused, its weights would be read from '{location}', outside of its folder"):
            load(path)


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("pipe.bin", "'pipe.bin' is a folder, a pipe or a device"),
        ("sub", "'sub' is a folder"),
        ("", "'' is a folder"),
        ("short.bin", "short.bin: expected at least 48 bytes of weights for model.onnx, got 4"),
        ("a\0b", "which is not a file name"),
    ],
)
def test_weights_in_what_is_no_such_file_are_refused(folder: Path, location: str, said: str) -> None:
    path = written(folder, model_of(external(location)))
    with pytest.raises(ModelError, match=said):
        OnnxModel(path, run_on=RunOn(backend="cpu"))


def test_a_file_of_weights_that_is_missing_is_named_by_the_library(folder: Path) -> None:
    for location in ("none.bin", "loop"):
        with pytest.raises(ModelError, match=r"model\.onnx"):
            OnnxModel(written(folder, model_of(external(location))), run_on=RunOn(backend="cpu"))


def test_a_linked_model_has_its_weights_beside_what_it_links_to(folder: Path) -> None:
    """Hugging Face's cache: both are links into another folder."""
    path = written(folder, model_of(external("w.bin")))
    view = folder.parent / "view"
    view.mkdir()
    for file in (path, folder / "w.bin"):
        (view / file.name).symlink_to(file)
    check_declared_weights(view / "model.onnx")


def test_weights_that_the_file_cannot_hold_are_refused(folder: Path) -> None:
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=(100_000, 3, 100, 100), raw_data=b"1234")
    with pytest.raises(ModelError, match="declares 12000000000 bytes of weights, more than it can hold"):
        OnnxModel(written(folder, model_of(tensor)), run_on=RunOn(backend="cpu"))


def test_weights_beyond_the_memory_are_refused(folder: Path) -> None:
    """A sparse file: it takes no place on the disk."""
    count = 1 << 40
    os.truncate(folder / "w.bin", 4 * count)
    with pytest.raises(ModelError, match=f"has {4 * count} bytes of weights; this machine has"):
        OnnxModel(written(folder, model_of(external("w.bin", (count,)))), run_on=RunOn(backend="cpu"))


def test_every_place_of_a_tensor_is_looked_at(folder: Path) -> None:
    """Initializers, attributes, subgraphs, functions and sparse tensors."""
    inner = helper.make_graph(
        [helper.make_node("Constant", [], ["c"], value=external("inner.bin"))], "inner", [], [], [external("body.bin")]
    )
    model = model_of(external("w.bin"))
    model.graph.node.add(op_type="If").attribute.append(helper.make_attribute("then_branch", inner))
    model.graph.sparse_initializer.add(values=external("sparse.bin"))
    function = model.functions.add(name="f")
    function.node.append(helper.make_node("Constant", [], ["c"], value=external("function.bin")))
    found = {tensor.location for tensor in declared_tensors(written(folder, model))}
    assert found == {"w.bin", "inner.bin", "body.bin", "sparse.bin", "function.bin"}


def test_sizes_that_are_not_packed(tmp_path: Path) -> None:
    """Two fields of one size each (4 and 3), then the type float; as initializer of the graph of a model."""
    path = tmp_path / "model.onnx"
    path.write_bytes(b"\x3a\x08\x2a\x06" + b"\x08\x04\x08\x03\x10\x01")
    assert declared_tensors(path) == [DeclaredTensor(48, None)]


def test_the_sizes_are_those_of_the_package(folder: Path) -> None:
    path = find_model("pose_resnet_lite").path
    expected = [numpy_helper.to_array(tensor).nbytes for tensor in onnx.load(path).graph.initializer]
    found = [tensor.byte_count for tensor in declared_tensors(path)]
    assert sorted(found, reverse=True)[: len(expected)] == sorted(expected, reverse=True)


@pytest.mark.parametrize("content", [b"", b"\xff" * 40, b"<html>", b"\x3a\xff\xff\xff\xff\x0f", b"\x3b"])
def test_what_is_not_onnx_is_refused(folder: Path, content: bytes) -> None:
    path = folder / "model.onnx"
    path.write_bytes(content)
    for load in (check_declared_weights, load_onnx, lambda p: OnnxModel(p, run_on=RunOn(backend="cpu"))):
        with pytest.raises(ModelError, match=r"model\.onnx is not an ONNX model, or only a part of one"):
            load(path)

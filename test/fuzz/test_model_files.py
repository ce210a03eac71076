# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Whatever bytes an ONNX file has: a network, or a ModelError, in everything that opens one."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mutations import mutated
from spot_model import spot_model

from pose_resnet_ros.core.errors import PoseError
from pose_resnet_ros.core.types import Detections
from pose_resnet_ros.export.onnx_file import free_batch
from pose_resnet_ros.models.declared_weights import declared_tensors
from pose_resnet_ros.models.pose_net import PoseNet
from pose_resnet_ros.models.runtime import OnnxModel, RunOn
from pose_resnet_ros.tools.models.model_text import file_description

CPU = RunOn(backend="cpu", threads=1)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return spot_model(tmp_path_factory.mktemp("models") / "model.onnx")


@pytest.fixture(scope="module")
def whole(path: Path) -> bytes:
    return path.read_bytes()


@settings(max_examples=settings.default.max_examples // 2)
@given(data=st.data())
def test_damaged_bytes_are_a_network_or_refused(path: Path, whole: bytes, data: st.DataObject) -> None:
    path.write_bytes(data.draw(mutated([whole])))
    for use in (_run, free_batch, file_description):
        with suppress(PoseError):
            use(path)


@given(data=st.data())
def test_damaged_bytes_declare_tensors_or_are_no_protobuf(path: Path, whole: bytes, data: st.DataObject) -> None:
    path.write_bytes(data.draw(mutated([whole]) | st.binary(max_size=50)))
    try:
        tensors = declared_tensors(path)
    except ValueError:
        return
    assert all(tensor.byte_count >= 0 for tensor in tensors)


SIZES = st.sampled_from((None, 0, 1, 2, 3, 48, 64)) | st.integers(-1, 2**40)
TYPES = st.sampled_from((1, 1, 1, 2, 7, 8, 9, 10, 11))
OPERATORS = st.sampled_from(("Reshape", "Constant", "Cast", "Conv", "Identity", "ReduceMax", "ConvTranspose"))


@settings(max_examples=settings.default.max_examples // 2)
@given(data=st.data())
def test_another_graph_is_run_or_refused(path: Path, whole: bytes, data: st.DataObject) -> None:
    """A file that is sound as protobuf, whose shapes, types and nodes are others."""
    model = onnx.load_from_string(whole)
    for value in (*model.graph.input, *model.graph.output):
        _change_shape(data, value)
    for node in model.graph.node:
        if data.draw(st.integers(0, 2)) == 0:
            _change_node(data, node)
    if data.draw(st.integers(0, 9)) == 0:
        del model.graph.input[:]
    path.write_bytes(model.SerializeToString())
    for use in (_run, free_batch, file_description):
        with suppress(PoseError):
            use(path)


def _change_shape(data: st.DataObject, value: onnx.ValueInfoProto) -> None:
    shape = [dim.dim_value or None for dim in value.type.tensor_type.shape.dim]
    shape[0] = data.draw(st.sampled_from((None, 1, 2)))
    if data.draw(st.booleans()):
        shape[data.draw(st.integers(0, 3))] = data.draw(SIZES)
    if data.draw(st.integers(0, 9)) == 0:
        del shape[data.draw(st.integers(0, 3)) :]
    dtype = data.draw(TYPES)
    value.CopyFrom(onnx.helper.make_tensor_value_info(value.name, dtype, shape))


def _change_node(data: st.DataObject, node: onnx.NodeProto) -> None:
    node.op_type = data.draw(st.just(node.op_type) | OPERATORS)
    if data.draw(st.booleans()):
        del node.input[data.draw(st.integers(0, 1)) :]
    if data.draw(st.booleans()):
        del node.attribute[data.draw(st.integers(0, 1)) :]


def _run(path: Path) -> None:
    OnnxModel(path, run_on=CPU).close()
    net = PoseNet(path, run_on=CPU)
    boxes = Detections(np.array([[3, 4, 30, 60]], np.float32), np.ones(1, np.float32))
    people = net.estimate(np.zeros((64, 64, 3), np.uint8), boxes).people
    net.close()
    assert np.isfinite(people.keypoints_xy).all()

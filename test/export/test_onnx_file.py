# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from known_models import constant_answers, save
from onnx import TensorProto, helper, numpy_helper

from pose_resnet_ros.core.errors import ModelError
from pose_resnet_ros.export.onnx_file import free_batch, load_onnx, run_one_by_one


def like_yolox(path: Path, *, batch: int = 1) -> Path:
    """(1, 3, 8, 8) -> a convolution, its cells as rows: Reshape to (1, 4, 16) with a constant, Transpose, as YOLOX has it."""
    rng = np.random.default_rng(0)
    nodes = [
        helper.make_node("Conv", ["images", "kernel"], ["grid"], strides=[2, 2], kernel_shape=[2, 2]),
        helper.make_node("Constant", [], ["shape"], value=numpy_helper.from_array(np.array([batch, 4, 16]))),
        helper.make_node("Reshape", ["grid", "shape"], ["cells"]),
        helper.make_node("Transpose", ["cells"], ["rows"], perm=[0, 2, 1]),
    ]
    kernel = rng.standard_normal((4, 3, 2, 2)).astype(np.float32)
    save(path, nodes, inputs={"images": (batch, 3, 8, 8)}, outputs=["rows"], constants={"kernel": kernel})
    model = onnx.load(path)
    model.graph.output[0].CopyFrom(helper.make_tensor_value_info("rows", TensorProto.FLOAT, (batch, 16, 4)))
    onnx.save(model, path)
    return path


def test_a_fixed_batch_is_set_free(tmp_path: Path) -> None:
    path = like_yolox(tmp_path / "net.onnx")
    free = free_batch(path)
    tensor = np.random.default_rng(1).random((3, 3, 8, 8), np.float32)
    session = onnxruntime.InferenceSession(free.SerializeToString(), providers=["CPUExecutionProvider"])
    assert session.get_inputs()[0].shape == ["N", 3, 8, 8]
    (rows,) = session.run(None, {"images": tensor})
    assert rows.shape == (3, 16, 4)
    np.testing.assert_allclose(rows, run_one_by_one(load_onnx(path), tensor)[0], atol=1e-6)


def test_a_free_batch_stays_as_it_is(tmp_path: Path) -> None:
    path = constant_answers(tmp_path / "net.onnx", {"heatmaps": np.zeros((1, 17, 2, 2))}, spec=None)
    assert free_batch(path) == onnx.load(path)


def test_a_graph_that_mixes_persons_is_refused(tmp_path: Path) -> None:
    """The mean over all axes, the batch among them."""
    nodes = [helper.make_node("ReduceMean", ["input"], ["mean"], keepdims=1)]
    save(tmp_path / "net.onnx", nodes, inputs={"input": (1, 3, 8, 8)}, outputs=["mean"])
    model = onnx.load(tmp_path / "net.onnx")
    model.graph.output[0].CopyFrom(helper.make_tensor_value_info("mean", TensorProto.FLOAT, (1, 1, 1, 1)))
    onnx.save(model, tmp_path / "net.onnx")
    with pytest.raises(ModelError, match="depends on its batch of 1; use the file as it is"):
        free_batch(tmp_path / "net.onnx")


def test_a_fixed_batch_of_two_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="depends on its batch of 2"):
        free_batch(like_yolox(tmp_path / "net.onnx", batch=2))


def test_a_reshape_by_a_computed_size_is_refused(tmp_path: Path) -> None:
    """Flattened to one row whatever the batch: only running it tells."""
    nodes = [
        helper.make_node("Constant", [], ["shape"], value=numpy_helper.from_array(np.array([-1, 192]))),
        helper.make_node("Reshape", ["input", "shape"], ["flat"]),
        helper.make_node("Gather", ["flat", "first"], ["row"], axis=0),
    ]
    constants = {"first": np.zeros(1, np.int64)}
    save(tmp_path / "net.onnx", nodes, inputs={"input": (1, 3, 8, 8)}, outputs=["row"], constants=constants)
    model = onnx.load(tmp_path / "net.onnx")
    model.graph.output[0].CopyFrom(helper.make_tensor_value_info("row", TensorProto.FLOAT, (1, 192)))
    onnx.save(model, tmp_path / "net.onnx")
    with pytest.raises(ModelError, match="depends on its batch of 1"):
        free_batch(tmp_path / "net.onnx")


@pytest.mark.parametrize("content", [b"", b"not a model", b"\x08\x08\x12"])
def test_a_file_that_is_not_onnx_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "net.onnx").write_bytes(content)
    with pytest.raises(ModelError, match="is not an ONNX model, or only a part of one"):
        load_onnx(tmp_path / "net.onnx")

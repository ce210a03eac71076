# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import logging
import threading
from pathlib import Path

import known_models
import numpy as np
import onnx
import pytest

from pose_resnet_ros.core.errors import InferenceCancelled, ModelError
from pose_resnet_ros.models.runtime import Canceller, OnnxModel, RunOn

CPU = RunOn(backend="cpu")


def numbered(count: int) -> np.ndarray:
    """(count, 3, 8, 8), the k-th filled with k."""
    return np.broadcast_to(np.arange(count, dtype=np.float32)[:, None, None, None], (count, 3, 8, 8)).copy()


def echo(path: Path, *, batch: int | str = "n") -> Path:
    """A network that gives its input back, and the number of rows it was called with."""
    nodes = [
        onnx.helper.make_node("Identity", ["input"], ["same"]),
        onnx.helper.make_node("Shape", ["input"], ["shape"], end=1),
        onnx.helper.make_node("Cast", ["shape"], ["rows"], to=onnx.TensorProto.FLOAT),
        onnx.helper.make_node("Expand", ["rows", "shape"], ["batch"]),
    ]
    return known_models.save(path, nodes, inputs={"input": (batch, 3, 8, 8)}, outputs=["same", "batch"])


@pytest.mark.parametrize(("count", "batches"), [(1, [1]), (4, [4] * 4), (5, [4] * 4 + [1]), (9, [4] * 8 + [1])])
def test_rows_are_run_in_batches_and_stay_in_order(tmp_path: Path, count: int, batches: list[int]) -> None:
    model = OnnxModel(echo(tmp_path / "echo.onnx"), run_on=RunOn(backend="cpu", max_batch=4))
    same, batch = model.run(numbered(count))
    np.testing.assert_array_equal(same, numbered(count))
    np.testing.assert_array_equal(batch, batches)


@pytest.mark.parametrize(("fixed", "count"), [(1, 1), (1, 3), (4, 3), (4, 4), (4, 6)])
def test_a_fixed_batch_is_looped_or_filled_up(tmp_path: Path, fixed: int, count: int) -> None:
    model = OnnxModel(echo(tmp_path / "echo.onnx", batch=fixed), run_on=CPU)
    same, batch = model.run(numbered(count))
    np.testing.assert_array_equal(same, numbered(count))
    np.testing.assert_array_equal(batch, [fixed] * count)


def test_a_fixed_batch_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        model = OnnxModel(echo(tmp_path / "echo.onnx", batch=1), run_on=CPU)
        model.run(numbered(3))
        model.run(numbered(3))
    assert [record.message for record in caplog.records] == [
        "echo.onnx has a fixed batch of 1: larger batches take several runs; an export with a free batch axis is faster"
    ]


def test_a_fixed_batch_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="has a fixed batch of 100000000; expected at most 256"):
        OnnxModel(echo(tmp_path / "echo.onnx", batch=100_000_000), run_on=CPU)


def test_half_precision_weights_are_unpacked(tmp_path: Path) -> None:
    nodes = [
        onnx.helper.make_node("Cast", ["half"], ["weights"], to=onnx.TensorProto.FLOAT),
        onnx.helper.make_node("Conv", ["input", "weights"], ["sum"]),
    ]
    half = np.full((1, 3, 8, 8), 0.5, np.float16)
    path = known_models.save(
        tmp_path / "half.onnx", nodes, inputs={"input": ("n", 3, 8, 8)}, outputs=["sum"], constants={"half": half}
    )
    (out,) = OnnxModel(path, run_on=CPU).run(numbered(3))
    np.testing.assert_allclose(out.ravel(), [0, 96, 192])


@pytest.mark.parametrize(
    "content", [b"", b"<html><body>404 not found</body></html>", bytes(range(256)) * 40], ids=["empty", "a web page", "noise"]
)
def test_a_file_that_is_no_model_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"broken\.onnx is not an ONNX model.* fetch or export it again"):
        OnnxModel(path, run_on=CPU)


@pytest.mark.parametrize("kept", [0.01, 0.5, 0.999])
def test_a_truncated_model_is_named(tmp_path: Path, kept: float) -> None:
    whole = known_models.pose_net(tmp_path / "whole.onnx").read_bytes()
    path = tmp_path / "cut.onnx"
    path.write_bytes(whole[: int(kept * len(whole))])
    with pytest.raises(ModelError, match=r"cut\.onnx is not an ONNX model, or only a part of one"):
        OnnxModel(path, run_on=CPU)


def test_an_unknown_operator_is_named(tmp_path: Path) -> None:
    node = onnx.helper.make_node("NoSuchOperator", ["input"], ["out"])
    path = known_models.save(tmp_path / "strange.onnx", [node], inputs={"input": ("n", 3, 8, 8)}, outputs=["out"])
    with pytest.raises(ModelError, match=r"strange\.onnx: this onnxruntime .* cannot load the model: .*NoSuchOperator"):
        OnnxModel(path, run_on=CPU)


def test_a_wrong_input_is_refused_with_the_file_named(tmp_path: Path) -> None:
    model = OnnxModel(echo(tmp_path / "echo.onnx"), run_on=CPU)
    with pytest.raises(ModelError, match=r"echo\.onnx: onnxruntime could not run the network"):
        model.run(np.zeros((1, 3, 9, 8), np.float32))
    assert len(model.run(numbered(2))[0]) == 2


def test_nothing_is_printed_by_onnxruntime(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    model = OnnxModel(echo(tmp_path / "echo.onnx"), run_on=CPU)
    with pytest.raises(ModelError):
        model.run(np.zeros((1, 3, 9, 8), np.float32))
    (tmp_path / "broken.onnx").write_bytes(b"nothing")
    with pytest.raises(ModelError):
        OnnxModel(tmp_path / "broken.onnx", run_on=CPU)
    assert capfd.readouterr() == ("", "")


def test_a_run_is_cancelled_in_the_middle(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    canceller = Canceller()
    # Most of a minute of work, in steps of a tenth of a second.
    path = known_models.slow(tmp_path / "slow.onnx", steps=300)
    model = OnnxModel(path, run_on=RunOn(backend="cpu", canceller=canceller))
    raised: list[Exception] = []

    def work() -> None:
        try:
            model.run(numbered(1))
        except InferenceCancelled as error:
            raised.append(error)

    worker = threading.Thread(target=work)
    worker.start()
    worker.join(timeout=0.5)
    assert worker.is_alive()
    canceller.cancel()
    worker.join(timeout=300)
    assert not worker.is_alive()
    assert len(raised) == 1
    assert capfd.readouterr() == ("", "")


def test_cancelled_stays_cancelled_until_resumed(tmp_path: Path) -> None:
    canceller = Canceller()
    model = OnnxModel(echo(tmp_path / "echo.onnx"), run_on=RunOn(backend="cpu", canceller=canceller))
    canceller.cancel()
    for _ in range(2):
        with pytest.raises(InferenceCancelled):
            model.run(numbered(1))
    canceller.resume()
    assert len(model.run(numbered(1))[0]) == 1


def test_outputs_without_a_batch_axis_are_refused(tmp_path: Path) -> None:
    nodes = [onnx.helper.make_node("ReduceMean", ["input"], ["mean"], keepdims=0)]
    path = known_models.save(tmp_path / "mean.onnx", nodes, inputs={"input": (4, 3, 8, 8)}, outputs=["mean"])
    with pytest.raises(ModelError, match="expected outputs with a batch axis"):
        OnnxModel(path, run_on=CPU).run(numbered(3))


def test_outputs_that_are_no_tensors_are_refused(tmp_path: Path) -> None:
    path = known_models.save(
        tmp_path / "list.onnx",
        [onnx.helper.make_node("SequenceConstruct", ["input"], ["list"])],
        inputs={"input": ("n", 3, 8, 8)},
        outputs=["list"],
    )
    model = onnx.load(path)
    tensor = onnx.helper.make_tensor_type_proto(onnx.TensorProto.FLOAT, None)
    model.graph.output[0].type.CopyFrom(onnx.helper.make_sequence_type_proto(tensor))
    onnx.save(model, path)
    with pytest.raises(ModelError, match=r"expected outputs that are tensors, the file has 'list'.*seq\(tensor\(float\)\)"):
        OnnxModel(path, run_on=CPU)


def test_metadata_that_is_no_text_is_refused(tmp_path: Path) -> None:
    """Protobuf's own readers refuse such a file, onnxruntime loads it."""
    path = echo(tmp_path / "echo.onnx")
    model = onnx.load(path)
    onnx.helper.set_model_props(model, {"key": "a text"})
    path.write_bytes(model.SerializeToString().replace(b"a text", b"a\x80text"))
    with pytest.raises(ModelError, match=r"echo\.onnx: expected names and metadata in UTF-8"):
        OnnxModel(path, run_on=CPU)

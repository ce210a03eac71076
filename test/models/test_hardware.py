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

from pose_resnet_ros.models import hardware
from pose_resnet_ros.models.hardware import cuda_smoke_test, nodes_on_cpu, session_options, share_cores, warn_of_cpu_fallback
from pose_resnet_ros.models.registry import WEIGHTS_FOLDER
from pose_resnet_ros.settings import LoadSettings


@pytest.fixture(autouse=True)
def _ask_anew():
    hardware.cpu_flags.cache_clear()
    yield
    hardware.cpu_flags.cache_clear()


@pytest.mark.parametrize(
    ("siblings", "cores"),
    [(["0", "1"], 2), (["0,4", "1,5", "0,4", "1,5"], 2), ([None, None, None], 3)],
    ids=["none", "hyper-threads", "does not tell"],
)
def test_physical_cores_that_this_process_may_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, siblings: list[str | None], cores: int
) -> None:
    for cpu, text in enumerate(siblings):
        if text is not None:
            (tmp_path / f"cpu{cpu}").write_text(f"{text}\n")
    monkeypatch.setattr(hardware, "_SIBLINGS", f"{tmp_path}/cpu{{}}")
    monkeypatch.setattr(hardware.os, "sched_getaffinity", lambda _: set(range(len(siblings))), raising=False)
    assert hardware.physical_cores() == cores
    monkeypatch.delattr(hardware.os, "sched_getaffinity")
    assert hardware.physical_cores() >= 1


@pytest.mark.parametrize(
    ("backend", "threads", "streams", "expected"),
    [
        ("auto", 0, 1, (1, 0)),
        ("auto", 0, 3, (3, 2)),
        ("cpu", 0, 9, (6, 1)),
        ("cpu", 4, 2, (2, 4)),
        ("cuda", 0, 4, (1, 0)),
        ("openvino", 0, 4, (1, 0)),
    ],
)
def test_streams_share_the_cores(
    monkeypatch: pytest.MonkeyPatch, backend: str, threads: int, streams: int, expected: tuple[int, int]
) -> None:
    monkeypatch.setattr(hardware, "physical_cores", lambda: 6)
    frames, load = share_cores(LoadSettings(backend=backend, threads=threads), streams=streams)
    assert (frames, load.threads) == expected


@pytest.mark.parametrize(
    ("flags", "machine", "fast", "saturates"),
    [
        ("flags\t\t: fpu sse4_2 avx", "x86_64", False, True),
        ("flags\t\t: fpu sse4_2 avx avx2 fma", "x86_64", True, True),
        ("flags\t\t: fpu avx2 avx512f avx512vl", "x86_64", True, True),
        ("flags\t\t: fpu avx2 avx512f avx512_vnni avx512_bitalg", "x86_64", True, False),
        ("flags\t\t: fpu avx2 fma avx_vnni", "x86_64", True, False),
        ("Features\t: fp asimd asimdhp asimddp", "aarch64", False, False),
        ("", "AMD64", False, True),
    ],
    ids=["AVX", "AVX2", "Skylake-X", "AVX-512", "Alder Lake", "Arm", "does not tell"],
)
def test_the_flags_tell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: str, machine: str, fast: bool, saturates: bool
) -> None:
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\nvendor_id\t: any\n{flags}\nbugs\t\t: avx_vnni\n")
    monkeypatch.setattr(hardware, "_CPUINFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(hardware.platform, "machine", lambda: machine)
    assert hardware.is_fast_at_int8() is fast
    assert hardware.saturates_at_int8() is saturates


def test_a_system_that_does_not_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "_CPUINFO", tmp_path / "cpuinfo")
    assert hardware.cpu_flags() == frozenset()
    assert hardware.is_fast_at_int8() is False


def test_the_file_of_the_smoke_test_is_the_convolution_that_is_described() -> None:
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "w"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 2, 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1, 1, 1])],
        [helper.make_tensor("w", TensorProto.FLOAT, [1, 1, 2, 2], [1, 2, 3, 4])],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=6)
    assert onnx.load(WEIGHTS_FOLDER / "cuda_smoke_test.onnx") == made


def test_the_smoke_test_adds_up() -> None:
    assert cuda_smoke_test(session_options(1), [("CPUExecutionProvider", {})]) == 10


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
    assert nodes_on_cpu(opened) == (Counter({"Sin": 1, "Softmax": 1}) if can_tell else Counter())
    with caplog.at_level(logging.WARNING):
        warn_of_cpu_fallback(opened, Path("some.onnx"))
    assert ("some.onnx: a part runs on the CPU" in caplog.text) == can_tell
    assert ("(1 Sin, 1 Softmax)" in caplog.text) == can_tell


def test_an_older_onnxruntime_cannot_tell(caplog: pytest.LogCaptureFixture) -> None:
    warn_of_cpu_fallback(object(), Path("some.onnx"))  # type: ignore[arg-type]
    assert caplog.text == ""

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import logging
import sys
from pathlib import Path

import known_models
import numpy as np
import onnxruntime as ort
import pytest

from pose_resnet_ros.core.errors import BackendError, ModelError
from pose_resnet_ros.models import backends
from pose_resnet_ros.models.backends import first_line, open_session
from pose_resnet_ros.models.hardware import session_options
from pose_resnet_ros.models.pose_net import PoseNet
from pose_resnet_ros.models.runtime import OnnxModel, RunOn


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return known_models.pose_net(tmp_path / "pose.onnx")


def test_the_cpu_is_granted(path: Path) -> None:
    session, selected = open_session(path, backend="cpu", device_id=0, threads=1)
    assert session.get_providers() == ["CPUExecutionProvider"]
    assert (selected.backend, selected.provider, selected.reason) == ("cpu", "CPUExecutionProvider", "as requested")


@pytest.mark.parametrize(
    ("backend", "provider", "cure"),
    [
        ("cuda", "CUDAExecutionProvider", "onnxruntime-gpu"),
        ("tensorrt", "TensorrtExecutionProvider", "tensorrt-cu13<11"),
        ("openvino", "OpenVINOExecutionProvider", "onnxruntime-openvino"),
    ],
)
def test_a_provider_that_is_not_built_in_is_refused_with_the_cure(
    path: Path, monkeypatch: pytest.MonkeyPatch, backend: str, provider: str, cure: str
) -> None:
    there = [name for name in ort.get_available_providers() if name != provider]
    monkeypatch.setattr(ort, "get_available_providers", lambda: there)
    with pytest.raises(BackendError, match=f"backend '{backend}' is not in this onnxruntime .*install.*{cure}"):
        open_session(path, backend=backend, device_id=0, threads=1)


def test_a_provider_that_is_lost_in_silence_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A GPU build without driver or libraries: the provider is listed, the session quietly gets the CPU.
    listed = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(ort, "get_available_providers", lambda: listed)
    real = ort.InferenceSession

    def without_cuda(file: str, options: ort.SessionOptions, **_: object) -> ort.InferenceSession:
        return real(file, options, providers=["CPUExecutionProvider"])

    monkeypatch.setattr(ort, "InferenceSession", without_cuda)
    with pytest.raises(BackendError, match=r"backend 'cuda' could not start on device 0 .*install onnxruntime-gpu"):
        open_session(path, backend="cuda", device_id=0, threads=1)


def test_a_provider_that_fails_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ort, "get_available_providers", lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"])

    def failing(*_: object, **__: object) -> None:
        raise RuntimeError("CUDA failure 101: invalid device ordinal\nsecond line")

    monkeypatch.setattr(ort, "InferenceSession", failing)
    with pytest.raises(BackendError, match=r"backend 'cuda' failed on device 3: CUDA failure 101: invalid device ordinal; "):
        open_session(path, backend="cuda", device_id=3, threads=1)


# As onnxruntime-gpu 1.31.1 says it where cuDNN is not installed.
NO_CUDNN = (
    "[ONNXRuntimeError] : 9 : NOT_IMPLEMENTED : Non-zero status code returned while running Conv node. Name:'' Status Message:"
    " /onnxruntime_src/onnxruntime/core/providers/cuda/cuda_kernel.h:296 static cudnnContext* onnxruntime::cuda::CudaKernel::"
    "RequireCudnnHandle(cudnnHandle_t) [ONNXRuntimeError] : 9 : NOT_IMPLEMENTED : cuDNN is unavailable or disabled for CUDA"
    " Execution Provider: dlopen failed for libcudnn.so"
)


@pytest.fixture
def without_cudnn(monkeypatch: pytest.MonkeyPatch) -> None:
    """No GPU here: a CPU session says that it is CUDA's, and cannot run, as one without cuDNN."""
    listed = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(ort, "get_available_providers", lambda: listed)
    real = ort.InferenceSession

    class Session(real):  # type: ignore[misc, valid-type]
        def __init__(self, model: str | bytes, options: ort.SessionOptions, *, providers: list, **_: object) -> None:
            self.claimed = [name if isinstance(name, str) else name[0] for name in providers]
            super().__init__(model, options, providers=["CPUExecutionProvider"])

        def get_providers(self) -> list[str]:
            return self.claimed

        def run(self, *given: object) -> list[np.ndarray]:
            if "CUDAExecutionProvider" in self.claimed:
                raise RuntimeError(NO_CUDNN)
            return super().run(*given)

    monkeypatch.setattr(ort, "InferenceSession", Session)
    backends._require_convolution.cache_clear()


@pytest.mark.usefixtures("without_cudnn")
def test_cuda_that_starts_but_cannot_compute_is_refused(path: Path) -> None:
    with pytest.raises(
        BackendError, match=r"^backend 'cuda' failed on device 0: cuDNN is unavailable .*libcudnn\.so; install .*\[cuda,cudnn\]"
    ):
        open_session(path, backend="cuda", device_id=0, threads=1)


@pytest.mark.usefixtures("without_cudnn")
def test_auto_does_not_take_a_gpu_that_cannot_compute(path: Path) -> None:
    session, selected = open_session(path, backend="auto", device_id=0, threads=1)
    assert session.get_providers() == ["CPUExecutionProvider"]
    assert selected.backend == "cpu"
    assert "cuDNN is unavailable" in selected.reason


def test_a_failed_cuda_call_is_told_without_its_place_in_the_sources() -> None:
    error = RuntimeError(
        "Error in execution: /onnxruntime_src/onnxruntime/core/providers/cuda/cuda_call.cc:154 std::conditional_t<THRW, void>"
        " onnxruntime::CudaCall(ERRTYPE, const char*) CUDA failure 901: operation failed due to a previous error during capture"
        " ; GPU=0 ; hostname=robot ; file=cuda_graph.cc ; line=84 ; expr=cudaStreamEndCapture(stream_, &graph_);"
    )
    assert first_line(error) == ("Error in execution: CUDA failure 901: operation failed due to a previous error during capture")


@pytest.mark.parametrize(
    ("device_id", "options"),
    [(0, {"cudnn_conv_algo_search": "HEURISTIC"}), (2, {"device_id": 2, "cudnn_conv_algo_search": "HEURISTIC"})],
)
def test_the_first_gpu_is_not_named(device_id: int, options: dict[str, object]) -> None:
    """It is the default, and onnxruntime 1.26 and later warn of every name of a device that no plugin has."""
    assert backends._provider_options("CUDAExecutionProvider", device_id, 1) == options


def test_a_broken_file_is_not_taken_for_a_missing_gpu(tmp_path: Path) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"nothing")
    with pytest.raises(ModelError, match=r"broken\.onnx is not an ONNX model"):
        open_session(broken, backend="auto", device_id=0, threads=1)


def test_auto_falls_back_and_says_so(path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(ort, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with caplog.at_level(logging.INFO):
        session, selected = open_session(path, backend="auto", device_id=0, threads=1)
    assert session.get_providers() == ["CPUExecutionProvider"]
    assert selected.backend == "cpu"
    assert selected.reason.startswith("auto: no GPU")
    assert "pose.onnx runs on the CPU (auto: no GPU" in caplog.text


@pytest.fixture
def tensorrt(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[dict[str, object]]:
    """TensorRT cannot be had here: the CPU stands in. The options that its provider would have got, session by session."""
    listed = ["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(ort, "get_available_providers", lambda: listed)
    monkeypatch.setenv("POSE_RESNET_ROS_HOME", str(tmp_path / "home"))
    given: list[dict[str, object]] = []
    real = ort.InferenceSession

    class Session(real):  # type: ignore[misc, valid-type]
        def __init__(self, model: str, options: ort.SessionOptions, *, providers: list, **_: object) -> None:
            given.append(dict(providers)["TensorrtExecutionProvider"])
            super().__init__(model, options, providers=["CPUExecutionProvider"])

        def get_providers(self) -> list[str]:
            return listed

    monkeypatch.setattr(ort, "InferenceSession", Session)
    return given


def test_tensorrt_keeps_engines_by_content_and_timings_together(
    path: Path, tensorrt: list[dict[str, object]], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    open_session(path, backend="tensorrt", device_id=1, threads=1)
    known_models.pose_net(path, score=0.8)  # other weights under the same name
    open_session(path, backend="tensorrt", device_id=1, threads=1)
    home = tmp_path / "home" / "tensorrt"
    assert [options["trt_timing_cache_path"] for options in tensorrt] == [str(home)] * 2
    first, second = (Path(str(options["trt_engine_cache_path"])) for options in tensorrt)
    assert first != second
    assert first.parent == second.parent == home
    assert first.is_dir()
    assert tensorrt[0]["trt_engine_cache_enable"]
    assert tensorrt[0]["trt_timing_cache_enable"]
    assert tensorrt[0]["device_id"] == 1
    assert "pose.onnx: TensorRT is building its engine, which takes minutes; it is cached in" in caplog.text


@pytest.mark.usefixtures("tensorrt")
def test_the_libraries_of_tensorrts_pip_package_are_loaded(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its package loads them on import; the real one has gigabytes."""
    (tmp_path / "tensorrt_libs.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "tensorrt_libs", raising=False)
    open_session(path, backend="tensorrt", device_id=0, threads=1)
    assert sys.modules.pop("tensorrt_libs").__file__ == str(tmp_path / "tensorrt_libs.py")


def test_tensorrt_is_silent_where_its_engine_is_there(
    path: Path, tensorrt: list[dict[str, object]], caplog: pytest.LogCaptureFixture
) -> None:
    open_session(path, backend="tensorrt", device_id=0, threads=1)
    (Path(str(tensorrt[0]["trt_engine_cache_path"])) / "kernel.engine").touch()
    caplog.clear()
    open_session(path, backend="tensorrt", device_id=0, threads=1)
    assert "TensorRT is building" not in caplog.text


@pytest.mark.usefixtures("tensorrt")
def test_a_network_that_the_gpu_does_not_take_is_named(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    open_session(path, backend="tensorrt", device_id=0, threads=1)  # the CPU stands in: all of it is there
    can_tell = hasattr(ort.InferenceSession, "get_provider_graph_assignment_info")  # onnxruntime 1.24
    assert ("pose.onnx: a part runs on the CPU, with copies to and from the GPU" in caplog.text) == can_tell


def test_tensorrt_builds_for_every_batch_at_once(
    path: Path, tensorrt: list[dict[str, object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    counts: list[int] = []
    real = OnnxModel.run

    def counting(model: OnnxModel, tensor: np.ndarray) -> list[np.ndarray]:
        counts.append(len(tensor))
        return real(model, tensor)

    monkeypatch.setattr(OnnxModel, "run", counting)
    PoseNet(path, run_on=RunOn(backend="tensorrt", max_batch=8))
    assert counts == [8, 1]


@pytest.mark.parametrize(("threads", "options"), [(0, {}), (3, {"num_of_threads": "3"})])
def test_openvino_keeps_to_the_threads_it_is_given(
    path: Path, monkeypatch: pytest.MonkeyPatch, threads: int, options: dict[str, str]
) -> None:
    """Its wheel takes the place of the one that is tested here: the CPU stands in."""
    listed = ["OpenVINOExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(ort, "get_available_providers", lambda: listed)
    given: list[tuple[str, dict[str, str]]] = []
    real = ort.InferenceSession

    class Session(real):  # type: ignore[misc, valid-type]
        def __init__(self, model: str, options: ort.SessionOptions, *, providers: list, **_: object) -> None:
            given.extend(providers)
            super().__init__(model, options, providers=["CPUExecutionProvider"])

        def get_providers(self) -> list[str]:
            return listed

    monkeypatch.setattr(ort, "InferenceSession", Session)
    _, selected = open_session(path, backend="openvino", device_id=0, threads=threads)
    assert selected.provider == "OpenVINOExecutionProvider"
    assert given == [("OpenVINOExecutionProvider", options), ("CPUExecutionProvider", {})]


def test_threads_wait_for_each_other_a_moment_only() -> None:
    options = session_options(2)
    assert options.intra_op_num_threads == 2
    assert options.get_session_config_entry("session.force_spinning_stop") == "1"
    assert options.get_session_config_entry("session.intra_op.spin_duration_us") == "100"

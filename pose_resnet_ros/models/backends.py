# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Opens onnxruntime sessions on the requested execution provider, or raises BackendError.

onnxruntime itself falls back to the CPU silently; here only ``auto`` does, and it logs why.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnxruntime as ort

from pose_resnet_ros.core.errors import BackendError, ModelError
from pose_resnet_ros.core.library_setup import logger_of
from pose_resnet_ros.models.declared_weights import check_declared_weights
from pose_resnet_ros.models.hardware import cuda_smoke_test, session_options, warn_of_cpu_fallback
from pose_resnet_ros.models.model_folder import models_folder

_log = logger_of(__name__)

_CPU = "CPUExecutionProvider"
_CUDA = "CUDAExecutionProvider"
_TENSORRT = "TensorrtExecutionProvider"
_OPENVINO = "OpenVINOExecutionProvider"
# Cut from onnxruntime's messages: codes and function names at the start, the place of a failed CUDA call at the end.
_NOISE = tuple(
    re.compile(part) for part in (r".*\[ONNXRuntimeError\] : \d+ : \w+ : ", r"/\S*\.\w+:\d+ .*(?=CU\w+ failure \d)", r" ; GPU=.*")
)
# Words of onnxruntime's messages; the last of each is from before 1.18.
_NO_MODEL = ("Protobuf", "No graph", "does not have a graph")
_DATA_ELSEWHERE = ("xternal data", "GetFileLength for")
# In order of preference: nodes that the first cannot run go to the next.
_PROVIDERS = {"cpu": (_CPU,), "cuda": (_CUDA, _CPU), "tensorrt": (_TENSORRT, _CUDA, _CPU), "openvino": (_OPENVINO, _CPU)}
_CURE = {
    "cpu": "install onnxruntime",
    "cuda": "install onnxruntime-gpu in place of onnxruntime (pip uninstall onnxruntime;"
    " pip install 'onnxruntime-gpu[cuda,cudnn]'), with an NVIDIA driver for its CUDA",
    "tensorrt": "install onnxruntime-gpu in place of onnxruntime, and TensorRT 10 as its CUDA (pip install 'tensorrt-cu13<11',"
    " or 'tensorrt-cu12<11')",
    "openvino": "install onnxruntime-openvino in place of onnxruntime",
}


@dataclass(frozen=True)
class SelectedProvider:
    """What a session runs on: our name of the backend, onnxruntime's name of the provider, and why it was selected."""

    backend: str
    provider: str
    reason: str


def open_composed(
    model: bytes, *, path: Path, backend: str, device_id: int, threads: int, more: Mapping[str, Any] | None = None
) -> ort.InferenceSession:
    """Open a model from memory on a backend by name (not ``auto``); more: further options of that backend's provider.

    path: the file that it was made from, for messages. Raises as ``open_session``.
    """
    return _open_on(path, backend, device_id, threads, content=model, more=more)


def open_session(
    path: Path, *, backend: str, device_id: int, threads: int, path_on_cpu: Path | None = None
) -> tuple[ort.InferenceSession, SelectedProvider]:
    """Open an ONNX file on a backend (``auto``, ``cpu``, ``cuda``, ``tensorrt`` or ``openvino``).

    path_on_cpu: the file to open instead on the CPU; None: the same.
    Raises BackendError if the backend cannot be used, ModelError if the file cannot be read.
    """
    path_on_cpu = path_on_cpu or path
    if backend != "auto":
        chosen = path_on_cpu if backend == "cpu" else path
        selected = SelectedProvider(backend, _PROVIDERS[backend][0], "as requested")
        return _open_on(chosen, backend, device_id, threads), selected
    try:
        return _open_on(path, "cuda", device_id, threads), SelectedProvider("cuda", _CUDA, "auto: a GPU was found")
    except BackendError as error:
        reason = str(error).split(";")[0]  # without what to install: nobody asked for a GPU
        selected = SelectedProvider("cpu", _CPU, f"auto: no GPU, {reason}")
    _log.info("%s runs on the CPU (%s)", path_on_cpu.name, selected.reason)
    return _open_on(path_on_cpu, "cpu", device_id, threads), selected


def _open_on(
    path: Path, backend: str, device_id: int, threads: int, *, content: bytes | None = None, more: Mapping[str, Any] | None = None
) -> ort.InferenceSession:
    wanted = _PROVIDERS[backend][0]
    if wanted not in ort.get_available_providers():
        raise BackendError(f"backend '{backend}' is not in this onnxruntime {ort.__version__}; {_CURE[backend]}")
    if content is None:
        check_declared_weights(path)
    _preload_libraries(backend)
    names = [name for name in _PROVIDERS[backend] if name in ort.get_available_providers()]
    providers = [(name, _provider_options(name, device_id, threads)) for name in names]
    if backend == "tensorrt":
        providers[0][1].update(_tensorrt_caches(path, content))
    providers[0][1].update(more or {})
    try:
        # enable_fallback=0: onnxruntime's own fallback would print, and change the provider.
        session = ort.InferenceSession(content or str(path), session_options(threads), providers=providers, enable_fallback=0)
    except Exception as error:  # onnxruntime's exceptions share no base class below Exception
        if backend == "cpu" or _is_about_the_file(error):
            raise _unreadable(path, error) from error
        raise _refusal(backend, device_id, error) from error
    if wanted not in session.get_providers():
        raise BackendError(f"backend '{backend}' could not start on device {device_id} (libraries or driver); {_CURE[backend]}")
    if backend == "cuda":
        _require_convolution(device_id)
    if backend in ("cuda", "tensorrt"):
        warn_of_cpu_fallback(session, path)
    return session


@functools.lru_cache
def _require_convolution(device_id: int) -> None:
    """Once per GPU. Raises BackendError where CUDA starts but cannot compute (``hardware.cuda_smoke_test``)."""
    providers = [(_CUDA, _provider_options(_CUDA, device_id, 1)), (_CPU, {})]
    try:
        cuda_smoke_test(session_options(1), providers)
    except Exception as error:  # onnxruntime's exceptions share no base class below Exception
        raise _refusal("cuda", device_id, error) from error


def _refusal(backend: str, device_id: int, error: Exception) -> BackendError:
    return BackendError(f"backend '{backend}' failed on device {device_id}: {first_line(error)}; {_CURE[backend]}")


def _provider_options(provider: str, device_id: int, threads: int) -> dict[str, Any]:
    if provider == _OPENVINO and threads:  # it ignores the session's threads
        return {"num_of_threads": str(threads)}
    if provider not in (_CUDA, _TENSORRT):
        return {}
    # Device 0 is the default; where it is named, onnxruntime 1.26 and later warn that no plugin has that device.
    device = {"device_id": device_id} if device_id else {}
    if provider == _TENSORRT:
        return device
    # The default search tries every convolution algorithm anew for each batch size: a stall whenever one more person enters.
    return {**device, "cudnn_conv_algo_search": "HEURISTIC"}


def _tensorrt_caches(path: Path, content: bytes | None) -> dict[str, Any]:
    """Options for TensorRT's caches: timings shared by all models, engines in a folder for each.

    onnxruntime finds a cached engine by the names in the graph alone, so it would also use one of other weights or of another
    onnxruntime: the folder's name tells them apart.
    """
    timings = models_folder() / "tensorrt"
    digest = hashlib.sha256(content or path.read_bytes()).hexdigest()
    engines = timings / f"{path.stem}-{digest[:12]}-onnxruntime-{ort.__version__}"
    with contextlib.suppress(OSError):  # then onnxruntime refuses, with the same reason
        engines.mkdir(parents=True, exist_ok=True)
    if not any(engines.glob("*.engine")):
        _log.warning("%s: TensorRT is building its engine, which takes minutes; it is cached in %s", path.name, engines)
    return {
        "trt_engine_cache_enable": True,
        "trt_timing_cache_enable": True,
        "trt_engine_cache_path": str(engines),
        "trt_timing_cache_path": str(timings),
    }


def _preload_libraries(backend: str) -> None:
    """Load the CUDA and TensorRT libraries of pip's wheels, which are not on the loader's path."""
    if backend in ("cuda", "tensorrt") and hasattr(ort, "preload_dlls"):  # since 1.21; it reports by printing
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            ort.preload_dlls()
        _log.debug("onnxruntime.preload_dlls: %s", printed.getvalue().strip())
    if backend == "tensorrt":  # not covered by preload_dlls; importing this package loads its libraries
        with contextlib.suppress(ImportError):
            importlib.import_module("tensorrt_libs")


def _unreadable(path: Path, error: Exception) -> ModelError:
    if any(words in str(error) for words in _NO_MODEL):
        return ModelError(f"{path} is not an ONNX model, or only a part of one; fetch or export it again")
    elsewhere = any(words in str(error) for words in _DATA_ELSEWHERE)
    cure = "; its weights are in another file, which must be in the same folder under its original name" if elsewhere else ""
    return ModelError(f"{path}: this onnxruntime {ort.__version__} cannot load the model: {first_line(error)}{cure}")


def _is_about_the_file(error: Exception) -> bool:
    return type(error).__name__ in ("InvalidProtobuf", "InvalidGraph", "NoSuchFile") or "Load model" in str(error)


def first_line(error: Exception) -> str:
    """The first line of an exception, without places in onnxruntime's sources; its class where it has no text (MemoryError)."""
    line = (str(error).strip() or type(error).__name__).splitlines()[0]
    for noise in _NOISE:
        line = noise.sub("", line)
    return line

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""One pose network by several libraries: a file becomes a function from crops (n, 3, h, w) to heatmaps (n, K, h, w)."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from pose_resnet_ros.core.errors import BenchmarkError, PoseError

Network = Callable[[np.ndarray], np.ndarray]
OURS = "onnxruntime, one batch"


def batched(path: Path, threads: int) -> Network:
    return _onnxruntime(path, threads, max_batch=256)


def one_by_one(path: Path, threads: int) -> Network:
    return _onnxruntime(path, threads, max_batch=1)


def torch_eager(path: Path, threads: int) -> Network:
    import torch

    from benchmarks.onnx_torch import OnnxInTorch

    if threads:
        torch.set_num_threads(threads)
    network = OnnxInTorch(path).eval()

    def run(tensor: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return network(torch.from_numpy(tensor)).numpy()

    return run


def opencv_dnn(path: Path, threads: int) -> Network:
    import onnx

    from pose_resnet_ros.export.rewrite import unpack_weights

    if threads:
        cv2.setNumThreads(threads)
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.onnx"
        onnx.save(unpack_weights(onnx.load(str(path))), str(plain))  # OpenCV has no Cast of a weight
        network = cv2.dnn.readNetFromONNX(str(plain))

    def run(tensor: np.ndarray) -> np.ndarray:
        network.setInput(tensor)
        return network.forward()

    return run


def openvino(path: Path, threads: int) -> Network:
    from openvino import Core

    settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    if threads:
        settings["INFERENCE_NUM_THREADS"] = str(threads)
    compiled = Core().compile_model(str(path), "CPU", settings)
    return lambda tensor: compiled(tensor)[0]


BASELINES: dict[str, Callable[[Path, int], Network]] = {
    OURS: batched,
    "onnxruntime, one call a person": one_by_one,
    "PyTorch eager": torch_eager,
    "OpenVINO": openvino,
    "OpenCV DNN": opencv_dnn,
}


def open_baseline(name: str, path: Path, threads: int) -> Network:
    """Raises BenchmarkError where its library is not installed or does not take the model."""
    try:
        return BASELINES[name](path, threads)
    except ImportError as error:
        raise BenchmarkError(f"not installed: {error}") from error
    except (PoseError, cv2.error) as error:
        raise BenchmarkError(str(error).strip().splitlines()[0]) from error


def input_shape(path: Path) -> tuple[int, ...]:
    """(3, h, w) of a pose network."""
    from pose_resnet_ros.models.runtime import OnnxModel, RunOn

    return OnnxModel(path, run_on=RunOn(backend="cpu")).inputs[0].shape[1:]  # type: ignore[return-value]


def _onnxruntime(path: Path, threads: int, *, max_batch: int) -> Network:
    # Imported here, as every library: the start-up of one is not to carry another's libraries.
    from pose_resnet_ros.models.runtime import OnnxModel, RunOn

    model = OnnxModel(path, run_on=RunOn(backend="cpu", threads=threads, max_batch=max_batch))
    return lambda tensor: model.run(tensor)[0]

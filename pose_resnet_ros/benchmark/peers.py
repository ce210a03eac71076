# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The pose network alone, on the same weights: here, and as one would run it otherwise."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from pose_resnet_ros.benchmark.timing import Timing, interleaved, ratio
from pose_resnet_ros.core.errors import BenchmarkError, PoseError
from pose_resnet_ros.models.files import find_model

Network = Callable[[np.ndarray], np.ndarray]
OURS = "onnxruntime, one batch"
TOLERANCE = 1e-3  # of the largest output: float32 in another order, and OpenCV's Winograd convolutions


@dataclass(frozen=True)
class PeerRow:
    """against_ours: how many times as long as one batch here; missing: why it could not run, else empty."""

    peer: str
    persons: int
    timing: Timing | None
    against_ours: float | None
    missing: str = ""


def batched(path: Path, threads: int) -> Network:
    return _onnxruntime(path, threads, max_batch=256)


def one_by_one(path: Path, threads: int) -> Network:
    return _onnxruntime(path, threads, max_batch=1)


def torch_eager(path: Path, threads: int) -> Network:
    import torch

    from pose_resnet_ros.benchmark.onnx_torch import OnnxInTorch

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


PEERS: dict[str, Callable[[Path, int], Network]] = {
    OURS: batched,
    "onnxruntime, one call a person": one_by_one,
    "PyTorch eager": torch_eager,
    "OpenVINO": openvino,
    "OpenCV DNN": opencv_dnn,
}


def measure_peers(pose_model: str, *, persons: list[int], threads: int, rounds: int) -> Iterator[PeerRow]:
    """Every peer that is installed, in turns; each must give our heatmaps first. Raises BenchmarkError if one does not."""
    path = find_model(pose_model, kind="pose").path
    networks, missing = _open_all(path, threads)
    shape = input_shape(path)
    for count in persons:
        tensor = np.random.default_rng(0).standard_normal((count, *shape), np.float32)
        _require_same(networks, tensor)
        samples = interleaved({name: _bound(run, tensor) for name, run in networks.items()}, rounds=rounds)
        for name, ms in samples.items():
            yield PeerRow(name, count, Timing.of(ms), ratio(ms, samples[OURS]))
    for name, reason in missing.items():
        yield PeerRow(name, 0, None, None, reason)


def open_peer(name: str, path: Path, threads: int) -> Network:
    """Raises BenchmarkError where the peer is not installed or does not take the model."""
    try:
        return PEERS[name](path, threads)
    except ImportError as error:
        raise BenchmarkError(f"not installed: {error}") from error
    except (PoseError, cv2.error) as error:
        raise BenchmarkError(str(error).strip().splitlines()[0]) from error


def input_shape(path: Path) -> tuple[int, ...]:
    """(3, h, w) of a pose network."""
    from pose_resnet_ros.models.runtime import OnnxModel, RunOn

    return OnnxModel(path, run_on=RunOn(backend="cpu")).inputs[0].shape[1:]  # type: ignore[return-value]


def _open_all(path: Path, threads: int) -> tuple[dict[str, Network], dict[str, str]]:
    """The peers that can run, and why the others cannot."""
    networks: dict[str, Network] = {}
    missing: dict[str, str] = {}

    def open_or_note(name: str) -> None:
        try:
            networks[name] = open_peer(name, path, threads)
        except BenchmarkError as error:
            missing[name] = str(error)

    for name in PEERS:
        open_or_note(name)
    return networks, missing


def _onnxruntime(path: Path, threads: int, *, max_batch: int) -> Network:
    # Imported here, as every peer: the start-up of one is not to carry another's libraries.
    from pose_resnet_ros.models.runtime import OnnxModel, RunOn

    model = OnnxModel(path, run_on=RunOn(backend="cpu", threads=threads, max_batch=max_batch))
    return lambda tensor: model.run(tensor)[0]


def _bound(run: Network, tensor: np.ndarray) -> Callable[[], object]:
    return lambda: run(tensor)


def _require_same(networks: dict[str, Network], tensor: np.ndarray) -> None:
    ours = networks[OURS](tensor)
    for name, run in networks.items():
        difference = float(np.abs(run(tensor) - ours).max())
        if difference > TOLERANCE * max(1.0, float(np.abs(ours).max())):
            raise BenchmarkError(
                f"{name} gives other heatmaps than onnxruntime (by {difference:.2g}): not comparable"
            )

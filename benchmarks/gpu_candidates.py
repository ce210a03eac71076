# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""What the fast path is measured against on a GPU: the network alone in onnxruntime and in PyTorch, and the device's peak."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch

from pose_resnet_ros.models.backends import open_composed

HEATMAP_SHAPE = (17, 64, 48)
CROP_SHAPE = (3, 256, 192)
_RECORDED = {"cuda": {"enable_cuda_graph": "1"}, "tensorrt": {"trt_cuda_graph_enable": "1"}}


def matrix_peak() -> float:
    """TFLOP/s of a large fp16 matrix product on random numbers."""
    a, b = (torch.randn(8192, 8192, device="cuda", dtype=torch.float16) for _ in range(2))
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    for turn in range(60):
        if turn == 10:
            begin.record()
        a @ b
    end.record()
    torch.cuda.synchronize()
    return 50 * 2 * 8192**3 / (1e-3 * begin.elapsed_time(end)) / 1e12


def torch_network(network: torch.nn.Module, size: int, mode: str | None) -> Callable[[], object]:
    """PyTorch in fp16 and channels-last, with its input on the device; mode: of torch.compile, None for eager."""
    network = network.cuda().half().to(memory_format=torch.channels_last)
    tensor = torch.randn((size, *CROP_SHAPE), device="cuda", dtype=torch.float16)
    tensor = tensor.to(memory_format=torch.channels_last)
    module = network if mode is None else torch.compile(network, mode=mode)

    def run() -> None:
        with torch.inference_mode():
            module(tensor)
        torch.cuda.synchronize()

    run()  # compiles
    return run


def bound_network(path: Path, size: int, backend: str, options: Mapping[str, str] | None = None) -> Callable[[], object]:
    """The network's file alone, its input and output bound on the device, replayed as a CUDA graph where that can be.

    backend: cuda, tensorrt (which builds its engine here) or cpu; options: its provider's, on top of the package's.
    """
    more = {**_RECORDED.get(backend, {}), **(options or {})}
    session = open_composed(path.read_bytes(), path=path, backend=backend, device_id=0, threads=0, more=more)
    binding = session.io_binding()
    device = "cpu" if backend == "cpu" else "cuda"

    def buffer(shape: tuple[int, ...]) -> ort.OrtValue:
        return ort.OrtValue.ortvalue_from_shape_and_type(list(shape), np.float32, device, 0)

    crops = buffer((size, *CROP_SHAPE))
    crops.update_inplace(np.random.default_rng(0).standard_normal((size, *CROP_SHAPE), np.float32))
    binding.bind_ortvalue_input("input", crops)
    binding.bind_ortvalue_output("heatmaps", buffer((size, *HEATMAP_SHAPE)))
    return lambda: session.run_with_iobinding(binding)

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""What the fast path is measured against on a GPU: the network alone in onnxruntime and in PyTorch, and the device's peak."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import torch

HEATMAP_SHAPE = (17, 64, 48)
CROP_SHAPE = (3, 256, 192)


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


def torch_networks(network: torch.nn.Module, size: int) -> dict[str, Callable[[], object]]:
    """PyTorch in fp16 and channels-last, eager and compiled, with its input on the device."""
    network = network.cuda().half().to(memory_format=torch.channels_last)
    tensor = torch.randn((size, *CROP_SHAPE), device="cuda", dtype=torch.float16)
    tensor = tensor.to(memory_format=torch.channels_last)

    def timed(module: Any) -> Callable[[], object]:
        def run() -> None:
            with torch.inference_mode():
                module(tensor)
            torch.cuda.synchronize()

        run()  # compiles
        return run

    modes = {f"torch.compile, {mode}": mode for mode in ("default", "reduce-overhead", "max-autotune")}
    compiled = {name: timed(torch.compile(network, mode=mode)) for name, mode in modes.items()}
    return {"PyTorch eager": timed(network), **compiled}


def bound_network(
    path: Path, size: int, *, backend: str, options: Mapping[str, str] | None = None
) -> Callable[[], object]:
    """The network's file alone, its input and output bound on the device, replayed as a CUDA graph on backend cuda."""
    ours = {"cudnn_conv_algo_search": "HEURISTIC", "enable_cuda_graph": "1"}
    provider = (
        ("CUDAExecutionProvider", {**ours, **(options or {})})
        if backend == "cuda"
        else "CPUExecutionProvider"
    )
    session = ort.InferenceSession(str(path), providers=[provider])
    binding = session.io_binding()

    def buffer(shape: tuple[int, ...]) -> ort.OrtValue:
        return ort.OrtValue.ortvalue_from_shape_and_type(list(shape), np.float32, backend, 0)

    crops = buffer((size, *CROP_SHAPE))
    crops.update_inplace(np.random.default_rng(0).standard_normal((size, *CROP_SHAPE), np.float32))
    binding.bind_ortvalue_input("input", crops)
    binding.bind_ortvalue_output("heatmaps", buffer((size, *HEATMAP_SHAPE)))
    return lambda: session.run_with_iobinding(binding)

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""What the hardware can do for a network, and the onnxruntime options that follow from it."""

from __future__ import annotations

import functools
import os
import platform
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

from pose_resnet_ros.core.library_setup import logger_of
from pose_resnet_ros.settings import LoadSettings

_log = logger_of(__name__)

LOG_SEVERITY_FATAL = 4  # onnxruntime prints what it also raises; this keeps its C++ lines off the terminal
_CPUINFO = Path("/proc/cpuinfo")
_SIBLINGS = "/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list"
_X86 = frozenset(("x86_64", "amd64"))
_DOT_PRODUCTS = frozenset(("avx512_vnni", "avx_vnni"))
_SPIN_US = "100"
_SMOKE_TEST = Path(__file__).resolve().parent.parent / "weights" / "cuda_smoke_test.onnx"
# Shapes are computed on the CPU on purpose (GetCpuPreferredNodes in onnxruntime's core/framework/fallback_cpu_capability.cc).
_OF_SHAPES = {
    *("Shape", "Reshape", "Unsqueeze", "Squeeze", "Slice", "Gather", "Concat", "Expand", "ConstantOfShape", "Range"),
    *("Cast", "Identity", "Add", "Sub", "Mul", "Div", "Floor", "Ceil", "Min", "Max", "Equal", "Where"),
}


def session_options(threads: int) -> ort.SessionOptions:
    """Options for one camera pipeline on a machine that has other work to do. threads: 0 uses all physical cores."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL  # fp16 weights are unpacked here, once
    options.log_severity_level = LOG_SEVERITY_FATAL
    # Threads spin while a run lasts (fast hand-over), and sleep between frames: an idle node uses no CPU.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    # The limit in microseconds is enough for the hand-over; without one, two threads take up to twice as long as one when other
    # processes want the cores (docs/performance.md). Versions of onnxruntime that do not know an entry ignore it.
    options.add_session_config_entry("session.intra_op.spin_duration_us", _SPIN_US)
    options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")  # read by nodes_on_cpu
    # Layers with weights beyond 7 bits, in which sums could saturate, get slower kernels that are exact.
    options.add_session_config_entry("session.x64quantprecision", "1" if saturates_at_int8() else "0")
    return options


def physical_cores() -> int:
    """Cores that this process may use: two hyper-threads of one count once where Linux tells them apart."""
    if not hasattr(os, "sched_getaffinity"):  # macOS, Windows
        return os.cpu_count() or 1
    siblings = (_SIBLINGS.format(cpu) for cpu in os.sched_getaffinity(0))
    return len({Path(path).read_text() if os.path.exists(path) else path for path in siblings})


def share_cores(load: LoadSettings, *, streams: int) -> tuple[int, LoadSettings]:
    """How many frames of several streams to work on at once, and the settings with CPU threads for each of them.

    Frames side by side take less CPU time than one after the other, each on all cores (docs/performance.md). For other backends
    than the CPU's this was not measured: one frame at a time.
    """
    if load.backend not in ("auto", "cpu"):
        return 1, load
    cores = physical_cores()
    frames = min(streams, cores)
    return frames, load if frames == 1 or load.threads else replace(load, threads=cores // frames)


@functools.cache
def cpu_flags() -> frozenset[str]:
    """The instruction sets of the CPU, as Linux names them; empty on other systems, and on Arm."""
    try:
        return x86_flags(_CPUINFO.read_text())
    except OSError:
        return frozenset()


def x86_flags(cpuinfo: str) -> frozenset[str]:
    """The instruction sets in the content of Linux's /proc/cpuinfo."""
    lines = (line.partition(":")[2] for line in cpuinfo.splitlines() if line.startswith("flags"))
    return frozenset(next(lines, "").split())


def is_fast_at_int8() -> bool:
    """Whether int8 is clearly faster than float32: on x86 with AVX2 (Intel since 2013, AMD since 2015).

    On older CPUs it is slower (docs/performance.md). Arm was not measured; other systems do not report the instruction sets.
    """
    return "avx2" in cpu_flags()


def saturates_at_int8() -> bool:
    """Whether this is an x86 CPU without dot products of int8 (VNNI: Intel since 2019, AMD since Zen 4), or unknown.

    onnxruntime's fast kernels then add two products of an unsigned and a signed 8-bit number in 16 bits, which saturate. With
    signed numbers of 7 bits they cannot: 2 * 255 * 64 < 2**15.
    """
    return platform.machine().lower() in _X86 and _DOT_PRODUCTS.isdisjoint(cpu_flags())


def cuda_smoke_test(options: ort.SessionOptions, providers: Sequence[tuple[str, dict[str, Any]]]) -> float:
    """Run one 2x2 convolution, which gives 10. Raises what onnxruntime raises where it cannot be computed.

    A session that opens proves little: onnxruntime 1.31 starts its CUDA provider without cuDNN and refuses the first convolution
    (``CudaKernel::RequireCudnnHandle``), and a GPU too old for the build fails at its first kernel.
    """
    session = ort.InferenceSession(_SMOKE_TEST.read_bytes(), options, providers=list(providers), enable_fallback=0)
    run_options = ort.RunOptions()
    run_options.log_severity_level = LOG_SEVERITY_FATAL
    (y,) = session.run(None, {"x": np.ones((1, 1, 2, 2), np.float32)}, run_options)
    return float(y[0, 0, 0, 0])


def nodes_on_cpu(session: ort.InferenceSession) -> Counter[str]:
    """How many nodes of each operator run on the CPU, without those that compute shapes; empty before onnxruntime 1.24.

    A CUDA session accepts any network: nodes without a CUDA kernel run on the CPU silently, with copies before and after.
    session: opened with ``session_options``.
    """
    if not hasattr(session, "get_provider_graph_assignment_info"):
        return Counter()
    parts = [part for part in session.get_provider_graph_assignment_info() if part.ep_name.startswith("CPU")]
    operators = (node.op_type for part in parts for node in part.get_nodes())
    return Counter(operator for operator in operators if operator not in _OF_SHAPES)


def warn_of_cpu_fallback(session: ort.InferenceSession, path: Path) -> None:
    """Log one warning for a network that does not run on the GPU as a whole."""
    if on_cpu := nodes_on_cpu(session):
        listed = ", ".join(f"{count} {operator}" for operator, count in sorted(on_cpu.items()))
        _log.warning(
            "%s: a part runs on the CPU, with copies to and from the GPU in each run (%s); use a file of opset 21 or older that"
            " is not int8, as written by: pose_resnet_ros export",
            path.name,
            listed,
        )

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""One convolution on the GPU before networks are trusted to it.

A session that opens proves little: onnxruntime 1.31 starts its CUDA provider without cuDNN and refuses the first convolution
(``CudaKernel::RequireCudnnHandle``), and a GPU too old for the build is found out by the first kernel.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnxruntime as ort

from pose_resnet_ros.models.cancel import LOG_SEVERITY_FATAL

# x (1, 1, 2, 2) -> Conv with the kernel [[1, 2], [3, 4]] -> y (1, 1, 1, 1); opset 11, IR 6. Spelt out, since the onnx package,
# which could write it, is optional; the test makes it anew.
CONVOLUTION = (
    b'\x08\x06:o\n\x0f\n\x01x\n\x01w\x12\x01y"\x04Conv\x12\x01g*\x1f\x08\x01\x08\x01\x08\x02\x08\x02\x10\x01"\x10'
    b"\x00\x00\x80?\x00\x00\x00@\x00\x00@@\x00\x00\x80@B\x01wZ\x1b\n\x01x\x12\x16\n\x14\x08\x01\x12\x10"
    b"\n\x02\x08\x01\n\x02\x08\x01\n\x02\x08\x02\n\x02\x08\x02b\x1b\n\x01y\x12\x16\n\x14\x08\x01\x12\x10"
    b"\n\x02\x08\x01\n\x02\x08\x01\n\x02\x08\x01\n\x02\x08\x01B\x04\n\x00\x10\x0b"
)


def run_convolution(options: ort.SessionOptions, providers: Sequence[tuple[str, dict[str, Any]]]) -> float:
    """What the convolution gives for ones, 10. Raises what onnxruntime raises where it cannot be computed."""
    session = ort.InferenceSession(CONVOLUTION, options, providers=list(providers), enable_fallback=0)
    run_options = ort.RunOptions()
    run_options.log_severity_level = LOG_SEVERITY_FATAL
    (y,) = session.run(None, {"x": np.ones((1, 1, 2, 2), np.float32)}, run_options)
    return float(y[0, 0, 0, 0])

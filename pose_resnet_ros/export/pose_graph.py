# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""PoseResNet's tensors to an ONNX graph.

Architecture: ``lib/models/pose_resnet.py`` of microsoft/human-pose-estimation.pytorch; the same network in mmpose.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx

from pose_resnet_ros.export.architecture import DECONVOLUTION_PADDING, DECONVOLUTIONS, STAGES, architecture_of
from pose_resnet_ros.export.graph import DEFAULT_OPSET, GraphBuilder, fold_batch_norm

BATCH_NORM_EPSILON = 1e-5  # PyTorch's default, which the published code leaves alone
State = dict[str, np.ndarray]


def pose_graph(state: State, *, width: int, height: int, opset: int = DEFAULT_OPSET) -> onnx.ModelProto:
    """The network as ``input`` (N, 3, height, width) -> ``heatmaps`` (N, J, height/4, width/4), N dynamic.

    state: float32 arrays by Microsoft's names, complete (``checkpoint.load_state``). Depth, widths and joint count are those
    of the tensors.
    """
    g = GraphBuilder()
    x = g.node("Relu", _conv(g, state, "input", conv="conv1", norm="bn1", stride=2))
    x = g.node("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    counts = architecture_of(state).block_counts
    for stage, count in zip(STAGES, counts, strict=True):
        for block in range(count):
            x = _block(g, state, x, prefix=f"layer{stage}.{block}.", stride=2 if stage > 1 and block == 0 else 1)
    for index in DECONVOLUTIONS:
        x = _deconv(g, state, x, index)
    g.conv(x, state["final_layer.weight"], state["final_layer.bias"], output="heatmaps")
    return g.model(
        name="pose_resnet",
        input_shape=("N", 3, height, width),
        outputs={"heatmaps": ("N", joint_count(state), height // 4, width // 4)},
        opset=opset,
    )


def joint_count(state: State) -> int:
    return len(state["final_layer.weight"])


def _block(g: GraphBuilder, state: State, x: str, *, prefix: str, stride: int) -> str:
    """A bottleneck carries its stride in the 3x3 convolution, a basic block in its first."""
    bottleneck = f"{prefix}conv3.weight" in state
    strides = (1, stride, 1) if bottleneck else (stride, 1)
    shortcut = x
    if f"{prefix}downsample.0.weight" in state:
        names = {"conv": f"{prefix}downsample.0", "norm": f"{prefix}downsample.1"}
        shortcut = _conv(g, state, x, **names, stride=stride)
    for number, step in enumerate(strides, start=1):
        x = _conv(g, state, x, conv=f"{prefix}conv{number}", norm=f"{prefix}bn{number}", stride=step)
        if number < len(strides):
            x = g.node("Relu", x)
    return g.node("Relu", g.node("Add", x, shortcut))


def _conv(g: GraphBuilder, state: State, x: str, *, conv: str, norm: str, stride: int = 1) -> str:
    return g.conv(x, *_folded(state, conv, norm), stride=stride)


def _deconv(g: GraphBuilder, state: State, x: str, index: int) -> str:
    """Doubles both sides. Weights are (in, out, k, k) in PyTorch and in ONNX alike."""
    folded = _folded(state, f"deconv_layers.{index}", f"deconv_layers.{index + 1}", out_axis=1)
    size = folded[0].shape[2]
    padding, output_padding = DECONVOLUTION_PADDING[size]
    sizes: dict[str, Any] = {"kernel_shape": [size] * 2, "strides": [2, 2], "pads": [padding] * 4}
    if output_padding:
        sizes["output_padding"] = [output_padding] * 2
    names = [g.weight(array) for array in folded]
    return g.node("Relu", g.node("ConvTranspose", x, *names, **sizes))


def _folded(state: State, conv: str, norm: str, *, out_axis: int = 0) -> tuple[np.ndarray, np.ndarray]:
    parts = {name: state[f"{norm}.{name}"] for name in ("weight", "bias", "running_mean", "running_var")}
    with np.errstate(invalid="ignore"):  # a variance below 0 becomes NaN, which no weight may be
        denominator = np.sqrt(parts["running_var"].astype(np.float64) + BATCH_NORM_EPSILON)
    if (bias := state.get(f"{conv}.bias")) is not None:  # the norm takes its mean off the biased value
        parts["running_mean"] = parts["running_mean"].astype(np.float64) - bias
    return fold_batch_norm(state[f"{conv}.weight"], parts, denominator=denominator, out_axis=out_axis)

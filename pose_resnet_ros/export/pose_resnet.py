# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""PoseResNet: which one a set of tensors is, whether it is one, and its ONNX graph.

Names and shapes: ``lib/models/pose_resnet.py`` of microsoft/human-pose-estimation.pytorch; the same network in mmpose. Depth,
widths, kernels and the number of joints are those of the tensors: ResNet-18 to -152, transposed convolutions of any width, of
4x4, 3x3 or 2x2, with or without bias.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import onnx

from pose_resnet_ros.export.graph import DEFAULT_OPSET, GraphBuilder, fold_batch_norm

BATCH_NORM_EPSILON = 1e-5  # PyTorch's default, which the published code leaves alone
STAGES = (1, 2, 3, 4)
DECONVOLUTIONS = (0, 3, 6)  # their places in ``deconv_layers``; the batch norm follows each
# Kernel of a transposed convolution -> padding and output padding with which it doubles both sides.
DECONVOLUTION_PADDING = {4: (1, 0), 3: (1, 1), 2: (0, 0)}
REQUIRED = ("conv1.weight", "bn1.running_var", "layer4.0.conv1.weight", "deconv_layers.0.weight", "final_layer.weight")
Shape = tuple[int, ...]
State = dict[str, np.ndarray]


class NotAPoseResNet(ValueError):  # noqa: N818 - says what they are not
    """Why a set of tensors is no PoseResNet."""


class Shaped(Protocol):
    """A NumPy array or a torch tensor."""

    @property
    def shape(self) -> Shape: ...


@dataclass(frozen=True)
class Architecture:
    """block_counts: of the four stages; width: channels of the stem; deconv_channels, deconv_kernels: of each transposed
    convolution.
    """

    is_bottleneck: bool
    block_counts: tuple[int, int, int, int]
    width: int
    deconv_channels: tuple[int, ...]
    deconv_kernels: tuple[int, ...]
    deconv_bias: bool
    final_kernel: int
    joint_count: int

    def shapes(self) -> dict[str, Shape]:
        """Name and shape of each tensor."""
        found: dict[str, Shape] = {"conv1.weight": (self.width, 3, 7, 7), **_norm("bn1", self.width)}
        channels = self.width
        for stage in STAGES:
            planes = self.width * 2 ** (stage - 1)
            for block in range(self.block_counts[stage - 1]):
                found |= self._block(f"layer{stage}.{block}.", channels, planes, strided=stage > 1 and block == 0)
                channels = planes * self.expansion
        found |= self._head(channels)
        return found

    @property
    def expansion(self) -> int:
        return 4 if self.is_bottleneck else 1

    def _block(self, prefix: str, channels: int, planes: int, *, strided: bool) -> dict[str, Shape]:
        widths = (planes, planes, planes * 4) if self.is_bottleneck else (planes, planes)
        kernels = (1, 3, 1) if self.is_bottleneck else (3, 3)
        found: dict[str, Shape] = {}
        before = channels
        for number, (width, kernel) in enumerate(zip(widths, kernels, strict=True), start=1):
            found[f"{prefix}conv{number}.weight"] = (width, before, kernel, kernel)
            found |= _norm(f"{prefix}bn{number}", width)
            before = width
        if strided or channels != before:
            found[f"{prefix}downsample.0.weight"] = (before, channels, 1, 1)
            found |= _norm(f"{prefix}downsample.1", before)
        return found

    def _head(self, channels: int) -> dict[str, Shape]:
        found: dict[str, Shape] = {}
        for index, width, kernel in zip(DECONVOLUTIONS, self.deconv_channels, self.deconv_kernels, strict=True):
            found[f"deconv_layers.{index}.weight"] = (channels, width, kernel, kernel)
            if self.deconv_bias:
                found[f"deconv_layers.{index}.bias"] = (width,)
            found |= _norm(f"deconv_layers.{index + 1}", width)
            channels = width
        found["final_layer.weight"] = (self.joint_count, channels, self.final_kernel, self.final_kernel)
        found["final_layer.bias"] = (self.joint_count,)
        return found


def _norm(name: str, channels: int) -> dict[str, Shape]:
    return {f"{name}.{part}": (channels,) for part in ("weight", "bias", "running_mean", "running_var")}


def architecture_of(state: Mapping[str, Shaped]) -> Architecture:
    """Read the architecture from the shapes of the tensors (Microsoft's names, batch counters left out).

    Raises NotAPoseResNet, which names up to three tensors that are missing, unknown or of another shape.
    """
    missing = [name for name in (*REQUIRED, *_names_of_deconvolutions()) if name not in state]
    if missing:
        raise NotAPoseResNet(f"{', '.join(missing[:3])} missing")
    flat = [name for name in (*REQUIRED[:1], *_names_of_deconvolutions(), *REQUIRED[-1:]) if len(state[name].shape) != 4]
    if flat:
        raise NotAPoseResNet(f"{flat[0]}: expected four dimensions, got shape {tuple(state[flat[0]].shape)}")
    deconvolutions = [state[name].shape for name in _names_of_deconvolutions()]
    found = Architecture(
        is_bottleneck="layer1.0.conv3.weight" in state,
        block_counts=tuple(_block_count(state, stage) for stage in STAGES),  # type: ignore[arg-type]
        width=state["conv1.weight"].shape[0],
        deconv_channels=tuple(shape[1] for shape in deconvolutions),
        deconv_kernels=tuple(shape[2] for shape in deconvolutions),
        deconv_bias="deconv_layers.0.bias" in state,
        final_kernel=state["final_layer.weight"].shape[2],
        joint_count=state["final_layer.weight"].shape[0],
    )
    _compare(found, state)
    return found


def is_counter(name: str) -> bool:
    """PyTorch counts batches beside each norm since 0.4.1; nothing needs it."""
    return name.endswith("num_batches_tracked")


def _names_of_deconvolutions() -> list[str]:
    return [f"deconv_layers.{index}.weight" for index in DECONVOLUTIONS]


def _block_count(state: Mapping[str, Shaped], stage: int) -> int:
    return len({name.split(".")[1] for name in state if name.startswith(f"layer{stage}.")})


def _compare(found: Architecture, state: Mapping[str, Shaped]) -> None:
    if not set(found.deconv_kernels) <= DECONVOLUTION_PADDING.keys() or found.final_kernel not in (1, 3):
        raise NotAPoseResNet(
            f"transposed convolutions of {found.deconv_kernels} and a last one of {found.final_kernel};"
            " expected 4, 3 or 2, and 1 or 3"
        )
    expected = found.shapes()
    wrong = [f"{name} missing" for name in expected if name not in state]
    wrong += [f"{name} unknown" for name in state if name not in expected and not is_counter(name)]
    wrong += [
        f"{name} has shape {tuple(state[name].shape)}, expected {shape}"
        for name, shape in expected.items()
        if name in state and tuple(state[name].shape) != shape
    ]
    if wrong:
        raise NotAPoseResNet("; ".join(wrong[:3]))


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

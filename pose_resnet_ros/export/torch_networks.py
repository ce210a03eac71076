# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The exported networks in PyTorch: PoseResNet, with the key names of the published checkpoints, and darknet's.

Xiao, Wu and Wei, Simple Baselines for Human Pose Estimation and Tracking, ECCV 2018. Needs torch; import it lazily.
Key names and shapes are those of ``lib/models/pose_resnet.py`` in microsoft/human-pose-estimation.pytorch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from pose_resnet_ros.export.darknet import (
    BATCH_NORM_EPSILON,
    LEAKY_SLOPE,
    Conv,
    ConvWeights,
    Layer,
    MaxPool,
    Route,
    Shortcut,
    Upsample,
    run_layers,
)
from pose_resnet_ros.export.pose_resnet import DECONVOLUTION_PADDING, architecture_of

BLOCK_COUNTS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}


def _conv(channels_in: int, channels: int, size: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(channels_in, channels, size, stride, size // 2, bias=False)


class Block(nn.Module):
    """Convolutions with batch norm around which the input is carried; the second but last carries the stride."""

    expansion = 1
    kernels: tuple[int, ...]

    def __init__(self, channels_in: int, planes: int, stride: int, downsample: nn.Module | None) -> None:
        super().__init__()
        widths = (*[planes] * (len(self.kernels) - 1), planes * self.expansion)
        for number, (width, kernel) in enumerate(zip(widths, self.kernels, strict=True), start=1):
            step = stride if number == len(widths) - 1 else 1
            self.add_module(f"conv{number}", _conv(channels_in, width, kernel, step))
            self.add_module(f"bn{number}", nn.BatchNorm2d(width))
            channels_in = width
        self.downsample = downsample
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        y, shortcut = x, x if self.downsample is None else self.downsample(x)
        for number in range(1, len(self.kernels) + 1):
            y = self.get_submodule(f"bn{number}")(self.get_submodule(f"conv{number}")(y))
            y = self.relu(y if number < len(self.kernels) else y + shortcut)
        return y


class BasicBlock(Block):
    """ResNet-18 and -34."""

    kernels = (3, 3)


class Bottleneck(Block):
    """ResNet-50 and deeper."""

    expansion = 4
    kernels = (1, 3, 1)


class PoseResNet(nn.Module):
    """(N, 3, h, w) normalised crops -> (N, joint_count, h/4, w/4) heatmaps; h and w are multiples of 32.

    block: BasicBlock or Bottleneck; block_counts: blocks in each of the four stages; width: channels of the stem (64 in the
    paper); deconv_channels: channels of the three transposed convolutions, one number for all or one each (256 in the paper);
    deconv_kernels and final_kernel: 4 and 1 in the paper; deconv_bias: the transposed convolutions have one (not in the paper).
    """

    layer1: nn.Module
    layer2: nn.Module
    layer3: nn.Module
    layer4: nn.Module

    def __init__(
        self,
        block: type[Block],
        *,
        block_counts: tuple[int, int, int, int],
        joint_count: int = 17,
        width: int = 64,
        deconv_channels: int | Sequence[int] = 256,
        deconv_kernels: Sequence[int] = (4, 4, 4),
        deconv_bias: bool = False,
        final_kernel: int = 1,
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        channels = width
        for number, count in enumerate(block_counts, start=1):
            planes = width * 2 ** (number - 1)
            stage = _stage(block, channels_in=channels, planes=planes, count=count, stride=1 if number == 1 else 2)
            self.add_module(f"layer{number}", stage)
            channels = planes * block.expansion
        widths = [deconv_channels] * 3 if isinstance(deconv_channels, int) else list(deconv_channels)
        self.deconv_layers = _deconvolutions(channels, widths, deconv_kernels, bias=deconv_bias)
        self.final_layer = nn.Conv2d(widths[-1], joint_count, final_kernel, padding=final_kernel // 2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        heatmaps: Tensor = self.final_layer(self.deconv_layers(x))
        return heatmaps


def pose_resnet(depth: int, *, joint_count: int = 17, width: int = 64, deconv_channels: int = 256) -> PoseResNet:
    """PoseResNet of one of the paper's depths: 18, 34, 50, 101 or 152."""
    block = Bottleneck if depth >= 50 else BasicBlock
    counts = BLOCK_COUNTS[depth]
    return PoseResNet(block, block_counts=counts, joint_count=joint_count, width=width, deconv_channels=deconv_channels)


def network_for(state: dict[str, Tensor]) -> PoseResNet:
    """The network whose tensors ``state`` (flat, the names above) holds, sharing them, in evaluation mode.

    Depth, widths and joint count are told by the tensors. Raises ``pose_resnet.NotAPoseResNet``.
    """
    found = architecture_of(state)
    with torch.device("meta"):  # without memory: the weights come from ``state``
        network = PoseResNet(
            Bottleneck if found.is_bottleneck else BasicBlock,
            block_counts=found.block_counts,
            joint_count=found.joint_count,
            width=found.width,
            deconv_channels=found.deconv_channels,
            deconv_kernels=found.deconv_kernels,
            deconv_bias=found.deconv_bias,
            final_kernel=found.final_kernel,
        )
    counters = {key: torch.tensor(0) for key in network.state_dict() if key.endswith("num_batches_tracked")}
    network.load_state_dict(counters | state, assign=True)
    return network.eval()


def _stage(block: type[Block], *, channels_in: int, planes: int, count: int, stride: int) -> nn.Sequential:
    channels = planes * block.expansion
    downsample = None
    if stride != 1 or channels_in != channels:
        downsample = nn.Sequential(_conv(channels_in, channels, 1, stride), nn.BatchNorm2d(channels))
    first = block(channels_in, planes, stride, downsample)
    return nn.Sequential(first, *(block(channels, planes, 1, None) for _ in range(count - 1)))


def _deconvolutions(channels: int, widths: Sequence[int], kernels: Sequence[int], *, bias: bool) -> nn.Sequential:
    layers: list[nn.Module] = []
    for width, kernel in zip(widths, kernels, strict=True):
        padding, further = DECONVOLUTION_PADDING[kernel]
        deconvolution = nn.ConvTranspose2d(channels, width, kernel, stride=2, padding=padding, output_padding=further, bias=bias)
        layers += [deconvolution, nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
        channels = width
    return nn.Sequential(*layers)


def seeded(network: nn.Module, seed: int = 0) -> nn.Module:
    """The network with random weights whose activations keep their size through all layers, for tests and benchmarks."""
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in network.state_dict().items():
        if tensor.ndim == 4:
            fan_in = tensor[0].numel() if "deconv" not in name else tensor.shape[0] * 4
            tensor.normal_(0, (2 / fan_in) ** 0.5, generator=generator)
        elif name.endswith("running_var"):
            tensor.uniform_(0.5, 1.5, generator=generator)
        elif name.endswith("weight"):
            tensor.uniform_(0.3, 0.7, generator=generator)
        elif not name.endswith("num_batches_tracked"):
            tensor.normal_(0, 0.1, generator=generator)
    return network.eval()


def run_in_torch(layers: tuple[Layer, ...], weights: list[ConvWeights], x: Tensor) -> list[Tensor]:
    """The outputs that darknet's own arithmetic gives, batch norm unfolded. x: (N, 3, h, w) tensor."""
    return run_layers(layers, weights, x, _conv_in_torch, _plain_layer_in_torch)


def _plain_layer_in_torch(layer: Layer, made: list[Any]) -> Tensor:
    if isinstance(layer, MaxPool):
        padded = functional.pad(made[-1], (0, 2 - layer.stride) * 2, value=float("-inf"))
        return functional.max_pool2d(padded, 2, layer.stride)
    if isinstance(layer, Upsample):
        return functional.interpolate(made[-1], scale_factor=2)
    if isinstance(layer, Shortcut):
        return made[-1] + made[-3]
    assert isinstance(layer, Route)
    return torch.cat([made[i] for i in layer.layers], dim=1)


def _conv_in_torch(x: Tensor, layer: Conv, stored: ConvWeights) -> Tensor:
    def column(array: np.ndarray) -> Tensor:
        return torch.tensor(array).reshape(1, -1, 1, 1)

    x = functional.conv2d(x, torch.tensor(stored.weight), stride=layer.stride, padding=layer.size // 2)
    if stored.norm is None:
        return x + column(stored.bias)
    x = (x - column(stored.norm["running_mean"])) / (column(stored.norm["running_var"]).sqrt() + BATCH_NORM_EPSILON)
    return functional.leaky_relu(x * column(stored.norm["weight"]) + column(stored.bias), LEAKY_SLOPE)

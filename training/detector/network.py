# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The network of ``person_lite``: a narrow residual Darknet with the three raw output grids of YOLOv3.

Stages as in YOLOv3 (Redmon and Farhadi, 2018): a stride-2 3x3 convolution, then residual pairs of a 1x1 convolution to
half the channels and a 3x3 convolution back. Every 3x3 is dense: on a CPU that runs faster per multiplication than
depthwise layers do. The finest grid is there for people who stand close together: two of them 60 pixels high are often less
than 16 pixels apart, and a cell with one anchor of their shape can only name one of them.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

LEAK = 0.1
VALUES_PER_ANCHOR = 6  # tx, ty, tw, th, objectness, one class
STRIDES = (32, 16, 8)


class ConvUnit(nn.Sequential):
    """Convolution, batch normalisation, leaky ReLU; size kept at stride 1, halved at stride 2."""

    def __init__(self, inputs: int, outputs: int, *, kernel: int, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(outputs),
            nn.LeakyReLU(LEAK, inplace=True),
        )


class Residual(nn.Module):
    """The Darknet-53 pair: 1x1 to half the channels, 3x3 back, added to its input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.squeeze = ConvUnit(channels, channels // 2, kernel=1)
        self.spread = ConvUnit(channels // 2, channels, kernel=3)

    def forward(self, features: Tensor) -> Tensor:
        return features + self.spread(self.squeeze(features))


def _stage(inputs: int, outputs: int, pairs: int) -> nn.Sequential:
    return nn.Sequential(ConvUnit(inputs, outputs, kernel=3, stride=2), *(Residual(outputs) for _ in range(pairs)))


class PersonLite(nn.Module):
    """(N, 3, h, w) RGB in 0..1, h and w multiples of 32 -> three raw grids (N, A*6, h/stride, w/stride), in STRIDES' order.

    Channel a*6 + {0: tx, 1: ty, 2: tw, 3: th, 4: objectness, 5: person}, before any sigmoid, for anchor a of the grid.
    width: channels of the first layer; pairs: residual pairs at strides 4, 8, 16 and 32.
    """

    def __init__(self, *, width: int = 16, pairs: tuple[int, int, int, int] = (1, 2, 5, 2), anchors: int = 3) -> None:
        super().__init__()
        w = width
        self.stem = ConvUnit(3, w, kernel=3, stride=2)
        self.stage4 = _stage(w, 2 * w, pairs[0])
        self.stage8 = _stage(2 * w, 4 * w, pairs[1])
        self.stage16 = _stage(4 * w, 8 * w, pairs[2])
        self.stage32 = _stage(8 * w, 16 * w, pairs[3])
        self.neck32 = ConvUnit(16 * w, 8 * w, kernel=1)
        self.head32 = ConvUnit(8 * w, 16 * w, kernel=3)
        self.out32 = nn.Conv2d(16 * w, anchors * VALUES_PER_ANCHOR, 1)
        self.lateral32 = ConvUnit(8 * w, 4 * w, kernel=1)
        self.neck16 = ConvUnit(12 * w, 4 * w, kernel=1)
        self.head16 = ConvUnit(4 * w, 8 * w, kernel=3)
        self.out16 = nn.Conv2d(8 * w, anchors * VALUES_PER_ANCHOR, 1)
        self.lateral16 = ConvUnit(4 * w, 2 * w, kernel=1)
        self.neck8 = ConvUnit(6 * w, 2 * w, kernel=1)
        self.head8 = ConvUnit(2 * w, 4 * w, kernel=3)
        self.out8 = nn.Conv2d(4 * w, anchors * VALUES_PER_ANCHOR, 1)
        self.upsample = nn.Upsample(scale_factor=2, mode="nearest")
        for out in (self.out32, self.out16, self.out8):
            _start_quiet(out, anchors)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        at8 = self.stage8(self.stage4(self.stem(images)))
        at16 = self.stage16(at8)
        neck32 = self.neck32(self.stage32(at16))
        neck16 = self.neck16(torch.cat([self.upsample(self.lateral32(neck32)), at16], dim=1))
        neck8 = self.neck8(torch.cat([self.upsample(self.lateral16(neck16)), at8], dim=1))
        return (self.out32(self.head32(neck32)), self.out16(self.head16(neck16)), self.out8(self.head8(neck8)))


def grow(model: PersonLite, state: dict[str, Tensor]) -> None:
    """Load the weights of a network with the same widths and as many or fewer residual pairs, in place.

    A pair that ``state`` lacks starts as nothing: its last normalisation scales by zero, so that the network says what the
    smaller one said. Raises RuntimeError if anything else is missing, unknown or of another shape.
    """
    absent = [key for key in model.state_dict() if key not in state]
    unexpected = [key for key in state if key not in model.state_dict()]
    pairs = {key.split(".squeeze.")[0].split(".spread.")[0] for key in absent}
    if unexpected or not all(isinstance(model.get_submodule(name), Residual) for name in pairs):
        raise RuntimeError(f"these weights are of another network: without {absent}, with {unexpected}")
    model.load_state_dict(state, strict=False)
    for name in pairs:
        nn.init.zeros_(model.get_submodule(name).spread[1].weight)  # type: ignore[union-attr, index]


def _start_quiet(out: nn.Conv2d, anchors: int, *, prior: float = 0.01) -> None:
    """Begin with objectness near ``prior`` everywhere: most cells are background (Lin et al., 2017, section 4.1)."""
    nn.init.normal_(out.weight, std=0.01)
    with torch.no_grad():
        bias = out.bias.zero_().view(anchors, VALUES_PER_ANCHOR)
        bias[:, 4] = -math.log((1 - prior) / prior)


def count_macs(model: nn.Module, *, width: int, height: int) -> int:
    """Multiply-adds of the convolutions for one input of this size."""
    total = 0

    def add(layer: nn.Conv2d, _: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        per_value = layer.in_channels // layer.groups * layer.kernel_size[0] * layer.kernel_size[1]
        total += per_value * output[0].numel()

    hooks = [m.register_forward_hook(add) for m in model.modules() if isinstance(m, nn.Conv2d)]
    was_training = model.training
    with torch.no_grad():
        model.eval()(torch.zeros(1, 3, height, width))
    model.train(was_training)
    for hook in hooks:
        hook.remove()
    return total

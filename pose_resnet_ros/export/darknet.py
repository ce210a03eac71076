# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Darknet's YOLOv3 and YOLOv3-tiny: their layers, and the reader of their ``.weights`` files.

Layers: ``cfg/yolov3.cfg`` and ``cfg/yolov3-tiny.cfg`` of pjreddie/darknet; layout of the file: ``src/parser.c`` there.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from pose_resnet_ros.core.errors import ModelError

CLASS_COUNT = 80
OUTPUT_CHANNELS = 3 * (5 + CLASS_COUNT)


@dataclass(frozen=True)
class Conv:
    """Padding size // 2. ``head``: biased and linear; else batch norm and leaky ReLU (0.1)."""

    filters: int
    size: int = 3
    stride: int = 1
    head: bool = False


@dataclass(frozen=True)
class MaxPool:
    """2x2. With stride 1 the size is kept: cells missing at the right and at the bottom count as minus infinity."""

    stride: int = 2


@dataclass(frozen=True)
class Upsample:
    """Nearest neighbour, times two."""


@dataclass(frozen=True)
class Shortcut:
    """Sum of the previous layer and the one three layers back."""


@dataclass(frozen=True)
class Route:
    """Concatenation of the layers with these indices, in this order."""

    layers: tuple[int, ...]


@dataclass(frozen=True)
class Output:
    """The previous layer is one of the network's outputs (darknet's ``yolo`` layer)."""


Layer = Conv | MaxPool | Upsample | Shortcut | Route | Output
Architecture = Literal["yolov3-tiny", "yolov3"]


def _head() -> tuple[Layer, ...]:
    return (Conv(OUTPUT_CHANNELS, 1, head=True), Output())


def _tiny() -> tuple[Layer, ...]:
    backbone = [layer for filters in (16, 32, 64, 128, 256) for layer in (Conv(filters), MaxPool())]
    coarse = (Conv(512), MaxPool(stride=1), Conv(1024), Conv(256, 1), Conv(512), *_head())
    fine = (Route((13,)), Conv(128, 1), Upsample(), Route((19, 8)), Conv(256), *_head())
    return (*backbone, *coarse, *fine)


def _residual_stage(filters: int, count: int) -> tuple[Layer, ...]:
    pair = (Conv(filters // 2, 1), Conv(filters), Shortcut())
    return (Conv(filters, stride=2), *(pair * count))


def _yolov3() -> tuple[Layer, ...]:
    stages = ((64, 1), (128, 2), (256, 8), (512, 8), (1024, 4))
    backbone = [Conv(32), *(layer for stage in stages for layer in _residual_stage(*stage))]

    def head(filters: int) -> tuple[Layer, ...]:
        return (*(Conv(filters, 1), Conv(2 * filters)) * 3, *_head())

    middle = (Route((79,)), Conv(256, 1), Upsample(), Route((85, 61)))
    fine = (Route((91,)), Conv(128, 1), Upsample(), Route((97, 36)))
    return (*backbone, *head(512), *middle, *head(256), *fine, *head(128))


ARCHITECTURES: dict[Architecture, tuple[Layer, ...]] = {"yolov3-tiny": _tiny(), "yolov3": _yolov3()}


@dataclass(frozen=True)
class ConvWeights:
    """weight (out, in, k, k); bias (out,); norm: ``weight``, ``running_mean`` and ``running_var`` (out,), or None in a head."""

    weight: np.ndarray
    bias: np.ndarray
    norm: dict[str, np.ndarray] | None


def input_channels(layers: tuple[Layer, ...]) -> list[int]:
    """How many channels enter each layer."""
    outputs: list[int] = []
    inputs: list[int] = []
    for layer in layers:
        before = outputs[-1] if outputs else 3
        inputs.append(before)
        if isinstance(layer, Conv):
            outputs.append(layer.filters)
        else:
            outputs.append(sum(outputs[i] for i in layer.layers) if isinstance(layer, Route) else before)
    return inputs


def value_count(layers: tuple[Layer, ...]) -> int:
    """How many float32 values the file holds after its header."""
    return sum(c.filters * (channels * c.size**2 + (1 if c.head else 4)) for c, channels in _convs(layers))


def read_weights(path: Path, layers: tuple[Layer, ...]) -> list[ConvWeights]:
    """The convolutions' weights, in layer order.

    Raises ModelError unless the file holds exactly this architecture, to the byte.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        header = _header_size(path, file.read(20))
        expected = header + 4 * value_count(layers)
        if size != expected:  # known before its bytes take memory
            raise ModelError(
                f"{path}: expected {expected} bytes for this architecture, got {size}; "
                "the file is truncated, or of another network"
            )
        file.seek(0)
        data = file.read(expected)
    values = _Values(np.frombuffer(data, "<f4", offset=header))
    return [_read_conv(values, layer, channels) for layer, channels in _convs(layers)]


def architecture_of(path: Path) -> Architecture:
    """Which of the two networks a file holds, told by its size; raises ModelError if it is neither."""
    size = path.stat().st_size
    with path.open("rb") as file:
        header = _header_size(path, file.read(20))
    sizes = {name: header + 4 * value_count(layers) for name, layers in ARCHITECTURES.items()}
    for name, wanted in sizes.items():
        if size == wanted:
            return name
    wanted_text = " or ".join(f"{wanted} bytes ({name})" for name, wanted in sizes.items())
    raise ModelError(f"{path}: expected {wanted_text}, got {size} bytes; the file is truncated, or of another network")


def _convs(layers: tuple[Layer, ...]) -> list[tuple[Conv, int]]:
    """The convolutions, each with the number of its input channels."""
    return [(c, count) for c, count in zip(layers, input_channels(layers), strict=True) if isinstance(c, Conv)]


def _header_size(path: Path, data: bytes) -> int:
    """Three int32 of version, then the number of images seen: int64 from version 0.2 on, int32 before."""
    if len(data) < 20:
        raise ModelError(f"{path}: expected a darknet weights file, got {len(data)} bytes")
    major, minor = np.frombuffer(data, "<i4", count=2).tolist()
    return 20 if major * 10 + minor >= 2 and major < 1000 and minor < 1000 else 16


class _Values:
    def __init__(self, values: np.ndarray) -> None:
        self._values = values
        self._position = 0

    def take(self, *shape: int) -> np.ndarray:
        start, self._position = self._position, self._position + int(np.prod(shape))
        return self._values[start : self._position].reshape(shape)


def _read_conv(values: _Values, layer: Conv, channels: int) -> ConvWeights:
    bias, norm = values.take(layer.filters), None
    if not layer.head:
        norm = {name: values.take(layer.filters) for name in ("weight", "running_mean", "running_var")}
    return ConvWeights(values.take(layer.filters, channels, layer.size, layer.size), bias, norm)

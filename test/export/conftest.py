# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Darknet files for the tests: random weights in darknet's layout, and the cfg text of a layer table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest

from pose_resnet_ros.core.types import YoloScale
from pose_resnet_ros.export.darknet import Conv, Layer, MaxPool, Output, Route, Shortcut, Upsample

DARKNET_HEADER = np.array([0, 2, 0], "<i4").tobytes() + np.array([32_013_312], "<i8").tobytes()


def _write_weights(path: Path, layers: tuple[Layer, ...], *, seed: int = 0, person_logit: float = 0.0) -> Path:
    """Random weights whose activations keep their size; written value by value, as darknet's parser would read them.

    person_logit: added to objectness and to the class of persons.
    """
    rng = np.random.default_rng(seed)
    channels: list[int] = []
    with path.open("wb") as file:
        file.write(DARKNET_HEADER)
        for layer in layers:
            before = channels[-1] if channels else 3
            if isinstance(layer, Conv):
                _write_conv(file, layer, before, rng, person_logit)
                before = layer.filters
            elif isinstance(layer, Route):
                before = sum(channels[i] for i in layer.layers)
            channels.append(before)
    return path


def _write_conv(file: BinaryIO, layer: Conv, channels: int, rng: np.random.Generator, person_logit: float) -> None:
    n = layer.filters
    parts = [rng.normal(0, 0.1, n)]
    if layer.head:
        parts[0].reshape(3, -1)[:, 4:6] += person_logit
    else:
        parts += [rng.uniform(0.4, 0.8, n), rng.normal(0, 0.1, n), rng.uniform(0.5, 1.5, n)]
    fan_in = channels * layer.size**2
    parts.append(rng.normal(0, (2 / fan_in) ** 0.5, n * fan_in))
    for part in parts:
        file.write(part.astype("<f4").tobytes())


def _cfg_text(layers: tuple[Layer, ...], *, size: int, scales: tuple[YoloScale, ...]) -> str:
    """The network as a darknet cfg file."""
    lines = ["[net]", f"width={size}", f"height={size}", "channels=3"]
    anchors = iter(scale.anchors for scale in scales)
    for layer in layers:
        lines += _yolo(next(anchors)) if isinstance(layer, Output) else _section(layer)
    return "\n".join(lines) + "\n"


def _yolo(anchors: tuple[tuple[float, float], ...]) -> list[str]:
    pairs = ", ".join(f"{width},{height}" for width, height in anchors)
    return ["[yolo]", "mask=0,1,2", f"anchors={pairs}", "classes=80", "num=3"]


def _section(layer: Layer) -> list[str]:
    if isinstance(layer, Conv):
        norm = [] if layer.head else ["batch_normalize=1"]
        activation = "linear" if layer.head else "leaky"
        sizes = [f"filters={layer.filters}", f"size={layer.size}", f"stride={layer.stride}", "pad=1"]
        return ["[convolutional]", *norm, *sizes, f"activation={activation}"]
    if isinstance(layer, MaxPool):
        return ["[maxpool]", "size=2", f"stride={layer.stride}"]
    if isinstance(layer, Upsample):
        return ["[upsample]", "stride=2"]
    if isinstance(layer, Shortcut):
        return ["[shortcut]", "from=-3", "activation=linear"]
    assert isinstance(layer, Route)
    return ["[route]", "layers=" + ",".join(str(i) for i in layer.layers)]


@pytest.fixture(scope="session")
def write_weights() -> Callable[..., Path]:
    return _write_weights


@pytest.fixture(scope="session")
def cfg_text() -> Callable[..., str]:
    return _cfg_text

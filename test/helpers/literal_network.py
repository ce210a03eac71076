# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""PoseResNet in NumPy, layer by layer as the paper's code runs it: batch norm after each convolution, nothing folded.

Independent of the package and of PyTorch, so that an environment without PyTorch has something to compare with.
"""

from __future__ import annotations

import numpy as np

State = dict[str, np.ndarray]


def convolution(x: np.ndarray, weight: np.ndarray, *, stride: int = 1, padding: int = 0) -> np.ndarray:
    """x (C, h, w), weight (out, C, k, k)."""
    size = weight.shape[2]
    x = np.pad(x, ((0, 0), (padding, padding), (padding, padding)))
    windows = np.lib.stride_tricks.sliding_window_view(x, (size, size), axis=(1, 2))[:, ::stride, ::stride]
    channels, height, width = windows.shape[:3]
    columns = windows.transpose(0, 3, 4, 1, 2).reshape(channels * size * size, height * width)
    return (weight.reshape(len(weight), -1) @ columns).reshape(-1, height, width)


def transposed_convolution(x: np.ndarray, weight: np.ndarray, *, padding: int, further: int) -> np.ndarray:
    """Stride 2; weight (C, out, k, k): each value spreads over k x k cells of the larger map, whose border is cut off."""
    channels, height, width = x.shape
    size = weight.shape[2]
    whole = np.zeros((weight.shape[1], 2 * height + size, 2 * width + size), x.dtype)
    for j in range(size):
        for i in range(size):
            spread = weight[:, :, j, i].T @ x.reshape(channels, -1)
            whole[:, j : j + 2 * height : 2, i : i + 2 * width : 2] += spread.reshape(-1, height, width)
    rows, columns = ((n - 1) * 2 - 2 * padding + size + further for n in (height, width))
    return whole[:, padding : padding + rows, padding : padding + columns]


def norm(state: State, name: str, x: np.ndarray) -> np.ndarray:
    gamma, beta, mean, variance = (
        state[f"{name}.{part}"].reshape(-1, 1, 1) for part in ("weight", "bias", "running_mean", "running_var")
    )
    return (x - mean) / np.sqrt(variance + 1e-5) * gamma + beta


def relu(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0)


def max_pool(x: np.ndarray) -> np.ndarray:
    """3x3, stride 2, padding 1."""
    x = np.pad(x, ((0, 0), (1, 1), (1, 1)), constant_values=-np.inf)
    return np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(1, 2))[:, ::2, ::2].max(axis=(3, 4))


def block(state: State, prefix: str, x: np.ndarray, stride: int) -> np.ndarray:
    shortcut = x
    if f"{prefix}.downsample.0.weight" in state:
        shortcut = convolution(x, state[f"{prefix}.downsample.0.weight"], stride=stride)
        shortcut = norm(state, f"{prefix}.downsample.1", shortcut)
    if f"{prefix}.conv3.weight" in state:
        x = relu(norm(state, f"{prefix}.bn1", convolution(x, state[f"{prefix}.conv1.weight"])))
        x = convolution(x, state[f"{prefix}.conv2.weight"], stride=stride, padding=1)
        x = relu(norm(state, f"{prefix}.bn2", x))
        x = norm(state, f"{prefix}.bn3", convolution(x, state[f"{prefix}.conv3.weight"]))
    else:
        x = convolution(x, state[f"{prefix}.conv1.weight"], stride=stride, padding=1)
        x = relu(norm(state, f"{prefix}.bn1", x))
        x = norm(state, f"{prefix}.bn2", convolution(x, state[f"{prefix}.conv2.weight"], padding=1))
    return relu(x + shortcut)


def heatmaps(state: State, crop: np.ndarray) -> np.ndarray:
    """crop (3, h, w) -> (J, h/4, w/4)."""
    x = relu(norm(state, "bn1", convolution(crop, state["conv1.weight"], stride=2, padding=3)))
    x = max_pool(x)
    for stage in (1, 2, 3, 4):
        for number in range(40):
            if f"layer{stage}.{number}.conv1.weight" in state:
                x = block(state, f"layer{stage}.{number}", x, 2 if stage > 1 and number == 0 else 1)
    for index in (0, 3, 6):
        weight = state[f"deconv_layers.{index}.weight"]
        padding, further = {4: (1, 0), 3: (1, 1), 2: (0, 0)}[weight.shape[2]]
        x = transposed_convolution(x, weight, padding=padding, further=further)
        if f"deconv_layers.{index}.bias" in state:
            x = x + state[f"deconv_layers.{index}.bias"].reshape(-1, 1, 1)
        x = relu(norm(state, f"deconv_layers.{index + 1}", x))
    weight = state["final_layer.weight"]
    x = convolution(x, weight, padding=weight.shape[2] // 2)
    return x + state["final_layer.bias"].reshape(-1, 1, 1)

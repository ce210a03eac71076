# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The heatmaps that a pose network is to draw, and how far it is from them."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from training.pose.model import to_input


class PoseLoss:
    """Mean squared error of the heatmaps against the labels and against a teacher, as much as each is trusted."""

    def __init__(self, size_wh: tuple[int, int], *, sigma: float) -> None:
        self._size_wh = size_wh
        self._sigma = sigma

    def __call__(self, model: nn.Module, batch: list[torch.Tensor]) -> torch.Tensor:
        crops, keypoints, weights = batch
        predicted = model(to_input(crops)).float()
        maps = gaussian_heatmaps(keypoints, self._size_wh, sigma=self._sigma)
        # The weighted mean of two targets pulls as both errors would: they differ by a constant.
        total = weights.sum(1)
        targets = (maps * weights[..., None, None]).sum(1) / total.clamp(min=1e-6)[..., None, None]
        # Divided by what an empty map would get, the error is of order 1 at any heatmap size.
        error = (predicted - targets).square().sum((2, 3)) / (np.pi * self._sigma**2)
        return (error * total).sum() / total.sum().clamp(min=1)


def gaussian_heatmaps(keypoints: torch.Tensor, size_wh: tuple[int, int], *, sigma: float) -> torch.Tensor:
    """Targets (..., K, h/4, w/4): peak 1 at keypoint/4, standard deviation ``sigma`` heatmap pixels.

    keypoints: (..., K, 2) in crop pixels. Heatmap cell i lies on crop pixel 4*i (as in microsoft/human-pose-estimation.pytorch),
    but the centre is not rounded to a cell, so that the decoder's sub-cell shift has something to find.
    """
    columns = torch.arange(size_wh[0] // 4, device=keypoints.device, dtype=torch.float32)
    rows = torch.arange(size_wh[1] // 4, device=keypoints.device, dtype=torch.float32)
    centres = keypoints / 4
    across = torch.exp(-((columns - centres[..., :1]) ** 2) / (2 * sigma**2))
    down = torch.exp(-((rows - centres[..., 1:]) ** 2) / (2 * sigma**2))
    return down[..., :, None] * across[..., None, :]

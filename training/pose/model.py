# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""``pose_resnet_lite`` as the package sees it: its network, its description, its input and its output."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from pose_resnet_ros.core.heatmaps import DECODERS
from pose_resnet_ros.core.types import InputSpec
from pose_resnet_ros.export.torch_networks import PoseResNet, pose_resnet
from pose_resnet_ros.models.spec import PoseSpec
from training.pose.augment import PADDING

NAME = "pose_resnet_lite"
WIDTH, HEIGHT = 160, 192
MEAN_BGR = (0.406, 0.456, 0.485)
STD_BGR = (0.225, 0.224, 0.229)


def describe(*, width: int = WIDTH, height: int = HEIGHT, provenance: dict[str, str] | None = None) -> PoseSpec:
    """The description that travels in the ONNX file."""
    return PoseSpec(
        name=NAME,
        input=InputSpec(width=width, height=height, channel_order="bgr", scale=1 / 255, mean=MEAN_BGR, std=STD_BGR),
        decoder="dark",
        skeleton="coco17",
        crop="topdown",
        padding=PADDING,
        provenance=provenance or {},
    )


def new_network(*, width: int = 32, deconv_channels: int = 96) -> PoseResNet:
    """PoseResNet-18 with ``width`` channels in its first stage, initialised as the paper's code does."""
    network = pose_resnet(18, width=width, deconv_channels=deconv_channels)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.ConvTranspose2d):
            nn.init.normal_(module.weight, std=0.02)
    # Heatmaps are nearly empty: the last layer starts close to zero.
    nn.init.normal_(network.final_layer.weight, std=0.001)
    nn.init.zeros_(network.final_layer.bias)
    return network


def to_input(crops: torch.Tensor) -> torch.Tensor:
    """(N, h, w, 3) uint8 BGR to the network's (N, 3, h, w) float32 input, in channels-last memory."""
    offset = torch.tensor(MEAN_BGR, device=crops.device) * 255
    factor = 1 / (torch.tensor(STD_BGR, device=crops.device) * 255)
    return ((crops.float() - offset) * factor).permute(0, 3, 1, 2)


def decode(heatmaps: torch.Tensor, size_wh: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """The network's output as the package reads it: points (N, 17, 2) in crop pixels and scores (N, 17).

    heatmaps: (N, 17, Hh, Wh) on any device; size_wh: of the network's input.
    """
    return DECODERS[describe().decoder].decode([heatmaps.float().cpu().numpy()], input_wh=size_wh)

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Weights as runs leave them."""

from __future__ import annotations

from pathlib import Path

import torch


def load_weights(path: Path) -> dict[str, torch.Tensor]:
    """The state dict in ``path``: a plain one, or the averaged weights of a run's ``last.pt``."""
    state = torch.load(path, map_location="cpu", weights_only=True)
    if "averaged" not in state:
        return state
    return {key.removeprefix("module."): value for key, value in state["averaged"].items() if key != "n_averaged"}

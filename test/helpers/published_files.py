# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Stand-ins for published files: the layout, key names and sizes of the real ones, with weights of the tests' own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from torch import nn

Style = Literal["microsoft", "trainer", "best", "mmpose", "mmpose0"]


def write_checkpoint(path: Path, network: nn.Module, *, style: Style = "microsoft") -> Path:
    """A checkpoint as the named code writes it.

    microsoft: the released files (flat, saved before PyTorch counted batches); trainer: ``checkpoint.pth.tar`` of Microsoft's
    trainer; best: its ``model_best.pth.tar``; mmpose: 1.x, published in the old format; mmpose0: 0.x.
    """
    import torch

    state = network.state_dict()
    if style == "microsoft":
        torch.save({key: value for key, value in state.items() if "num_batches" not in key}, path)
    elif style == "best":
        torch.save({f"module.{key}": value for key, value in state.items()}, path)
    elif style == "trainer":
        weights = {f"module.{key}": value for key, value in state.items()}
        rest = {"epoch": 140, "model": "pose_resnet", "perf": np.float64(0.7), "optimizer": {"state": {}}}
        torch.save({"state_dict": weights, **rest}, path)
    else:
        head = "head" if style == "mmpose" else "keypoint_head"
        weights = {_mmpose_key(key, head): value for key, value in state.items()}
        if style == "mmpose":
            weights["data_preprocessor.mean"] = torch.zeros(3, 1, 1)
        meta = {"dataset_meta": {"sigmas": np.arange(17, dtype=np.float32)}, "epoch": 210}
        content = {"meta": meta, "state_dict": weights}
        torch.save(content, path, _use_new_zipfile_serialization=False)
    return path


def _mmpose_key(key: str, head: str) -> str:
    return f"{head}.{key}" if key.startswith(("deconv_layers", "final_layer")) else f"backbone.{key}"


def write_zero_weights(path: Path, size: int) -> Path:
    """A darknet file of ``size`` bytes whose weights are all 0."""
    with path.open("wb") as file:
        file.write(np.array([0, 2, 0], "<i4").tobytes())
        file.truncate(size)
    return path

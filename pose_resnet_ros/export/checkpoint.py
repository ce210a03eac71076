# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Reading PyTorch checkpoints of PoseResNet: Microsoft's, mmpose's (1.x and 0.x) and our own. PyTorch is not needed.

A pickle can run any program when it is opened, so only tensors, plain containers and NumPy arrays are let through
(``torch_pickle``), and none of it is run.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from pose_resnet_ros.core.errors import ModelError
from pose_resnet_ros.export.architecture import REQUIRED, NotAPoseResNet, architecture_of, is_counter
from pose_resnet_ros.export.torch_file import Tensor, open_torch_file
from pose_resnet_ros.export.torch_pickle import Refused

PREFIXES = ("module.", "backbone.", "keypoint_head.", "head.")


def import_torch() -> Any:
    """torch, or a ModelError that says how to install it."""
    try:
        import torch
    except ImportError as error:
        raise ModelError(
            "running the source network (--check) needs torch, which is not installed; pip install torch (the CPU build will do)"
        ) from error
    return torch


def load_state(path: Path) -> dict[str, np.ndarray]:
    """The network's tensors as float32 arrays under the names of Microsoft's files, prefixes and counters removed.

    Raises ModelError when the file is no checkpoint, wants to run code, lies about its sizes, or holds another network.
    """
    if not path.is_file():
        raise ModelError(f"{path}: no such file")
    try:
        with open_torch_file(path) as content:
            return _arrays(path, _weights(path, content))
    except ModelError:
        raise
    except Refused as error:
        raise ModelError(_refusal(path, str(error))) from error
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise ModelError(f"{path}: damaged or not a PyTorch checkpoint ({reason}); fetch it again") from error


def _weights(path: Path, content: object) -> dict[str, Tensor]:
    """The tensors under their plain names; their values are not read yet."""
    if isinstance(content, dict) and isinstance(content.get("state_dict"), dict):
        content = content["state_dict"]
    if not isinstance(content, dict):
        raise ModelError(f"{path}: expected a dictionary of tensors, got {type(content).__name__}; is this a checkpoint?")
    named = [(plain_name(str(key)), value) for key, value in content.items() if _is_weight(str(key), value)]
    state = dict(named)
    missing = [key for key in REQUIRED if key not in state]
    if missing:
        raise ModelError(
            f"{path}: not a PoseResNet checkpoint, {', '.join(missing)} missing; it starts with {', '.join(list(state)[:4])}"
        )
    if len(state) < len(named):
        raise ModelError(f"{path}: its tensors do not make a PoseResNet: {_first_double(named)} is there twice")
    return state


def _first_double(named: list[tuple[str, Tensor]]) -> str:
    seen: set[str] = set()
    return next(name for name, _ in named if name in seen or seen.add(name))  # type: ignore[func-returns-value]


def _arrays(path: Path, state: dict[str, Tensor]) -> dict[str, np.ndarray]:
    try:
        architecture_of(state)
        return {name: _values(name, tensor) for name, tensor in state.items()}
    except NotAPoseResNet as error:
        raise ModelError(f"{path}: its tensors do not make a PoseResNet: {error}") from error


def _values(name: str, tensor: Tensor) -> np.ndarray:
    if not tensor.is_floating:
        raise NotAPoseResNet(f"{name} holds whole numbers")
    values = tensor.numpy()
    if not np.isfinite(values).all():
        raise NotAPoseResNet(f"{name} holds values that are not finite")
    if name.endswith("running_var") and values.min() < 0:
        raise NotAPoseResNet(f"{name} holds a negative variance")
    return values


def plain_name(key: str) -> str:
    """The tensor's name without the prefixes that DataParallel and mmpose put before it."""
    for prefix in PREFIXES:
        key = key.removeprefix(prefix)
    return key


def _is_weight(key: str, value: object) -> bool:
    ignored = is_counter(key) or key.startswith("data_preprocessor.")
    return isinstance(value, Tensor) and not ignored


def _refusal(path: Path, name: str) -> str:
    return (
        f"{path}: refused, because opening it would use {name}, and a checkpoint needs only tensors and NumPy arrays. "
        "A pickle can run any program: load such a file yourself only if you trust who made it, save its state_dict alone "
        "with torch.save, and export that"
    )

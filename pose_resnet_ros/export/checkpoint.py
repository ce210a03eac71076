# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Reading PyTorch checkpoints of PoseResNet: Microsoft's, mmpose's (1.x and 0.x) and our own.

A pickle can run any program when it is opened, so only tensors, plain containers and NumPy arrays are let through.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np

from pose_resnet_ros.core.errors import ModelError

SAFE_TORCH = (2, 6)
PREFIXES = ("module.", "backbone.", "keypoint_head.", "head.")
REQUIRED = (
    "conv1.weight",
    "bn1.running_var",
    "layer4.0.conv1.weight",
    "deconv_layers.0.weight",
    "final_layer.weight",
)


def import_torch() -> Any:
    """torch, or a ModelError that says how to install it."""
    try:
        import torch
    except ImportError as error:
        raise ModelError(
            "reading a PyTorch checkpoint needs torch, which is not installed; pip install torch (the CPU build will do)"
        ) from error
    version = tuple(int(part) for part in torch.__version__.split(".")[:2])
    if version < SAFE_TORCH:
        raise ModelError(
            f"torch {torch.__version__} can be made to run a program by a checkpoint, even with weights_only"
            " (CVE-2025-32434); expected 2.6 or later: pip install -U torch, here or on another machine"
        )
    return torch


def load_state(path: Path) -> dict[str, np.ndarray]:
    """The network's tensors as float32 arrays under the names of Microsoft's files, prefixes and counters removed.

    Raises ModelError when the file is no checkpoint, wants to run code, or holds another network.
    """
    content = _load(path)
    if isinstance(content, dict) and isinstance(content.get("state_dict"), dict):
        content = content["state_dict"]
    if not isinstance(content, dict):
        raise ModelError(
            f"{path}: expected a dictionary of tensors, got {type(content).__name__}; is this a checkpoint?"
        )
    state = {
        plain_name(key): value.detach().float() for key, value in content.items() if _is_weight(key, value)
    }
    missing = [key for key in REQUIRED if key not in state]
    if missing:
        raise ModelError(
            f"{path}: not a PoseResNet checkpoint, {', '.join(missing)} missing; it starts with {', '.join(list(state)[:4])}"
        )
    _require_pose_resnet(path, state)
    return {key: tensor.numpy() for key, tensor in state.items()}


def _require_pose_resnet(path: Path, state: dict[str, Any]) -> None:
    from pose_resnet_ros.export.pose_resnet_torch import network_for

    try:
        network_for(state)
    except RuntimeError as error:
        reasons = "; ".join(line.strip() for line in str(error).splitlines()[1:4])
        raise ModelError(f"{path}: its tensors do not make a PoseResNet: {reasons}") from error


def plain_name(key: str) -> str:
    """The tensor's name without the prefixes that DataParallel and mmpose put before it."""
    for prefix in PREFIXES:
        key = key.removeprefix(prefix)
    return key


def _is_weight(key: str, value: Any) -> bool:
    ignored = key.endswith("num_batches_tracked") or key.startswith("data_preprocessor.")
    return hasattr(value, "detach") and not ignored


def _load(path: Path) -> Any:
    torch = import_torch()
    if not path.is_file():
        raise ModelError(f"{path}: no such file")
    try:
        with torch.serialization.safe_globals(_numpy_types()):
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ModelError(_refusal(path, str(error))) from error
    except Exception as error:
        raise ModelError(f"{path}: damaged or not a PyTorch checkpoint ({error}); fetch it again") from error


def _refusal(path: Path, reason: str) -> str:
    wanted = reason.split("GLOBAL ")[1].split(" ")[0] if "GLOBAL " in reason else ""
    if not wanted:
        return f"{path}: damaged or not a PyTorch checkpoint; fetch it again"
    return (
        f"{path}: refused, because opening it would use {wanted}, and a checkpoint needs only tensors and NumPy arrays. "
        "A pickle can run any program: load such a file yourself only if you trust who made it, save its state_dict alone "
        "with torch.save, and export that"
    )


def _numpy_types() -> list[Any]:
    """What legitimate files hold beside tensors: NumPy arrays and scalars, under their names of NumPy 1 and 2."""
    core = np._core if hasattr(np, "_core") else np.core  # type: ignore[attr-defined]
    array, scalar = core.multiarray._reconstruct, core.multiarray.scalar
    dtypes = {type(np.dtype(code)) for code in "?bhilqBHILQefd"}
    types: list[Any] = [np.ndarray, np.dtype, *dtypes]
    for module in ("numpy.core.multiarray", "numpy._core.multiarray"):
        types += [(array, f"{module}._reconstruct"), (scalar, f"{module}.scalar")]
    return types

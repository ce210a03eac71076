# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Looks at an ONNX file before a library loads it: do its weights lie where they may, and are there as many as it says?

onnxruntime checks this in its newer versions only. Before, a model could have any file of the machine read as its weights, wait
for a pipe, or take memory without end.
"""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path

from pose_resnet_ros.core.errors import ModelError
from pose_resnet_ros.models.onnx_tensors import DeclaredTensor, declared_tensors

_MOST_PACKED = 16  # the shortest number in protobuf has a byte, the longest element 16


def check_declared_weights(path: Path) -> None:
    """Raises ModelError for what is not ONNX, for weights outside of the file's folder (by an absolute path, ``..`` or a link) or
    in what is no file, and for more of them than are there or than this machine has memory for.

    Where a file with weights is missing, the library that loads the model says so.
    """
    by_location: dict[str | None, list[int]] = defaultdict(list)
    for tensor in _tensors_of(path):
        by_location[tensor.location].append(tensor.byte_count)
    total = sum(map(sum, by_location.values()))
    inside = sum(by_location.pop(None, []))
    if inside > path.stat().st_size * _MOST_PACKED:
        raise ModelError(f"{path} declares {inside} bytes of weights, more than it can hold; fetch or export it again")
    for location, byte_counts in by_location.items():
        _check_file(path, str(location), largest=max(byte_counts))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if total > memory:
        raise ModelError(f"{path} has {total} bytes of weights; this machine has {memory} bytes of memory")


def has_weights_elsewhere(path: Path) -> bool:
    """Whether weights lie in other files beside this one, as newer exporters put them. Raises ModelError for what is not ONNX."""
    return any(tensor.location is not None for tensor in _tensors_of(path))


def _tensors_of(path: Path) -> list[DeclaredTensor]:
    try:
        return declared_tensors(path)
    except ValueError as error:
        raise ModelError(f"{path} is not an ONNX model, or only a part of one ({error}); fetch or export it again") from error
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from error


def _check_file(path: Path, location: str, *, largest: int) -> None:
    """Of one file with weights; largest: bytes of the largest tensor in it."""
    try:
        real = (path.parent / location).resolve()
    except (ValueError, OSError, RuntimeError) as error:  # a zero byte, a loop of links
        raise ModelError(f"{path}: its weights are to be in {location!r}, which is no file name: {error}") from error
    # A model that is itself a link (as in Hugging Face's cache) may have its weights beside what it links to.
    if not any(real.is_relative_to(folder) for folder in (path.parent.resolve(), path.resolve().parent)):
        raise ModelError(
            f"{path}: refused, its weights are to be read from '{location}', outside of its folder; expected a file beside it"
            " (an absolute path, '..' or a link could name any file of this machine)"
        )
    if os.path.isfile(real):
        if real.stat().st_size < largest:
            raise ModelError(
                f"{real}: expected at least {largest} bytes of weights for {path.name}, got {real.stat().st_size};"
                " fetch or export it again"
            )
    elif os.path.exists(real):
        raise ModelError(f"{path}: expected weights in a file, '{location}' is a folder, a pipe or a device")

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Whatever a .weights file holds: a network of finite weights, or a ModelError."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutations import mutated

from pose_resnet_ros.core.errors import ModelError
from pose_resnet_ros.export.darknet import (
    ARCHITECTURES,
    Conv,
    MaxPool,
    Output,
    architecture_of,
    darknet_graph,
    read_weights,
    value_count,
)

LAYERS = (Conv(2), MaxPool(), Conv(4, 1, head=True), Output())
HEADER = np.array([0, 2, 0, 7, 0], "<i4").tobytes()
VALUES = np.linspace(0.1, 1.0, value_count(LAYERS), dtype="<f4")
WHOLE = HEADER + VALUES.tobytes()


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("darknet") / "some.weights"


@given(mutated([WHOLE, HEADER[:16] + VALUES.tobytes()]))
def test_damaged_weights_are_a_network_or_refused(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    try:
        model = darknet_graph(LAYERS, read_weights(path, LAYERS))
    except ModelError:
        return
    assert all(np.isfinite(onnx.numpy_helper.to_array(weight)).all() for weight in model.graph.initializer)


@given(st.sampled_from(sorted(ARCHITECTURES)), st.integers(-9, 9) | st.integers(0, 1 << 40), st.binary(max_size=24))
def test_the_size_tells_the_network(path: Path, name: str, off: int, head: bytes) -> None:
    """Sparse files: they take no place on the disk."""
    right = len(HEADER) + 4 * value_count(ARCHITECTURES[name])  # type: ignore[index]
    path.write_bytes(head)
    os.truncate(path, max(right + off, 0))
    try:
        found = architecture_of(path)
    except ModelError:
        return
    assert found in ARCHITECTURES
    assert off in (0, -4)  # a header of 20 bytes or of 16

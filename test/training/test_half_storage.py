# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Weights stored in float16: half the size, float32 arithmetic."""

from __future__ import annotations

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

from pose_resnet_ros.export.graph import GraphBuilder  # noqa: E402
from training.half_storage import store_half  # noqa: E402


def test_only_the_weights_are_rounded() -> None:
    random = np.random.default_rng(0)
    weight, bias = (random.normal(size=(32, 32, 3, 3)).astype(np.float32), random.normal(size=32).astype(np.float32))
    g = GraphBuilder()
    g.conv("input", weight, bias, output="out")
    model = g.model(input_shape=("N", 32, 8, 8), outputs={"out": ("N", 32, 8, 8)})
    full = len(model.SerializeToString())
    batch = random.normal(size=(2, 32, 8, 8)).astype(np.float32)
    before = _run(model, batch)
    store_half(model)
    assert len(model.SerializeToString()) < 0.55 * full
    rounded = GraphBuilder()
    rounded.conv("input", weight.astype(np.float16).astype(np.float32), bias, output="out")
    expected = _run(rounded.model(input_shape=("N", 32, 8, 8), outputs={"out": ("N", 32, 8, 8)}), batch)
    np.testing.assert_allclose(_run(model, batch), expected, atol=1e-4)
    np.testing.assert_allclose(_run(model, batch), before, atol=0.05)


def _run(model: onnx.ModelProto, batch: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"input": batch})[0]

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""int8 networks give the sums of integers on any CPU."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import known_models
import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import helper, numpy_helper

from pose_resnet_ros.models import hardware, loading
from pose_resnet_ros.models.pose_net import PoseNet
from pose_resnet_ros.models.registry import WEIGHTS_FOLDER
from pose_resnet_ros.models.runtime import OnnxModel, RunOn
from pose_resnet_ros.models.spec import PRECISION, WEIGHT_BITS, PoseSpec

CHANNELS, SIDE, BRIGHTEST = 8, 6, 255
# The largest sum of a 3x3 convolution, as 255 steps of the output.
STEP = 127 * 9 * CHANNELS


def convolution(path: Path, weight: int) -> Path:
    """A quantised 3x3 convolution whose weights are all ``weight``."""
    constants = {
        "one": np.float32(1),
        "zero": np.uint8(0),
        "kernel": np.full((CHANNELS, CHANNELS, 3, 3), weight, np.int8),
        "ones": np.ones(CHANNELS, np.float32),
        "zeros": np.zeros(CHANNELS, np.int8),
        "step": np.float32(STEP),
    }
    nodes = [
        helper.make_node("QuantizeLinear", ["input", "one", "zero"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "one", "zero"], ["x"]),
        helper.make_node("DequantizeLinear", ["kernel", "ones", "zeros"], ["w"], axis=0),
        helper.make_node("Conv", ["x", "w"], ["y"], pads=[1] * 4),
        helper.make_node("QuantizeLinear", ["y", "step", "zero"], ["yq"]),
        helper.make_node("DequantizeLinear", ["yq", "step", "zero"], ["output"]),
    ]
    inputs = {"input": (1, CHANNELS, SIDE, SIDE)}
    return known_models.save(path, nodes, inputs=inputs, outputs=["output"], constants=constants)


@pytest.mark.parametrize("weight", [64, 127])
def test_the_largest_numbers_do_not_saturate(tmp_path: Path, weight: int) -> None:
    model = OnnxModel(convolution(tmp_path / "net.onnx", weight), run_on=RunOn(backend="cpu"))
    found = model.run(np.full((1, CHANNELS, SIDE, SIDE), BRIGHTEST, np.float32))[0]
    expected = BRIGHTEST * weight * 9 * CHANNELS
    assert np.abs(found[:, :, 1:-1, 1:-1] - expected).max() <= STEP / 2


def test_weights_of_7_bits_do_not_saturate_even_in_a_session_of_others(tmp_path: Path) -> None:
    path = convolution(tmp_path / "net.onnx", 64)
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found = session.run(None, {"input": np.full((1, CHANNELS, SIDE, SIDE), BRIGHTEST, np.float32)})[0]
    assert np.abs(found[:, :, 1:-1, 1:-1] - BRIGHTEST * 64 * 9 * CHANNELS).max() <= STEP / 2


@pytest.mark.parametrize("saturates", [False, True])
def test_exact_sums_are_asked_for_where_fast_ones_saturate(monkeypatch: pytest.MonkeyPatch, saturates: bool) -> None:
    monkeypatch.setattr(hardware, "saturates_at_int8", lambda: saturates)
    asked = hardware.session_options(1).get_session_config_entry("session.x64quantprecision")
    assert asked == str(int(saturates))


@pytest.mark.parametrize("path", sorted(WEIGHTS_FOLDER.glob("*.int8.onnx")), ids=lambda path: path.name)
def test_what_comes_along_has_weights_of_7_bits(path: Path) -> None:
    stored = [weight for weight in onnx.load(path).graph.initializer if len(weight.dims) == 4]
    small = [numpy_helper.to_array(w) for w in stored if w.data_type == onnx.TensorProto.INT8]
    assert len(small) > 20
    assert max(int(np.abs(weight.astype(int)).max()) for weight in small) == 64


def net_of(path: Path, **provenance: str) -> PoseNet:
    spec: PoseSpec = replace(known_models.POSE_SPEC, provenance=provenance)
    return PoseNet(known_models.pose_net(path, spec=spec), run_on=RunOn(backend="cpu"))


@pytest.mark.parametrize(
    ("saturates", "provenance", "told"),
    [
        (True, {PRECISION: "int8"}, True),
        (True, {PRECISION: "int8", WEIGHT_BITS: "7"}, False),
        (True, {}, False),
        (False, {PRECISION: "int8"}, False),
    ],
)
def test_files_of_older_exports_are_named_where_they_are_slow(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    saturates: bool,
    provenance: dict[str, str],
    told: bool,
) -> None:
    monkeypatch.setattr(loading, "saturates_at_int8", lambda: saturates)
    with caplog.at_level(logging.WARNING):
        net_of(tmp_path / "old.onnx", **provenance)
    warnings = [record.getMessage() for record in caplog.records if "export it again" in record.getMessage()]
    assert len(warnings) == told
    assert all("old.onnx has 8-bit weights" in text for text in warnings)

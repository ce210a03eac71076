# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Whatever a model's metadata say: a description, or a ModelError; and a model that is described so runs, or is refused."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mutations import mutated
from spot_model import spot_model

from pose_resnet_ros.core.errors import PoseError
from pose_resnet_ros.core.types import Detections, InputSpec, YoloScale
from pose_resnet_ros.models.detector import PersonDetector
from pose_resnet_ros.models.pose_net import PoseNet
from pose_resnet_ros.models.runtime import RunOn
from pose_resnet_ros.models.spec import METADATA_KEY, DetectorSpec, PoseSpec, spec_from_json, spec_to_json

PIXELS = InputSpec(48, 64, "bgr", 1 / 255)
POSE = PoseSpec("spot", PIXELS, "microsoft", "coco17")
DETECTOR = DetectorSpec("boxes", PIXELS, "darknet", "yolov3", (YoloScale(32, ((10.0, 14.0), (23.0, 27.0))),), 80)
SPECS = [json.loads(spec_to_json(spec)) for spec in (POSE, DETECTOR)]
NUMBERS = st.integers(-2, 100) | st.floats() | st.sampled_from((10**30, 10**400, 1e-320, 1e308))
NAMES = st.sampled_from(("simcc", "dark", "ailia", "openpose18", "rgb", "pose", "detector", "yolox", "onnx_zoo")) | st.text(
    max_size=5
)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | NAMES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def descriptions(draw: st.DrawFn, specs: list[dict[str, Any]]) -> str:
    """A description with up to three of its values replaced, removed or added."""
    spec = copy.deepcopy(draw(st.sampled_from(specs)))
    for _ in range(draw(st.integers(0, 3))):
        owner = draw(st.sampled_from((spec, spec["input"])))
        if not isinstance(owner, dict):
            break
        key = draw(st.sampled_from(sorted(owner)) | NAMES)
        if draw(st.integers(0, 5)) == 0 and key != "input":
            owner.pop(key, None)
        elif key != "input":
            owner[key] = draw(VALUES)
    return json.dumps(spec)


TEXTS = descriptions(SPECS) | VALUES.map(json.dumps) | st.text(max_size=20) | st.sampled_from(("[" * 100_000, '{"a":' * 100_000))


@given(TEXTS | mutated([json.dumps(spec).encode() for spec in SPECS]).map(lambda data: data.decode(errors="replace")))
def test_a_description_is_read_or_refused(text: str) -> None:
    try:
        spec = spec_from_json(text)
    except PoseError:
        return
    assert spec_from_json(spec_to_json(spec)) == spec


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("described")


@settings(max_examples=settings.default.max_examples // 2)
@given(text=descriptions(SPECS[:1]), free=st.booleans())
def test_a_pose_network_runs_as_described_or_is_refused(folder: Path, text: str, free: bool) -> None:
    model = onnx.load(spot_model(folder / "spot.onnx"))
    if free:
        _free_size(model)
    onnx.helper.set_model_props(model, {METADATA_KEY: text})
    path = folder / "described.onnx"
    onnx.save(model, path)
    try:
        net = PoseNet(path, run_on=RunOn(backend="cpu", threads=1))
    except PoseError:
        return
    boxes = Detections(np.array([[3, 4, 30, 60], [-5, -5, 70, 60]], np.float32), np.ones(2, np.float32))
    people = net.estimate(np.zeros((64, 64, 3), np.uint8), boxes).people
    net.close()
    assert people.keypoints_xy.shape == (2, len(net.skeleton), 2)
    assert np.isfinite(people.keypoints_xy).all()


@settings(max_examples=settings.default.max_examples // 2)
@given(text=descriptions(SPECS[1:]))
def test_a_detector_runs_as_described_or_is_refused(folder: Path, text: str) -> None:
    model = _grid_model()
    onnx.helper.set_model_props(model, {METADATA_KEY: text})
    path = folder / "detector.onnx"
    onnx.save(model, path)
    try:
        detector = PersonDetector(path, run_on=RunOn(backend="cpu", threads=1))
    except PoseError:
        return
    found = detector.detect(np.zeros((64, 64, 3), np.uint8), detection_threshold=0.1, nms_threshold=0.5)
    detector.close()
    assert np.isfinite(found.boxes_xyxy).all()


def _free_size(model: onnx.ModelProto) -> None:
    for value in (*model.graph.input, *model.graph.output):
        for axis in (2, 3):
            value.type.tensor_type.shape.dim[axis].dim_param = f"{value.name}{axis}"


def _grid_model() -> onnx.ModelProto:
    """A detector of free size: 2 * (5 + 80) channels for each cell of 32 x 32 pixels."""
    helper, numpy_helper = onnx.helper, onnx.numpy_helper
    weights = np.random.default_rng(0).normal(0, 3, (170, 3, 1, 1)).astype(np.float32)
    nodes = [
        helper.make_node("AveragePool", ["input"], ["cells"], kernel_shape=[32, 32], strides=[32, 32]),
        helper.make_node("Conv", ["cells", "weights"], ["grid"], kernel_shape=[1, 1]),
    ]
    shapes = {"input": ["n", 3, "h", "w"], "grid": ["n", 170, "gh", "gw"]}
    values = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape) for name, shape in shapes.items()]
    graph = helper.make_graph(nodes, "grid", values[:1], values[1:], [numpy_helper.from_array(weights, "weights")])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)

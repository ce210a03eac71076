# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest

from pose_resnet_ros.core.detector_heads import decode_yolov3
from pose_resnet_ros.core.errors import ModelError
from pose_resnet_ros.export.darknet import (
    ARCHITECTURES,
    Conv,
    Layer,
    MaxPool,
    Output,
    _plain_layer,
    architecture_of,
    darknet_graph,
    read_weights,
    value_count,
)
from pose_resnet_ros.export.graph import GraphBuilder
from pose_resnet_ros.models.registry import get_entry
from pose_resnet_ros.models.spec import DetectorSpec


def run(model: onnx.ModelProto, image: np.ndarray) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"input": image})


@pytest.mark.parametrize(("name", "values", "layers"), [("yolov3-tiny", 8_858_734, 24), ("yolov3", 62_001_757, 107)])
def test_the_layer_tables_have_the_published_size(name: str, values: int, layers: int) -> None:
    assert value_count(ARCHITECTURES[name]) == values
    assert len(ARCHITECTURES[name]) == layers


@pytest.fixture(scope="module")
def tiny_file(tmp_path_factory: pytest.TempPathFactory, write_weights: Callable[..., Path]) -> Path:
    return write_weights(tmp_path_factory.mktemp("tiny") / "yolov3-tiny.weights", ARCHITECTURES["yolov3-tiny"])


@dataclass(frozen=True)
class Both:
    """One file, read by us and by OpenCV; ours, theirs: outputs for the same picture."""

    spec: DetectorSpec
    image: np.ndarray
    ours: list[np.ndarray]
    net: cv2.dnn.Net


@pytest.fixture(scope="module", params=[("yolov3-tiny", 416), ("yolov3", 96)], ids=lambda param: param[0])
def both(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    write_weights: Callable[..., Path],
    cfg_text: Callable[..., str],
) -> Both:
    if not hasattr(cv2.dnn, "readNetFromDarknet"):
        pytest.skip("OpenCV 5 has no Darknet importer to compare with")
    name, size = request.param
    layers, folder = ARCHITECTURES[name], tmp_path_factory.mktemp(name)
    spec = get_entry(name.replace("-", "_")).spec
    assert isinstance(spec, DetectorSpec)
    weights = write_weights(folder / "net.weights", layers, seed=1, person_logit=2.0)
    (folder / "net.cfg").write_text(cfg_text(layers, size=size, scales=spec.scales))
    image = np.random.default_rng(2).random((1, 3, size, size), np.float32)
    ours = run(darknet_graph(layers, read_weights(weights, layers)), image)
    net = cv2.dnn.readNetFromDarknet(str(folder / "net.cfg"), str(weights))
    net.setInput(image)
    return Both(replace(spec, input=replace(spec.input, width=size, height=size)), image, ours, net)


def test_the_graph_equals_opencv_reading_the_same_file(both: Both) -> None:
    heads = [index - 1 for index, layer in enumerate(layers_of(both)) if isinstance(layer, Output)]
    theirs = both.net.forward([f"conv_{index}" for index in heads])
    assert [grid.shape[2] for grid in both.ours] == [both.spec.input.height // s.stride for s in both.spec.scales]
    for mine, other in zip(both.ours, theirs, strict=True):
        assert np.abs(mine).max() > 0.3
        np.testing.assert_allclose(mine, other, atol=1e-3)


def test_the_decoded_boxes_equal_opencv_s(both: Both) -> None:
    """Every anchor of every cell, within half a pixel of the network's input."""
    found = decode_yolov3(both.ours, spec=both.spec, threshold=0.25)
    side = both.spec.input.width
    rows = np.concatenate(both.net.forward(both.net.getUnconnectedOutLayersNames()))
    rows = rows[rows[:, 5] > 0.25]  # OpenCV gives objectness times class
    theirs = np.concatenate([rows[:, :2] - rows[:, 2:4] / 2, rows[:, :2] + rows[:, 2:4] / 2], axis=1) * side
    assert len(found) == len(theirs) > 50
    distance = np.abs(found.boxes_xyxy[:, None] - theirs[None]).max(axis=2)
    nearest = distance.argmin(axis=1)
    assert sorted(nearest) == list(range(len(theirs)))
    assert distance.min(axis=1).max() < 0.5
    np.testing.assert_allclose(found.scores, rows[nearest, 5], atol=1e-3)


def layers_of(both: Both) -> tuple[Layer, ...]:
    return ARCHITECTURES["yolov3-tiny" if len(both.spec.scales) == 2 else "yolov3"]


def test_the_graph_equals_the_unfolded_network_in_torch(tiny_file: Path) -> None:
    torch = pytest.importorskip("torch")
    from pose_resnet_ros.export.torch_networks import run_in_torch

    layers = ARCHITECTURES["yolov3-tiny"]
    weights = read_weights(tiny_file, layers)
    image = np.random.default_rng(3).random((1, 3, 64, 96), np.float32)
    ours = run(darknet_graph(layers, weights), image)
    with torch.no_grad():
        theirs = run_in_torch(layers, weights, torch.tensor(image))
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, other.numpy(), atol=1e-4)


def test_pooling_with_stride_one_ignores_what_lies_outside() -> None:
    """Hand-written: the maximum over the cell, its right, lower and lower right neighbour."""
    one = np.ones((1, 1, 1, 1), np.float32)
    g = GraphBuilder()
    pooled = _plain_layer(g, MaxPool(stride=1), ["input"])
    g.conv(pooled, one, np.zeros(1, np.float32), output="out")
    model = g.model(input_shape=("N", 1, 2, 3), outputs={"out": ("N", 1, 2, 3)})
    image = -np.array([[[[1, 2, 3], [6, 5, 4]]]], np.float32)
    assert run(model, image)[0].tolist() == [[[[-1, -2, -3], [-5, -4, -4]]]]


def test_a_file_tells_its_architecture_by_its_size(tiny_file: Path) -> None:
    assert tiny_file.stat().st_size == 35_434_956
    assert architecture_of(tiny_file) == "yolov3-tiny"


@pytest.mark.parametrize("change", [-4, -1, 4])
def test_a_file_of_another_size_is_refused(tmp_path: Path, tiny_file: Path, change: int) -> None:
    data = tiny_file.read_bytes()
    path = tmp_path / "wrong.weights"
    path.write_bytes(data[:change] if change < 0 else data + b"\0" * change)
    with pytest.raises(ModelError, match=f"35434956 bytes .*got {35434956 + change}"):
        architecture_of(path)
    with pytest.raises(ModelError, match=f"35434956 bytes .*got {35434956 + change}"):
        read_weights(path, ARCHITECTURES["yolov3-tiny"])


def test_an_old_header_counts_images_in_four_bytes(tmp_path: Path) -> None:
    layers = (Conv(1, 1, head=True),)
    path = tmp_path / "old.weights"
    path.write_bytes(np.array([0, 1, 0, 7], "<i4").tobytes() + np.array([5, 1, 2, 3], "<f4").tobytes())
    (conv,) = read_weights(path, layers)
    assert (conv.bias.tolist(), conv.weight.ravel().tolist()) == ([5], [1, 2, 3])


@pytest.mark.parametrize(("place", "value"), [(0, np.nan), (3, -0.5), (5, np.inf)])
def test_weights_that_are_not_finite_are_refused(tmp_path: Path, place: int, value: float) -> None:
    """Of one convolution: bias, scale, mean, variance, then its 27 weights. A variance below 0 has no root."""
    values = np.ones(4 + 27, "<f4")
    values[place] = value
    path = tmp_path / "damaged.weights"
    path.write_bytes(np.array([0, 2, 0, 7, 0], "<i4").tobytes() + values.tobytes())
    layers: tuple[Layer, ...] = (Conv(1), Output())
    with pytest.raises(ModelError, match="values that are not finite"):
        darknet_graph(layers, read_weights(path, layers))


def test_a_tiny_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.weights"
    path.write_bytes(bytes(8))
    with pytest.raises(ModelError, match=r"empty\.weights: expected a darknet weights file, got 8 bytes"):
        architecture_of(path)

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The composed graph on onnxruntime's CPU provider, against the rules written out anew and against ``core``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import known_models
import numpy as np
import onnx
import onnxruntime as ort
import pytest
from random_maps import random_maps

from pose_resnet_ros.core.crops import to_image, topdown
from pose_resnet_ros.core.heatmaps import DECODERS, merge_flipped
from pose_resnet_ros.core.skeletons import skeleton_named
from pose_resnet_ros.core.types import InputSpec
from pose_resnet_ros.models.fused_graph import DECODERS as IN_GRAPH
from pose_resnet_ros.models.fused_graph_compose import compose_fused_graph
from pose_resnet_ros.models.spec import METADATA_KEY, PoseSpec, spec_from_json

ROOT = Path(__file__).parents[2]
LITE = ROOT / "pose_resnet_ros" / "weights" / "pose_resnet_lite.onnx"
STREET = ROOT / "docs" / "images" / "street.jpg"
STREET_BOXES_XYXY = np.array([[100, 135, 180, 277], [278, 115, 355, 281], [453, 88, 505, 230]], np.float32)

SMALL = PoseSpec("small", InputSpec(24, 32, "bgr", 1 / 255), decoder="microsoft", skeleton="coco17")
FLIP_ORDER = skeleton_named("coco17").flip_order().tolist()
# A crop of SMALL that needs no interpolation: the view is 24 x 32, its corner crop pixel (0, 0) lies on pixel (8, 4).
EXACT_BOX = np.array([[8 + 12 - 9.6, 4 + 16 - 12.8, 8 + 12 + 9.6, 4 + 16 + 12.8]], np.float32)


def frame_of(width: int, height: int) -> np.ndarray:
    return np.random.default_rng(width * height).integers(0, 256, (height, width, 3), np.uint8)


def run(model: onnx.ModelProto, frame: np.ndarray, boxes: np.ndarray, *outputs: str) -> list[np.ndarray]:
    onnx.checker.check_model(model)
    for name in outputs:
        if name not in [output.name for output in model.graph.output]:
            model.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    size = np.array(frame.shape[1::-1], np.float32)
    feeds = {"frame": frame, "frame_wh": size, "boxes_xyxy": np.asarray(boxes, np.float32)}
    return session.run(list(outputs) or ["keypoints_xy", "scores"], feeds)


def channel_mean(path: Path, spec: PoseSpec = SMALL) -> onnx.ModelProto:
    """Heatmaps (N, 17, h/4, w/4), whatever: what comes in is looked at."""
    return onnx.load(known_models.blob_finder(path, spec=spec))


def crops_of(path: Path, spec: PoseSpec, frame: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    model = compose_fused_graph(channel_mean(path, spec), spec, heatmap_shape=(17, 8, 6))
    return run(model, frame, boxes, "network.input")[0]


def sampled(frame: np.ndarray, x: float, y: float) -> np.ndarray:
    """(3,) bilinear value at a place; black outside."""
    left, top = int(np.floor(x)), int(np.floor(y))
    value = np.zeros(3)
    for row, column in ((top, left), (top, left + 1), (top + 1, left), (top + 1, left + 1)):
        if 0 <= row < frame.shape[0] and 0 <= column < frame.shape[1]:
            value += (1 - abs(x - column)) * (1 - abs(y - row)) * frame[row, column]
    return value


def expected_crop(frame: np.ndarray, box: np.ndarray, spec: PoseSpec) -> np.ndarray:
    """(3, h, w): each pixel by the rule, in double precision."""
    width, height = spec.input.width, spec.input.height
    x1, y1, x2, y2 = (float(corner) for corner in box)
    step = spec.padding * max(x2 - x1, (y2 - y1) * width / height) / width
    crop = np.zeros((3, height, width))
    for row in range(height):
        for column in range(width):
            x = (x1 + x2) / 2 + step * (column - width / 2)
            y = (y1 + y2) / 2 + step * (row - height / 2)
            value = sampled(frame, x, y)[:: -1 if spec.input.channel_order == "rgb" else 1]
            crop[:, row, column] = (value * spec.input.scale - spec.input.mean) / spec.input.std
    return crop


def test_a_crop_that_needs_no_interpolation_is_the_pixels(tmp_path: Path) -> None:
    frame = frame_of(64, 48)
    crops = crops_of(tmp_path / "m.onnx", SMALL, frame, EXACT_BOX)
    np.testing.assert_allclose(crops[0] * 255, frame[4:36, 8:32].transpose(2, 0, 1), atol=0.01)


@pytest.mark.parametrize("frame_wh", [(64, 48), (61, 37), (640, 480), (1, 1), (1, 50)])
@pytest.mark.parametrize("order", ["bgr", "rgb"])
def test_crops_inside_across_and_outside_the_border(tmp_path: Path, frame_wh: tuple[int, int], order: str) -> None:
    given = InputSpec(24, 32, order, 1 / 255, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))  # type: ignore[arg-type]
    spec = replace(SMALL, input=given)
    frame = frame_of(*frame_wh)
    boxes = np.array(
        [[10, 8, 30, 40], [-12.3, -7.7, 15.2, 20.9], [40, 30, 70, 60], [-90, -90, -60, -50], [20, 10, 20.4, 10.3]], np.float32
    )
    crops = crops_of(tmp_path / "m.onnx", spec, frame, boxes)
    for crop, box in zip(crops, boxes, strict=True):
        np.testing.assert_allclose(crop, expected_crop(frame, box, spec), atol=0.004)  # a quarter of a grey level


def peaks_everywhere(seed: int = 0) -> np.ndarray:
    """(1, 17, 8, 6) random maps, the peaks of many on or beside the border; two with ties, one flat."""
    maps = np.random.default_rng(seed).random((1, 17, 8, 6), np.float32)
    for joint, (x, y) in enumerate([(0, 0), (5, 7), (0, 4), (5, 4), (3, 0), (3, 7), (1, 1), (4, 6), (1, 4), (3, 1)]):
        maps[0, joint, y, x] = 2.0
    maps[0, 10, [2, 5], [3, 1]] = 3.0
    maps[0, 11, 4, [2, 3]] = 3.0
    maps[0, 12] = 0.5
    maps[0, 13] -= 5.0  # all negative
    return maps


@pytest.mark.parametrize("decoder", IN_GRAPH)
@pytest.mark.parametrize("seed", range(4))
def test_points_and_scores_are_those_of_the_decoder(tmp_path: Path, decoder: str, seed: int) -> None:
    spec, maps = replace(SMALL, decoder=decoder), peaks_everywhere(seed)
    network = onnx.load(known_models.constant_answers(tmp_path / "m.onnx", {"heatmaps": maps}, spec=spec))
    model = compose_fused_graph(network, spec, heatmap_shape=(17, 8, 6))
    keypoints, scores = run(model, frame_of(64, 48), np.repeat(EXACT_BOX, 3, axis=0))
    points, peaks = DECODERS[decoder].decode([maps], input_wh=(24, 32))
    for person in range(3):
        np.testing.assert_allclose(keypoints[person], points[0] + (8, 4), atol=1e-4)
        np.testing.assert_array_equal(scores[person], peaks[0])


@pytest.mark.parametrize("decoder", IN_GRAPH)
@pytest.mark.parametrize("opset", [16, 17, 18, 19])
def test_maps_of_every_kind_give_the_points_of_the_decoder(tmp_path: Path, decoder: str, opset: int) -> None:
    """Peaks inside, on and beside the border, noise, negative and empty maps."""
    maps = random_maps(np.random.default_rng(opset), 1, 17, (40, 48))
    spec = replace(SMALL, input=InputSpec(160, 192, "bgr", 1 / 255), decoder=decoder)
    network = onnx.load(known_models.constant_answers(tmp_path / "m.onnx", {"heatmaps": maps}, spec=spec))
    network = onnx.version_converter.convert_version(network, opset)
    box = np.array([[80 - 64, 96 - 76.8, 80 + 64, 96 + 76.8]], np.float32)  # its crop is the frame
    keypoints, scores = run(compose_fused_graph(network, spec, heatmap_shape=(17, 48, 40)), frame_of(160, 192), box)
    points, peaks = DECODERS[decoder].decode([maps], input_wh=(160, 192))
    np.testing.assert_allclose(keypoints, points, atol=5e-3)
    np.testing.assert_array_equal(scores, peaks)


@pytest.mark.parametrize("decoder", IN_GRAPH)
def test_the_bundled_network_on_people(decoder: str) -> None:
    """The decoder in the graph against the decoder in NumPy, on the same heatmaps."""
    network = onnx.load(str(LITE))
    spec = spec_from_json({entry.key: entry.value for entry in network.metadata_props}[METADATA_KEY])
    assert isinstance(spec, PoseSpec)
    model = compose_fused_graph(network, replace(spec, decoder=decoder), heatmap_shape=(17, 48, 40))
    heatmaps_name = f"network.{network.graph.output[0].name}"
    keypoints, scores, heatmaps = run(model, cv2.imread(str(STREET)), STREET_BOXES_XYXY, "keypoints_xy", "scores", heatmaps_name)
    points, peaks = DECODERS[decoder].decode([heatmaps], input_wh=(spec.input.width, spec.input.height))
    crops = topdown(np.zeros((4, 4, 3), np.uint8), STREET_BOXES_XYXY, spec=spec.input, padding=spec.padding)
    expected = to_image(points, crops.image_from_crop)
    np.testing.assert_allclose(keypoints, expected, atol=2e-3)
    np.testing.assert_array_equal(scores, peaks)


@pytest.mark.parametrize("decoder", IN_GRAPH)
def test_a_map_of_nothing_but_nan_has_score_0_and_a_place(tmp_path: Path, decoder: str) -> None:
    maps, spec = peaks_everywhere(), replace(SMALL, decoder=decoder)
    maps[0, 3] = np.nan
    network = onnx.load(known_models.constant_answers(tmp_path / "m.onnx", {"heatmaps": maps}, spec=spec))
    keypoints, scores = run(compose_fused_graph(network, spec, heatmap_shape=(17, 8, 6)), frame_of(64, 48), EXACT_BOX)
    assert np.isfinite(keypoints).all()
    assert scores[0, 3] == 0


def test_the_flip_test_is_the_mean_of_both_ways(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    node = onnx.helper.make_node("Conv", ["input", "kernel"], ["heatmaps"], strides=[4, 4])
    kernel = {"kernel": rng.standard_normal((17, 3, 4, 4)).astype(np.float32)}
    path = known_models.save(
        tmp_path / "m.onnx", [node], inputs={"input": ("n", 3, 32, 24)}, outputs=["heatmaps"], constants=kernel
    )
    model = compose_fused_graph(onnx.load(path), SMALL, heatmap_shape=(17, 8, 6), flip_order=FLIP_ORDER)
    frame, boxes = frame_of(64, 48), np.concatenate([EXACT_BOX, EXACT_BOX + 3])
    keypoints, scores, doubled = run(model, frame, boxes, "keypoints_xy", "scores", "network.input")
    np.testing.assert_array_equal(doubled[2:], doubled[:2, ..., ::-1])
    network = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    plain, flipped = (network.run(None, {"input": crops})[0] for crops in (doubled[:2], doubled[2:]))
    merged = merge_flipped(plain, flipped, flip_order=np.array(FLIP_ORDER))
    points, peaks = DECODERS["microsoft"].decode([merged], input_wh=(24, 32))
    np.testing.assert_allclose(keypoints, points + np.array([[[8, 4]], [[11, 7]]]), atol=1e-3)
    np.testing.assert_allclose(scores, peaks, atol=1e-5)


def test_a_network_of_an_older_opset_and_with_our_names(tmp_path: Path) -> None:
    kernel = np.full((17, 3, 4, 4), 1 / 48, np.float32)
    nodes = [
        onnx.helper.make_node("Relu", ["input"], ["frame"]),
        onnx.helper.make_node("Conv", ["frame", "boxes_xyxy"], ["scores"], strides=[4, 4], name="fused_graph_1"),
    ]
    path = known_models.save(
        tmp_path / "m.onnx", nodes, inputs={"input": ("n", 3, 32, 24)}, outputs=["scores"], constants={"boxes_xyxy": kernel}
    )
    network = onnx.load(path)
    del network.opset_import[:]
    network.opset_import.append(onnx.helper.make_opsetid("", 11))
    network.ir_version = 6
    frame = np.zeros((48, 64, 3), np.uint8)
    frame[20:24, 20:24] = 255  # crop pixels 12..15 across, 16..19 down: the cell (3, 4)
    keypoints, scores = run(compose_fused_graph(network, SMALL, heatmap_shape=(17, 8, 6)), frame, EXACT_BOX)
    np.testing.assert_allclose(keypoints[0], np.tile([20.0, 20.0], (17, 1)), atol=1e-3)
    np.testing.assert_allclose(scores, np.ones((1, 17)), atol=1e-5)

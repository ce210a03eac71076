# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import known_models
import numpy as np
import onnx
import pytest

from pose_resnet_ros.core.errors import ModelError
from pose_resnet_ros.core.types import Detections
from pose_resnet_ros.models.pose_net import PoseNet
from pose_resnet_ros.models.spec import METADATA_KEY, spec_to_json

IMAGE = np.full((480, 640, 3), 100, np.uint8)
BOX = Detections(np.array([[100, 50, 180, 250]], np.float32), np.array([0.8], np.float32))


def test_no_box_needs_no_run(tmp_path: Path) -> None:
    estimate = PoseNet(known_models.pose_net(tmp_path / "p.onnx")).estimate(IMAGE, Detections.empty())
    assert estimate.people.keypoints_xy.shape == (0, 17, 2)
    assert estimate.heatmaps is not None
    assert estimate.heatmaps.shape == (0, 17, 64, 48)
    assert estimate.image_from_crop.shape == (0, 2, 3)


def test_the_published_worked_example(tmp_path: Path) -> None:
    """Box xywh (100, 50, 80, 200), heatmap point (24.25, 31.75): image (140.9765625, 149.0234375)."""
    heatmaps = known_models.heatmaps_with_peaks([(24, 32)] * 17)
    heatmaps[:, :, 33, 24], heatmaps[:, :, 31, 24] = 0.0, 0.45  # the higher neighbours are right and above
    path = known_models.constant_answers(tmp_path / "p.onnx", {"heatmaps": heatmaps}, spec=known_models.POSE_SPEC)
    points = PoseNet(path).estimate(IMAGE, BOX).people.keypoints_xy
    np.testing.assert_allclose(points[0], np.tile([140.9765625, 149.0234375], (17, 1)), atol=1e-3)


def test_simcc_outputs(tmp_path: Path) -> None:
    along_x, along_y = np.zeros((1, 17, 384), np.float32), np.zeros((1, 17, 512), np.float32)
    along_x[:, :, 200], along_y[:, :, 256] = 0.7, 0.6
    spec = replace(known_models.POSE_SPEC, decoder="simcc")
    path = known_models.constant_answers(tmp_path / "s.onnx", {"x": along_x, "y": along_y}, spec=spec)
    net = PoseNet(path)
    estimate = net.estimate(IMAGE, BOX)
    # Crop pixel (100, 128): 4 px right of the centre (140, 150), at 187.5 / 192 image pixels each.
    expected = np.tile([140 + 4 * 187.5 / 192, 150], (17, 1))
    np.testing.assert_allclose(estimate.people.keypoints_xy[0], expected, atol=0.01)
    np.testing.assert_allclose(estimate.people.keypoint_scores, np.full((1, 17), 0.6), atol=1e-6)
    assert estimate.heatmaps is None
    # The fixed answer mirrored: bin 200 is bin 183 from the other side; the mean ties, and the first peak wins.
    flipped = net.estimate(IMAGE, BOX, flip_test=True).people.keypoints_xy[0]
    np.testing.assert_allclose(flipped, np.tile([140 + (91.5 - 96) * 187.5 / 192, 150], (17, 1)), atol=0.01)


def test_a_file_without_a_description_says_how_to_describe_it(tmp_path: Path) -> None:
    answers = {"heatmaps": known_models.heatmaps_with_peaks(known_models.PEAKS_XY)}
    path = known_models.constant_answers(tmp_path / "bare.onnx", answers, spec=None)
    with pytest.raises(ModelError, match=r"bare\.onnx does not say .*models add .*bare\.onnx"):
        PoseNet(path)


def test_a_description_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = known_models.pose_net(tmp_path / "p.onnx")
    model = onnx.load(path)
    onnx.helper.set_model_props(model, {"pose_resnet_ros": '{"kind": "pose"}'})
    onnx.save(model, path)
    with pytest.raises(ModelError, match=r"p\.onnx: the model's metadata entry 'pose_resnet_ros'"):
        PoseNet(path)


@pytest.mark.parametrize(
    ("wh", "joints", "said"),
    [((96, 128), 17, "input"), ((192, 256), 16, "joints"), ((192, 256), 18, "joints")],
    ids=["input size", "too few joints", "too many joints"],
)
def test_a_file_of_another_shape_than_its_description_is_refused(
    tmp_path: Path, wh: tuple[int, int], joints: int, said: str
) -> None:
    peaks = [(10, 10)] * joints
    answers = {"heatmaps": known_models.heatmaps_with_peaks(peaks)}
    path = known_models.constant_answers(tmp_path / "odd.onnx", answers, spec=known_models.POSE_SPEC, wh=wh)
    with pytest.raises(ModelError, match=rf"odd\.onnx: .*{said}.*the file (has|gives).*models add"):
        PoseNet(path)


def test_a_map_of_one_cell_is_refused(tmp_path: Path) -> None:
    """What is left where a network ends in a mean over all cells."""
    answers = {"pooled": np.zeros((1, 17, 1, 1))}
    path = known_models.constant_answers(tmp_path / "mean.onnx", answers, spec=known_models.POSE_SPEC)
    with pytest.raises(ModelError, match=r"mean\.onnx: .*\(N, 17, any above 1, any above 1\).*the file gives \(2, 17, 1, 1\)"):
        PoseNet(path)


def test_simcc_outputs_of_another_size_are_refused(tmp_path: Path) -> None:
    """Of a network for half the input: each peak would be read at half its place."""
    spec = replace(known_models.POSE_SPEC, decoder="simcc")
    answers = {"x": np.zeros((1, 17, 192)), "y": np.zeros((1, 17, 256))}
    path = known_models.constant_answers(tmp_path / "half.onnx", answers, spec=spec)
    with pytest.raises(
        ModelError,
        match=r"half\.onnx: decoder 'simcc' .* \(N, 17, 384\), \(N, 17, 512\) .*the file gives \(2, 17, 192\), \(2, 17, 256\)",
    ):
        PoseNet(path)


def test_a_float16_input_says_how_to_export_it(tmp_path: Path) -> None:
    node = onnx.helper.make_node("Identity", ["input"], ["heatmaps"])
    values = [onnx.helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT16, ("n", 3, 256, 192)) for n in ("input", "heatmaps")]
    model = onnx.helper.make_model(
        onnx.helper.make_graph([node], "half", values[:1], values[1:]),
        opset_imports=[onnx.helper.make_opsetid("", 17)],
        ir_version=8,
    )
    onnx.helper.set_model_props(model, {METADATA_KEY: spec_to_json(known_models.POSE_SPEC)})
    onnx.save(model, tmp_path / "half.onnx")
    with pytest.raises(ModelError, match=r"expected a float32 input, .*keep_io_types"):
        PoseNet(tmp_path / "half.onnx")


@pytest.mark.parametrize("change", [{"decoder": "magic"}, {"crop": "magic"}, {"skeleton": "magic"}])
def test_a_description_with_unknown_names_is_refused(tmp_path: Path, change: dict[str, str]) -> None:
    path = known_models.pose_net(tmp_path / "p.onnx", spec=replace(known_models.POSE_SPEC, **change))
    with pytest.raises(ModelError, match=r"p\.onnx: its description does not fit this package: .*'magic'; expected"):
        PoseNet(path)


def test_a_detector_is_no_pose_network(tmp_path: Path) -> None:
    path = known_models.detector(tmp_path / "d.onnx", [])
    with pytest.raises(ModelError, match=r"d\.onnx is a detector model .*expected a pose model"):
        PoseNet(path)


def test_a_network_that_gives_nothing_finite_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"p\.onnx gives values that are not finite: its weights are damaged"):
        PoseNet(known_models.pose_net(tmp_path / "p.onnx", score=np.inf))

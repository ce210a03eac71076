# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""A teacher's labels: two views fused, read back as trust, and as joints known to be cut off."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

torch = pytest.importorskip("torch", reason="requires torch")

from training.coco import load_photographs  # noqa: E402
from training.pose import label as label_pose  # noqa: E402
from training.pose.crops import joint_weights  # noqa: E402
from training.pose.loss import PoseLoss  # noqa: E402
from training.pose.teacher import fuse, load_teacher  # noqa: E402

SIDE = 64


def _brightest_place_network(path: Path, *, rows: int = 17) -> None:
    """A single-person network of a dozen nodes: every joint lies where red is brightest, with the score 0.8."""
    constants = {
        "wide": np.array([1, SIDE * SIDE], np.int64),
        "side": np.array(SIDE, np.int64),
        "whole": np.array(SIDE, np.float32),
        "half": np.array(0.5, np.float32),
        "score": np.full((1, 1), 0.8, np.float32),
        "times": np.array([rows, 1], np.int64),
        "last": np.array([0], np.int64),
        "first": np.array([1], np.int64),
        "axis": np.array([3], np.int64),
    }
    nodes = [
        helper.make_node("Slice", ["image", "last", "first", "axis"], ["red"]),
        helper.make_node("Cast", ["red"], ["red_float"], to=TensorProto.FLOAT),
        helper.make_node("Reshape", ["red_float", "wide"], ["flat"]),
        helper.make_node("ArgMax", ["flat"], ["place"], axis=1, keepdims=1),
        helper.make_node("Div", ["place", "side"], ["row"]),
        helper.make_node("Mod", ["place", "side"], ["column"]),
        helper.make_node("Concat", ["row", "column"], ["cell"], axis=1),
        helper.make_node("Cast", ["cell"], ["cell_float"], to=TensorProto.FLOAT),
        helper.make_node("Add", ["cell_float", "half"], ["middle"]),
        helper.make_node("Div", ["middle", "whole"], ["share"]),
        helper.make_node("Concat", ["share", "score"], ["one"], axis=1),
        helper.make_node("Tile", ["one", "times"], ["joints"]),
    ]
    graph = helper.make_graph(
        nodes,
        "brightest",
        [helper.make_tensor_value_info("image", TensorProto.INT32, [1, SIDE, SIDE, 3])],
        [helper.make_tensor_value_info("joints", TensorProto.FLOAT, None)],
        [onnx.numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)


def test_the_label_command_writes_what_training_reads(tmp_path: Path) -> None:
    image = np.zeros((120, 160, 3), np.uint8)
    cv2.circle(image, (70, 60), 3, (0, 0, 255), -1)
    cv2.imwrite(str(tmp_path / "1.png"), image)
    row = {"id": 5, "image_id": 1, "category_id": 1, "bbox": [40, 20, 60, 80], "iscrowd": 0}
    data = {
        "images": [{"id": 1, "file_name": "1.png", "width": 160, "height": 120}],
        "annotations": [row],
        "categories": [{"id": 1, "name": "person"}],
    }
    (tmp_path / "annotations.json").write_text(json.dumps(data))
    _brightest_place_network(tmp_path / "network.onnx")
    label_pose.main(f"--data {tmp_path} --model {tmp_path / 'network.onnx'}".split())
    (photograph,) = load_photographs(tmp_path / "annotations.json", teacher=tmp_path / "teacher.json")
    taught = photograph.persons[0].taught
    np.testing.assert_allclose(taught[:, :2], np.tile((70, 60), (17, 1)), atol=3.1)  # the dot's radius
    np.testing.assert_allclose(taught[:, 2], 1.0)
    assert photograph.persons[0].is_taught


def test_a_network_of_another_form_is_refused(tmp_path: Path) -> None:
    _brightest_place_network(tmp_path / "network.onnx", rows=5)
    with pytest.raises(ValueError, match="expected 17 rows y, x, score"):
        load_teacher(str(tmp_path / "network.onnx"))


def test_models_of_the_package_teach_too() -> None:
    look = load_teacher("pose_resnet_lite")
    xy, scores = look(np.zeros((120, 160, 3), np.uint8), np.array([40, 20, 60, 80], np.float32))
    assert (xy.shape, scores.shape) == ((17, 2), (17,))


def test_views_that_agree_are_averaged_and_others_lose_trust() -> None:
    plain, mirrored = np.zeros((17, 2), np.float32), np.zeros((17, 2), np.float32)
    mirrored[0] = (4, 0)  # within 0.08 of 100
    mirrored[1] = (50, 0)
    scores = np.full(17, 0.6, np.float32)
    teaching = fuse([(plain, scores), (mirrored, scores / 2)], longer_side=100.0)
    np.testing.assert_allclose(teaching.xy[0], [4 / 3, 0], atol=1e-5)
    np.testing.assert_allclose(teaching.xy[1], [0, 0])
    np.testing.assert_allclose(teaching.agreement[:2], [1, 2 / 3], atol=1e-5)
    np.testing.assert_allclose(teaching.score, 0.45)
    assert teaching.trusted[0, 2] > teaching.trusted[1, 2]


def test_an_unsure_joint_at_the_border_is_cut_off(tmp_path: Path) -> None:
    points = np.tile((50, 50, 1), (17, 1))
    points[15] = (50, 99, 0)  # an ankle at the picture's lower border
    points[16] = (50, 60, 0)  # one that is hidden
    score = np.where(np.arange(17) < 15, 0.8, 0.05)
    row = {
        "id": 1, "image_id": 1, "category_id": 1, "bbox": [20, 0, 60, 100], "keypoints": points.ravel().tolist(),
        "teacher_score": score.tolist(), "teacher_agree": [1.0] * 17,
    }  # fmt: skip
    data = {
        "images": [{"id": 1, "file_name": "1.png", "width": 100, "height": 100}],
        "annotations": [row],
        "categories": [{"id": 1, "name": "person"}],
    }
    (tmp_path / "annotations.json").write_text(json.dumps(data))
    person = load_photographs(tmp_path / "annotations.json")[0].persons[0]
    assert not person.has_keypoints  # a teacher's are no labels to measure on
    assert (person.absent[15], person.absent[16], int(person.absent.sum())) == (True, False, 1)
    np.testing.assert_allclose(person.taught[[0, 15], 2], [1, 0])


def test_a_trusted_teacher_halves_the_label() -> None:
    weights = joint_weights(np.array([2, 1, 0, 2]), np.array([1, 0, 1, 0.5]))
    np.testing.assert_allclose(weights, [[0.5, 0.5, 0, 0.75], [0.75, 0, 0.75, 0.375]])


def test_the_target_is_the_weighted_mean_of_both_opinions() -> None:
    crops = torch.zeros(1, 32, 32, 3, dtype=torch.uint8)
    keypoints = torch.tensor([[[[8.0, 8.0]], [[20.0, 20.0]]]])
    weights = torch.tensor([[[1.0], [3.0]]])
    maps = torch.zeros(1, 1, 8, 8)
    maps[0, 0, 2, 2], maps[0, 0, 5, 5] = 0.25, 0.75
    sharp = PoseLoss((32, 32), sigma=0.1)  # of one cell: no overlap
    assert float(sharp(lambda _: maps, [crops, keypoints, weights])) == pytest.approx(0, abs=1e-6)
    assert float(sharp(lambda _: maps * 0, [crops, keypoints, weights])) > 1

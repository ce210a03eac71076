# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The teacher's way round a person. Its network is no wheel of the test set-up's: a stand-in finds one bright dot for each
landmark, and is sure only when hips and reach stand upright in its square."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="requires torch")

from training.coco import load_taught  # noqa: E402
from training.pose.crops import joint_weights  # noqa: E402
from training.pose.label import pose_row  # noqa: E402
from training.pose.loss import PoseLoss  # noqa: E402
from training.pose.teacher import COCO_LANDMARKS, HIPS, LANDMARKS, REACH, BlazePose, TaughtPose  # noqa: E402

HIPS_COLOUR, REACH_COLOUR, NOSE_COLOUR = (0, 0, 255), (0, 255, 0), (255, 0, 0)  # BGR


def _person(upwards: tuple[float, float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(image, box_xywh, nose): hips in the middle, nose and reach 40 and 50 pixels away in a direction."""
    image = np.zeros((240, 320, 3), np.uint8)
    hips, direction = np.array([150.0, 120.0]), np.array(upwards)
    nose, reach = hips + 40 * direction, hips + 50 * direction
    for point, colour in ((hips, HIPS_COLOUR), (reach, REACH_COLOUR), (nose, NOSE_COLOUR)):
        cv2.circle(image, tuple(int(v) for v in point), 3, colour, -1)
    return image, np.array([100.0, 70.0, 100.0, 100.0]), nose


def _network(rgb: np.ndarray) -> tuple[np.ndarray, float]:
    landmarks = np.full((LANDMARKS, 2), 128.0, np.float32)
    for landmark, channel in ((HIPS, 0), (REACH, 1), (0, 2)):
        rows, columns = np.nonzero(rgb[:, :, channel] > 0.5)
        if len(rows):
            landmarks[landmark] = columns.mean(), rows.mean()
    down, across = landmarks[HIPS, 1] - landmarks[REACH, 1], landmarks[REACH, 0] - landmarks[HIPS, 0]
    return landmarks, float(np.clip(down / (np.hypot(down, across) + 1e-6), 0, 1))


@pytest.mark.parametrize(
    "upwards",
    [(0, -1), (1, 0), (0, 1), (-1, 0), (0.6, -0.8)],
    ids=["upright", "right", "head", "left", "lean"],
)
def test_a_person_is_found_however_turned(upwards: tuple[float, float]) -> None:
    image, box, nose = _person(upwards)
    pose = BlazePose(_network).label(image, box)
    assert pose.keypoints_xy.shape == (17, 2)
    np.testing.assert_allclose(pose.keypoints_xy[COCO_LANDMARKS.index(0)], nose, atol=1.0)
    assert pose.presence > 0.9
    assert pose.disagreement < 0.02


def test_trust_falls_with_disagreement(tmp_path: Path) -> None:
    class _Row:
        annotation_id = 7

    rows = []
    for number, disagreement in enumerate((0.01, 0.02, 0.04, 0.06, 0.3)):
        pose = TaughtPose(np.full((17, 2), 5.0, np.float32), 1.0, disagreement)
        rows.append(pose_row(_Row(), pose) | {"annotation_id": number})  # type: ignore[arg-type]
    (tmp_path / "teacher.json").write_text(json.dumps({"teacher": "x", "poses": rows}))
    taught = load_taught(tmp_path / "teacher.json")
    assert [float(taught[n][0, 2]) for n in range(5)] == pytest.approx([1, 1, 0.5, 0, 0])
    np.testing.assert_array_equal(taught[0][:, :2], 5)


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

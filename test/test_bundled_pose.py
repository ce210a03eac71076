# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""How good the bundled pose network is, through the package's own code.

On the validation split of its data set where that lies beside the repository (or where POSE_RESNET_ROS_PEOPLE says); and on a
figure drawn here.
"""

from __future__ import annotations

import json
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from pose_resnet_ros.core.skeletons import COCO17
from pose_resnet_ros.core.types import Detections
from pose_resnet_ros.models.pose_net import PoseNet

PEOPLE = Path(os.environ.get("POSE_RESNET_ROS_PEOPLE", Path(__file__).parents[2] / "shared/data/people"))
VALIDATION_IMAGES = 900
LIMBS = slice(5, 17)
FLOOR = 0.57  # MediaPipe BlazePose (full) from the same boxes


@pytest.fixture(scope="module")
def net() -> Iterator[PoseNet]:
    loaded = PoseNet("pose_resnet_lite")
    yield loaded
    loaded.close()


def _one_box(x1: float, y1: float, x2: float, y2: float) -> Detections:
    return Detections(np.array([[x1, y1, x2, y2]], np.float32), np.ones(1, np.float32))


@pytest.mark.slow
@pytest.mark.skipif(not (PEOPLE / "images.tar").exists(), reason=f"requires the data set in {PEOPLE}")
def test_accuracy_on_the_validation_split(net: PoseNet) -> None:
    """PCK: joints within a tenth of the box's longer side of where a person put them."""
    data = json.loads((PEOPLE / "annotations.json").read_text())
    images = sorted(data["images"], key=lambda image: image["id"])[-VALIDATION_IMAGES:]
    people = {a["image_id"]: a for a in data["annotations"] if a.get("keypoint_source") == "annotated"}
    found: list[np.ndarray] = []
    with tarfile.open(PEOPLE / "images.tar") as archive:
        members = {Path(member.name).name: member for member in archive if member.isfile()}
        for image in images:
            packed = archive.extractfile(members[image["file_name"]])
            assert packed is not None
            photograph = cv2.imdecode(np.frombuffer(packed.read(), np.uint8), cv2.IMREAD_COLOR)
            found.append(_found_limb_joints(net, photograph, people[image["id"]]))
    joints = np.concatenate(found)
    assert len(joints) > 9000
    assert joints.mean() > FLOOR


def _found_limb_joints(net: PoseNet, photograph: np.ndarray, person: dict) -> np.ndarray:
    """One bool for each limb joint that was annotated by hand (visibility 2)."""
    x, y, width, height = person["bbox"]
    estimated = net.estimate(photograph, _one_box(x, y, x + width, y + height)).people.keypoints_xy[0]
    annotated = np.reshape(person["keypoints"], (17, 3))
    near = np.linalg.norm(estimated - annotated[:, :2], axis=1) <= 0.1 * max(width, height)
    return near[LIMBS][annotated[LIMBS, 2] == 2]


@pytest.fixture
def figure() -> tuple[np.ndarray, dict[str, tuple[int, int]]]:
    """A person in dark trousers and a light shirt before a gray wall, seen from the front, and the joints."""
    joints = {
        "nose": (160, 62), "left_shoulder": (188, 96), "right_shoulder": (132, 96),
        "left_elbow": (200, 136), "right_elbow": (120, 136), "left_wrist": (205, 174), "right_wrist": (115, 174),
        "left_hip": (176, 180), "right_hip": (144, 180), "left_knee": (178, 242), "right_knee": (142, 242),
        "left_ankle": (180, 302), "right_ankle": (140, 302),
    }  # fmt: skip
    picture = np.full((360, 320, 3), (150, 160, 165), np.uint8)
    picture[310:] = (110, 120, 125)
    skin, shirt, trousers, hair = (130, 160, 215), (205, 205, 60), (70, 50, 40), (30, 40, 50)
    for side in ("left", "right"):
        hip, knee, ankle = (joints[f"{side}_{name}"] for name in ("hip", "knee", "ankle"))
        cv2.polylines(picture, [np.array([hip, knee, ankle])], False, trousers, 24, cv2.LINE_AA)
        cv2.ellipse(picture, (ankle[0], ankle[1] + 8), (13, 8), 0, 0, 360, hair, -1, cv2.LINE_AA)
        shoulder, elbow, wrist = (joints[f"{side}_{name}"] for name in ("shoulder", "elbow", "wrist"))
        cv2.line(picture, elbow, wrist, skin, 14, cv2.LINE_AA)
        cv2.line(picture, shoulder, elbow, shirt, 20, cv2.LINE_AA)
        cv2.circle(picture, wrist, 9, skin, -1, cv2.LINE_AA)
    torso = np.array([(128, 90), (192, 90), (186, 186), (134, 186)])
    cv2.fillPoly(picture, [torso], shirt, cv2.LINE_AA)
    cv2.line(picture, (160, 92), (160, 78), skin, 18, cv2.LINE_AA)
    cv2.ellipse(picture, (160, 54), (21, 27), 0, 0, 360, hair, -1, cv2.LINE_AA)
    cv2.ellipse(picture, (160, 59), (17, 23), 0, 0, 360, skin, -1, cv2.LINE_AA)
    for x in (152, 168):
        cv2.circle(picture, (x, 55), 2, (40, 40, 40), -1, cv2.LINE_AA)
    cv2.ellipse(picture, (160, 72), (6, 2), 0, 0, 360, (90, 90, 170), -1, cv2.LINE_AA)
    return cv2.GaussianBlur(picture, (5, 5), 0), joints


def test_a_drawn_person(net: PoseNet, figure: tuple[np.ndarray, dict[str, tuple[int, int]]]) -> None:
    picture, joints = figure
    people = net.estimate(picture, _one_box(104, 26, 216, 318)).people
    estimated = dict(zip(COCO17.joint_names, people.keypoints_xy[0], strict=True))
    errors = {name: float(np.linalg.norm(estimated[name] - place)) for name, place in joints.items()}
    near = [name for name, error in errors.items() if error <= 0.1 * (318 - 26)]
    assert len(near) >= 10, errors
    assert estimated["left_shoulder"][0] > estimated["right_shoulder"][0]  # the person's own left, facing us
    assert people.keypoint_scores.shape == (1, 17)


def test_an_empty_wall_has_no_sure_joint(net: PoseNet) -> None:
    wall = np.full((360, 320, 3), (150, 160, 165), np.uint8)
    assert net.estimate(wall, _one_box(104, 26, 216, 318)).people.keypoint_scores.max() < 0.3


def test_persons_are_independent_of_their_batch(net: PoseNet, figure: tuple[np.ndarray, dict[str, tuple[int, int]]]) -> None:
    boxes = np.array([[104, 26, 216, 318], [90, 20, 230, 330], [100, 26, 220, 200]], np.float32)
    together = net.estimate(figure[0], Detections(boxes, np.ones(3, np.float32))).people
    for row, box in enumerate(boxes):
        alone = net.estimate(figure[0], _one_box(*box)).people
        np.testing.assert_allclose(together.keypoints_xy[row], alone.keypoints_xy[0], atol=0.01)
        np.testing.assert_allclose(together.keypoint_scores[row], alone.keypoint_scores[0], atol=1e-4)

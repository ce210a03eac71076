# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Keypoints in 3D over painted depth images."""

from __future__ import annotations

import numpy as np
import pytest

from pose_resnet_ros.core.depth import CameraModel, People3D, lift_to_3d
from pose_resnet_ros.core.errors import ImageError
from pose_resnet_ros.core.skeletons import COCO17
from pose_resnet_ros.core.types import People

CAMERA = CameraModel(fx=100.0, fy=100.0, cx=100.0, cy=75.0)
IMAGE_WH = (200, 150)
NOSE = COCO17.joint_names.index("nose")
WRIST = COCO17.joint_names.index("left_wrist")
JOINTS = {
    "nose": (100, 30), "left_eye": (102, 28), "right_eye": (98, 28), "left_ear": (104, 30), "right_ear": (96, 30),
    "left_shoulder": (115, 50), "right_shoulder": (85, 50), "left_elbow": (135, 60), "right_elbow": (65, 60),
    "left_wrist": (150, 70), "right_wrist": (50, 70), "left_hip": (110, 90), "right_hip": (90, 90), "left_knee": (110, 115),
    "right_knee": (90, 115), "left_ankle": (110, 140), "right_ankle": (90, 140),
}  # fmt: skip


def person() -> People:
    """One person with arms stretched out, 40..160 x 20..145."""
    points = np.array([[JOINTS[name] for name in COCO17.joint_names]], np.float32)
    box = np.array([[40, 20, 160, 145]], np.float32)
    return People(box, np.ones(1, np.float32), points, np.ones((1, 17), np.float32), np.zeros(1, np.int32))


def scene(body_m: float = 2.0, wall_m: float = 5.0) -> np.ndarray:
    """A body whose every joint is a square of 11 px, and its torso, before a wall: metres."""
    depth = np.full((150, 200), wall_m, np.float32)
    depth[45:96, 84:117] = body_m
    for x, y in JOINTS.values():
        depth[y - 5 : y + 6, x - 5 : x + 6] = body_m
    return depth


def find(depth: np.ndarray, people: People | None = None, image_wh: tuple[int, int] = IMAGE_WH) -> People3D:
    return lift_to_3d(person() if people is None else people, depth, CAMERA, COCO17, image_wh=image_wh)


def test_a_joint_is_its_ray_times_its_depth() -> None:
    people_3d = find(scene())
    np.testing.assert_allclose(people_3d.joints_xyz[0, WRIST], [(150 - 100) / 100 * 2, (70 - 75) / 100 * 2, 2], atol=1e-5)
    # Torso: shoulders and hips, middle (100, 70).
    np.testing.assert_allclose(people_3d.positions_xyz[0], [0, -0.1, 2], atol=1e-5)
    assert people_3d.joint_valid.all()
    assert people_3d.position_valid.all()


def test_millimetres_are_the_same_as_metres() -> None:
    millimetres = (scene() * 1000).astype(np.uint16)
    np.testing.assert_allclose(find(millimetres).joints_xyz, find(scene()).joints_xyz, atol=1e-5)


def test_nobody() -> None:
    people_3d = find(scene(), People.empty(17))
    assert people_3d.joints_xyz.shape == (0, 17, 3)
    assert people_3d.positions_xyz.shape == (0, 3)


def test_two_persons_at_two_depths() -> None:
    depth = np.concatenate([scene(body_m=2.0), scene(body_m=4.0)], axis=1)
    left, right = person(), person()
    right.keypoints_xy[:] += [200, 0]
    right.boxes_xyxy[:] += [200, 0, 200, 0]
    both = People(*(np.concatenate([getattr(left, f), getattr(right, f)]) for f in (
        "boxes_xyxy", "box_scores", "keypoints_xy", "keypoint_scores", "track_ids")))  # fmt: skip
    np.testing.assert_allclose(find(depth, both, (400, 150)).positions_xyz[:, 2], [2, 4], atol=1e-5)


@pytest.mark.parametrize("hole", [0.0, np.nan, np.inf, -1.0])
def test_holes_do_not_pull_the_depth(hole: float) -> None:
    depth = scene()
    depth[::2, :] = hole
    depth[:, ::2] = hole
    people_3d = find(depth)
    assert people_3d.joint_valid.all()
    np.testing.assert_allclose(people_3d.joints_xyz[..., 2], 2.0, atol=1e-5)


def test_a_hole_over_a_joint_puts_it_at_the_torsos_depth_and_says_so() -> None:
    depth = scene()
    depth[60:81, 140:161] = 0
    people_3d = find(depth)
    assert not people_3d.joint_valid[0, WRIST]
    assert people_3d.joint_valid[0].sum() == 16
    np.testing.assert_allclose(people_3d.joints_xyz[0, WRIST], [1.0, -0.1, 2.0], atol=1e-5)


@pytest.mark.parametrize("intruder_m", [0.5, 5.0])
def test_depths_out_of_reach_of_the_torso_are_rejected(intruder_m: float) -> None:
    depth = scene()
    depth[60:81, 140:161] = intruder_m  # a pole before the wrist, or the wall that shows beside it
    assert not find(depth).joint_valid[0, WRIST]
    depth[70, 150] = 2.1  # one pixel of the wrist is left
    people_3d = find(depth)
    assert people_3d.joint_valid[0, WRIST]
    np.testing.assert_allclose(people_3d.joints_xyz[0, WRIST, 2], 2.1, atol=1e-5)


def test_a_hand_stretched_forward_is_kept() -> None:
    depth = scene()
    depth[60:81, 140:161] = 1.3
    np.testing.assert_allclose(find(depth).joints_xyz[0, WRIST, 2], 1.3, atol=1e-5)


def test_one_torso_joint_on_the_wall_does_not_move_the_torso() -> None:
    depth = scene()
    depth[40:61, 105:126] = 5.0
    np.testing.assert_allclose(find(depth).positions_xyz[0, 2], 2.0, atol=1e-5)


def test_no_depth_at_all_is_zero_and_not_valid() -> None:
    people_3d = find(np.zeros((150, 200), np.uint16))
    assert not people_3d.joint_valid.any()
    assert not people_3d.position_valid.any()
    assert not people_3d.joints_xyz.any()
    assert not people_3d.positions_xyz.any()


def test_joints_outside_the_picture_have_no_depth() -> None:
    people = person()
    people.keypoints_xy[0, WRIST] = [-300, -300]
    people.keypoints_xy[0, NOSE] = [900, 30]
    assert find(scene(), people).joint_valid[0, [WRIST, NOSE]].tolist() == [False, False]


def test_half_the_resolution_gives_the_same_places() -> None:
    people_3d = find(scene()[::2, ::2])
    np.testing.assert_allclose(people_3d.joints_xyz, find(scene()).joints_xyz, atol=1e-5)


def test_other_proportions_are_refused() -> None:
    with pytest.raises(ImageError, match=r"200 x 150.*got 200 x 100.*register depth to colour"):
        find(np.zeros((100, 200), np.uint16))


def test_what_float32_cannot_hold_has_no_place() -> None:
    """A camera_info with a tiny focal length, or a depth image with huge numbers, and no infinity gets out."""
    tiny = CameraModel(fx=1e-300, fy=100.0, cx=100.0, cy=75.0)
    people_3d = lift_to_3d(person(), scene(), tiny, COCO17, image_wh=IMAGE_WH)
    assert not people_3d.joint_valid[0, WRIST]
    assert people_3d.joint_valid[0, NOSE]  # straight ahead
    assert np.isfinite(people_3d.joints_xyz).all()
    assert np.isfinite(find(scene(body_m=3e38, wall_m=3e38)).joints_xyz).all()

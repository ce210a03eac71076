# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Training crops: keypoints stay on the pixels they were on."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch", reason="requires torch")

from pose_resnet_ros.core.crops import topdown
from pose_resnet_ros.core.skeletons import COCO17
from pose_resnet_ros.core.types import InputSpec
from training.coco import Person, Photograph
from training.detector.hard_negatives import HardNegative
from training.images import ImageStore
from training.pose import augment as pose_augment
from training.pose.crops import ABSENT_WEIGHT, PoseCrops

SIZE_WH = (96, 128)


def _square(centre: tuple[int, int], half: int = 9) -> np.ndarray:
    """A white square round a pixel of a black picture: its centre of mass is that pixel's."""
    picture = np.zeros((240, 320, 3), np.uint8)
    x, y = centre
    picture[y - half : y + half + 1, x - half : x + half + 1] = 255
    return picture


def _centre_of_mass(crop: np.ndarray) -> np.ndarray:
    weight = crop[..., 0].astype(np.float64)
    rows, columns = np.mgrid[: crop.shape[0], : crop.shape[1]]
    return np.array([(columns * weight).sum(), (rows * weight).sum()]) / weight.sum()


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize(("scale", "angle", "shift"), [(0.6, 0, (0, 0)), (0.8, 90, (0.05, -0.1)), (1.0, 180, (0, 0.1))])
def test_a_keypoint_stays_on_its_pixel(flip: bool, scale: float, angle: float, shift: tuple[float, float]) -> None:
    # A crop larger than the box's region would be smaller than the picture and blur it unevenly: sizes are near 1:1.
    affine = pose_augment.crop_affine(
        np.array([110, 60, 80, 100]), (192, 256), scale=scale, rotation_degrees=angle, shift=shift, flip=flip
    )
    crop = pose_augment.warp(_square((150, 110)), affine, (192, 256))
    keypoints = np.tile([150.0, 110.0, 2.0], (17, 1))
    moved = pose_augment.transform_keypoints(keypoints, affine, flipped=flip)
    np.testing.assert_allclose(moved[0, :2], _centre_of_mass(crop), atol=0.03)
    np.testing.assert_array_equal(moved[:, 2], 2)


def test_affine_by_hand() -> None:
    # Box 80x200 at (100, 50), 3:4, times 1.25: a region of 187.5 x 250, so 96 / 187.5 = 0.512 crop pixels for one.
    box = np.array([100, 50, 80, 200])
    plain = pose_augment.crop_affine(box, SIZE_WH, padding=1.25)
    np.testing.assert_allclose(plain, [[0.512, 0, 48 - 0.512 * 140], [0, 0.512, 64 - 0.512 * 150]], atol=1e-9)
    mirrored = pose_augment.crop_affine(box, SIZE_WH, padding=1.25, flip=True)
    np.testing.assert_allclose(mirrored @ [140, 150, 1], [95 - 48, 64], atol=1e-9)
    quarter = pose_augment.crop_affine(box, SIZE_WH, padding=1.25, rotation_degrees=90)
    np.testing.assert_allclose(quarter @ [150, 150, 1], [48, 64 - 5.12], atol=1e-9)


def test_the_plain_crop_is_the_packages() -> None:
    image = np.random.default_rng(0).integers(0, 256, (240, 320, 3)).astype(np.uint8)
    spec = InputSpec(width=96, height=128, channel_order="bgr", scale=1.0)
    theirs = topdown(image, np.array([[100, 50, 180, 250]], np.float32), spec=spec, padding=pose_augment.PADDING)
    ours = pose_augment.warp(image, pose_augment.crop_affine(np.array([100, 50, 80, 200]), SIZE_WH), SIZE_WH)
    np.testing.assert_allclose(ours.transpose(2, 0, 1), theirs.tensor[0], atol=1)


def test_a_mirrored_person_swaps_left_and_right() -> None:
    keypoints = np.stack([np.arange(17.0), np.zeros(17), np.ones(17)], 1)
    affine = pose_augment.crop_affine(np.array([0, 0, 76.8, 102.4]), SIZE_WH, flip=True)
    straight = pose_augment.crop_affine(np.array([0, 0, 76.8, 102.4]), SIZE_WH)
    swapped = pose_augment.transform_keypoints(keypoints, affine, flipped=True)
    plain = pose_augment.transform_keypoints(keypoints, straight, flipped=False)
    order = COCO17.flip_order()
    np.testing.assert_allclose(swapped[:, 0], 95 - plain[order, 0], atol=1e-4)


def test_half_body_needs_enough_joints() -> None:
    random = np.random.default_rng(0)
    box = np.array([0, 0, 100, 200], np.float32)
    few = np.zeros((17, 3))
    few[:5] = 2
    np.testing.assert_array_equal(pose_augment.half_body_box(box, few, random), box)
    every = np.stack([np.linspace(10, 90, 17), np.linspace(0, 200, 17), np.full(17, 2)], 1)
    halves = [pose_augment.half_body_box(box, every, random) for _ in range(20)]
    assert {bool(half[1] < 50) for half in halves} == {True, False}
    assert all(half[3] < 200 for half in halves)


def test_pixels_change_and_keep_their_form() -> None:
    crop = np.random.default_rng(0).integers(0, 256, (128, 96, 3)).astype(np.uint8)
    always = pose_augment.AugmentSettings(erase_chance=1, low_resolution_chance=1, grey_chance=1)
    changed = pose_augment.random_pixels(crop.copy(), always, np.random.default_rng(1))
    assert (changed.shape, changed.dtype) == (crop.shape, crop.dtype)
    assert np.abs(changed.astype(int) - crop).mean() > 5


def test_strength_scales_all_but_the_flip() -> None:
    none, half = (pose_augment.AugmentSettings.of_strength(value) for value in (0.0, 0.5))
    assert (none.flip_chance, none.rotation_chance, none.scale_sigma) == (0.5, 0, 0)
    assert half.rotation_sigma_degrees == pytest.approx(15)


STANDING = np.array([[160, 60 + 10 * number, 1] for number in range(17)], np.float32)
STANDING_BOX = np.array([140, 50, 40, 180], np.float32)


def test_a_truncated_view_leaves_enough_to_see_and_cuts_through_the_box() -> None:
    cut = 0
    for seed in range(200):
        view = pose_augment.truncated_view(STANDING_BOX, STANDING, (320, 240), np.random.default_rng(seed))
        inside = ((STANDING[:, :2] >= view[:2]) & (STANDING[:, :2] < view[2:])).all(1)
        assert inside.sum() >= pose_augment.LEAST_LEFT
        assert (view[:2] >= 0).all()
        assert (view[2:] <= (320, 240)).all()
        box = pose_augment.clipped_box(STANDING_BOX, view)
        assert (box[:2] >= 0).all()
        assert (box[:2] + box[2:] <= view[2:] - view[:2]).all()
        cut += bool(inside.sum() < 17)
    assert cut > 100


def test_joints_that_were_cut_off_are_taught_to_be_absent(tmp_path: Path) -> None:
    """In a crop of a picture that ends at a joint, that joint's target is far away and counts; nothing is unknown."""
    cv2.imwrite(str(tmp_path / "1.png"), np.full((240, 320, 3), 200, np.uint8))
    labels = STANDING.copy()
    labels[:, 2] = 2
    nothing = np.zeros((17, 3), np.float32)
    person = Person(1, STANDING_BOX, labels, nothing, np.zeros(17, bool), 1.0, True)
    photograph = Photograph(1, "1.png", 320, 240, (person,))
    settings = pose_augment.AugmentSettings(truncate_chance=1.0, half_body_chance=0.0, occlude_chance=0.5)
    crops = PoseCrops([photograph], ImageStore(tmp_path), (64, 96), augment=settings)
    absent = 0
    for epoch in range(40):
        crop, keypoints, weights = crops[epoch, 0]
        away = keypoints[0, :, 0] < -1000
        assert crop.shape == (96, 64, 3)
        np.testing.assert_array_equal(weights[0], np.where(away, ABSENT_WEIGHT, 1.0))
        absent += int(away.sum())
    assert 40 < absent < 40 * 13


def test_what_a_detector_took_for_a_person_is_taught_to_have_no_joints(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "1.png"), np.full((240, 320, 3), 200, np.uint8))
    cv2.imwrite(str(tmp_path / "coat.png"), np.zeros((100, 100, 3), np.uint8))
    labels = STANDING.copy()
    labels[:, 2] = 2
    person = Person(1, STANDING_BOX, labels, np.zeros((17, 3), np.float32), np.zeros(17, bool), 1.0, True)
    photograph = Photograph(1, "1.png", 320, 240, (person,))
    coat = HardNegative("coat.png", (10, 20, 60, 90), (0, 0, 100, 100), 0.4)
    settings = pose_augment.AugmentSettings(truncate_chance=0.0)
    crops = PoseCrops([photograph], ImageStore(tmp_path), (64, 96), augment=settings, hard=[coat])
    shown = [crops[epoch, 0] for epoch in range(200)]
    nobody = [(crop, weights) for crop, keypoints, weights in shown if (keypoints < -1000).all()]
    assert 4 < len(nobody) < 40  # NOBODY_CHANCE of them
    for crop, weights in nobody:
        assert (crop.shape, crop.dtype) == ((96, 64, 3), np.uint8)
        np.testing.assert_array_equal(weights, np.repeat([[ABSENT_WEIGHT], [0]], 17, axis=1).astype(np.float32))

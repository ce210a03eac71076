# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Person crops with their keypoints."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch.utils.data import Dataset

from training.coco import Person, Photograph
from training.detector.hard_negatives import HardNegative
from training.images import ImageStore
from training.pose import augment as augmentation

MACHINE_LABEL_WEIGHT = 0.5
"""Weight in the loss of joints with visibility 1, which a machine labelled; 2 counts fully."""
TAUGHT_WEIGHT = 0.75
"""Weight in the loss of a joint of a fully trusted teacher; the label beside it then counts half."""
ABSENT_WEIGHT = 0.5
"""Weight in the loss of the empty heatmap of a joint that is known to be cut off."""
FAR_AWAY = -1e4
NOBODY_CHANCE = 0.08
"""Share of the crops that show a hard negative, where such are given."""


class PoseCrops(Dataset):
    """Crops of the persons with keypoints. Indexed by (epoch, number): the same index gives the same crop, always.

    Items: crop (h, w, 3) uint8 BGR; keypoints (2, 17, 2) float32 in crop pixels, the labels and what a teacher says;
    weights (2, 17) float32, how much each counts.
    augment=None takes the plain crop; only_main leaves out the persons that an image was not annotated for; hard: places
    that a detector took for persons (``training.detector.mine``), which teach empty heatmaps for all joints.
    """

    def __init__(
        self,
        photographs: list[Photograph],
        images: ImageStore,
        size_wh: tuple[int, int],
        *,
        augment: augmentation.AugmentSettings | None = None,
        only_main: bool = False,
        hard: Sequence[HardNegative] = (),
        seed: int = 0,
    ) -> None:
        self.samples: list[tuple[str, Person]] = [
            (photograph.file_name, person)
            for photograph in photographs
            for person in photograph.persons
            if (person.has_keypoints or person.is_taught) and (person.is_main or not only_main)
        ]
        self.size_wh = size_wh
        self._images = images
        self._augment = augment
        self._hard = hard
        self._seed = seed

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        epoch, number = index
        file_name, person = self.samples[number]
        image = self._images.read(file_name)
        if self._augment is None:
            affine = augmentation.crop_affine(person.box_xywh, self.size_wh)
            crop = augmentation.warp(image, affine, self.size_wh)
            return crop, *joint_targets(person, affine, flipped=False, cut_off=person.absent)
        random = np.random.default_rng((self._seed, epoch, number))
        if self._hard and random.random() < NOBODY_CHANCE:
            return self._of_nobody(self._hard[random.integers(len(self._hard))], self._augment, random)
        return self._augmented(image, person, self._augment, random)

    def _augmented(
        self, image: np.ndarray, person: Person, settings: augmentation.AugmentSettings, random: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        located = person.located
        view = np.array([0, 0, image.shape[1], image.shape[0]])
        if random.random() < settings.truncate_chance:
            view = augmentation.truncated_view(person.box_xywh, located, (view[2], view[3]), random)
        outside = ((located[:, :2] < view[:2]) | (located[:, :2] >= view[2:])).any(1) & (located[:, 2] > 0)
        shown = located.copy()
        shown[:, :2] -= view[:2]
        shown[outside, 2] = 0
        affine, flipped = augmentation.random_affine(
            augmentation.clipped_box(person.box_xywh, view), shown, self.size_wh, settings, random
        )
        crop = augmentation.warp(image[view[1] : view[3], view[0] : view[2]], affine, self.size_wh)
        foreground = None
        if random.random() < settings.occlude_chance:
            foreground = self._images.read(self.samples[random.integers(len(self.samples))][0])
        crop = augmentation.random_pixels(crop, settings, random, foreground=foreground)
        affine = affine.copy()
        affine[:, 2] -= affine[:, :2] @ view[:2]  # from the whole image's pixels
        return crop, *joint_targets(person, affine, flipped=flipped, cut_off=person.absent | outside)

    def _of_nobody(
        self, place: HardNegative, settings: augmentation.AugmentSettings, random: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        x1, y1, x2, y2 = place.box_xyxy
        box_xywh, no_joints = np.array([x1, y1, x2 - x1, y2 - y1]), np.zeros((17, 3))
        affine, _ = augmentation.random_affine(box_xywh, no_joints, self.size_wh, settings, random)
        crop = augmentation.warp(self._images.read(place.file_name), affine, self.size_wh)
        keypoints = np.full((2, 17, 2), FAR_AWAY, np.float32)
        weights = np.repeat(np.array([[ABSENT_WEIGHT], [0.0]], np.float32), 17, axis=1)
        return augmentation.random_pixels(crop, settings, random), keypoints, weights


def joint_targets(person: Person, affine: np.ndarray, *, flipped: bool, cut_off: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(2, 17, 2) float32 keypoints in crop pixels and (2, 17) weights, of the labels and of the teacher.

    affine: from image pixels to crop pixels; cut_off: (17,) bool, joints known to be absent. Their place is moved far away,
    where it leaves an empty heatmap to learn.
    """
    labels = augmentation.transform_keypoints(person.keypoints, affine, flipped=flipped)
    taught = augmentation.transform_keypoints(person.taught, affine, flipped=flipped)
    absent = cut_off[augmentation.FLIPPED_ORDER] if flipped else cut_off
    keypoints, weights = np.stack([labels[:, :2], taught[:, :2]]), joint_weights(labels[:, 2], taught[:, 2])
    keypoints[:, absent] = FAR_AWAY
    weights[:, absent] = np.array([[ABSENT_WEIGHT], [0.0]], np.float32)
    return keypoints, weights


def joint_weights(visibility: np.ndarray, trust: np.ndarray) -> np.ndarray:
    """(2, 17) float32 weights in the loss, of the labels and of the teacher, from (17,) each."""
    of_label = np.select([visibility == 1, visibility == 2], [MACHINE_LABEL_WEIGHT, 1.0], 0.0)
    return np.stack([of_label * (1 - trust / 2), TAUGHT_WEIGHT * trust]).astype(np.float32)

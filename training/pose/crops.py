# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Person crops with their keypoints."""

from __future__ import annotations

import numpy as np
from torch.utils.data import Dataset

from training.coco import Person, Photograph
from training.images import ImageStore
from training.pose import augment as augmentation

MACHINE_LABEL_WEIGHT = 0.5
"""Weight in the loss of joints with visibility 1, which a machine labelled; 2 counts fully."""
TAUGHT_WEIGHT = 0.75
"""Weight in the loss of a joint of a fully trusted teacher; the label beside it then counts half."""


class PoseCrops(Dataset):
    """Crops of the persons with keypoints. Indexed by (epoch, number): the same index gives the same crop, always.

    Items: crop (h, w, 3) uint8 BGR; keypoints (2, 17, 2) float32 in crop pixels, the labels and what a teacher says;
    weights (2, 17) float32, how much each counts.
    augment=None takes the plain crop; only_main leaves out the persons that an image was not annotated for.
    """

    def __init__(
        self,
        photographs: list[Photograph],
        images: ImageStore,
        size_wh: tuple[int, int],
        *,
        augment: augmentation.AugmentSettings | None = None,
        only_main: bool = False,
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
        self._seed = seed

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        epoch, number = index
        file_name, person = self.samples[number]
        image = self._images.read(file_name)
        if self._augment is None:
            affine, flipped = augmentation.crop_affine(person.box_xywh, self.size_wh), False
            crop = augmentation.warp(image, affine, self.size_wh)
        else:
            random = np.random.default_rng((self._seed, epoch, number))
            affine, flipped = augmentation.random_affine(
                person.box_xywh, person.keypoints, self.size_wh, self._augment, random
            )
            crop = augmentation.warp(image, affine, self.size_wh)
            crop = augmentation.random_pixels(crop, self._augment, random)
        labels = augmentation.transform_keypoints(person.keypoints, affine, flipped=flipped)
        taught = augmentation.transform_keypoints(person.taught, affine, flipped=flipped)
        keypoints = np.stack([labels[:, :2], taught[:, :2]])
        return crop, keypoints, joint_weights(labels[:, 2], taught[:, 2])


def joint_weights(visibility: np.ndarray, trust: np.ndarray) -> np.ndarray:
    """(2, 17) float32 weights in the loss, of the labels and of the teacher, from (17,) each."""
    of_label = np.select([visibility == 1, visibility == 2], [MACHINE_LABEL_WEIGHT, 1.0], 0.0)
    return np.stack([of_label * (1 - trust / 2), TAUGHT_WEIGHT * trust]).astype(np.float32)

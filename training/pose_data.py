# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Person crops with their keypoints, and the heatmaps that a pose network is to draw for them."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from training import pose_augment
from training.coco import Person, Photograph
from training.images import ImageStore

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
        augment: pose_augment.AugmentSettings | None = None,
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
            affine, flipped = pose_augment.crop_affine(person.box_xywh, self.size_wh), False
            crop = pose_augment.warp(image, affine, self.size_wh)
        else:
            random = np.random.default_rng((self._seed, epoch, number))
            affine, flipped = pose_augment.random_affine(
                person.box_xywh, person.keypoints, self.size_wh, self._augment, random
            )
            crop = pose_augment.warp(image, affine, self.size_wh)
            crop = pose_augment.random_pixels(crop, self._augment, random)
        labels = pose_augment.transform_keypoints(person.keypoints, affine, flipped=flipped)
        taught = pose_augment.transform_keypoints(person.taught, affine, flipped=flipped)
        keypoints = np.stack([labels[:, :2], taught[:, :2]])
        return crop, keypoints, joint_weights(labels[:, 2], taught[:, 2])


def joint_weights(visibility: np.ndarray, trust: np.ndarray) -> np.ndarray:
    """(2, 17) float32 weights in the loss, of the labels and of the teacher, from (17,) each."""
    of_label = np.select([visibility == 1, visibility == 2], [MACHINE_LABEL_WEIGHT, 1.0], 0.0)
    return np.stack([of_label * (1 - trust / 2), TAUGHT_WEIGHT * trust]).astype(np.float32)


class EpochSampler(Sampler):
    """(epoch, number) pairs in an order that depends on the seed and the epoch alone, so that a resumed run goes on as it
    would have gone."""

    def __init__(self, length: int, *, shuffle: bool, seed: int = 0) -> None:
        self._length = length
        self._shuffle = shuffle
        self._seed = seed
        self.epoch = 0

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[tuple[int, int]]:
        order = np.arange(self._length)
        if self._shuffle:
            np.random.default_rng((self._seed, self.epoch)).shuffle(order)
        return iter([(self.epoch, int(number)) for number in order])


def make_loader(
    dataset: Dataset, *, batch_size: int, shuffle: bool, workers: int = 0, seed: int = 0
) -> DataLoader:
    """Batches in seeded order; set ``loader.sampler.epoch`` before each epoch. The last short batch is left out if shuffled."""
    return DataLoader(
        dataset,
        batch_size=batch_size,
        sampler=EpochSampler(len(dataset), shuffle=shuffle, seed=seed),  # type: ignore[arg-type]
        num_workers=workers,
        persistent_workers=workers > 0,
        drop_last=shuffle and len(dataset) >= batch_size,
        worker_init_fn=_one_opencv_thread,
    )


def gaussian_heatmaps(keypoints: torch.Tensor, size_wh: tuple[int, int], *, sigma: float) -> torch.Tensor:
    """Targets (..., K, h/4, w/4): peak 1 at keypoint/4, standard deviation ``sigma`` heatmap pixels.

    keypoints: (..., K, 2) in crop pixels. Heatmap cell i lies on crop pixel 4*i (as in microsoft/human-pose-estimation.pytorch),
    but the centre is not rounded to a cell, so that the decoder's sub-cell shift has something to find.
    """
    columns = torch.arange(size_wh[0] // 4, device=keypoints.device, dtype=torch.float32)
    rows = torch.arange(size_wh[1] // 4, device=keypoints.device, dtype=torch.float32)
    centres = keypoints / 4
    across = torch.exp(-((columns - centres[..., :1]) ** 2) / (2 * sigma**2))
    down = torch.exp(-((rows - centres[..., 1:]) ** 2) / (2 * sigma**2))
    return down[..., :, None] * across[..., None, :]


def _one_opencv_thread(_worker: int) -> None:
    cv2.setNumThreads(1)

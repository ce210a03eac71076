# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Batches in an order that can be repeated."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from torch.utils.data import DataLoader, Dataset, Sampler


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


def make_loader(dataset: Dataset, *, batch_size: int, shuffle: bool, workers: int = 0, seed: int = 0) -> DataLoader:
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


def _one_opencv_thread(_worker: int) -> None:
    cv2.setNumThreads(1)

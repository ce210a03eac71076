# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Heatmaps of every kind: good and bad ones, with peaks anywhere."""

from __future__ import annotations

import numpy as np


def random_maps(rng, count, joints, wh):
    """Gaussian peaks with noise, also on and beyond the border; every fifth map is noise alone, some are
    negative.
    """
    width, height = wh
    y, x = np.mgrid[:height, :width]
    centre = rng.uniform(-2, np.array(wh) + 2, (count, joints, 2))
    on_border = rng.integers(0, 4, (count, joints))
    centre[..., 0] = np.where(
        on_border == 0, rng.choice([0, 1, 2, width - 3, width - 2, width - 1], (count, joints)), centre[..., 0]
    )
    centre[..., 1] = np.where(
        on_border == 1, rng.choice([0, 1, 2, height - 3, height - 2, height - 1], (count, joints)), centre[..., 1]
    )
    distance2 = (x - centre[..., 0, None, None]) ** 2 + (y - centre[..., 1, None, None]) ** 2
    maps = np.exp(-distance2 / 8) * rng.uniform(0.1, 1.2, (count, joints, 1, 1))
    maps[:, ::5] = 0
    maps += rng.normal(0, 0.02, maps.shape)
    if count:
        maps[0, 0] -= 3
        maps[0, 1] = 0
    return maps.astype(np.float32)

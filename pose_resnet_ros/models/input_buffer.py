# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The memory that a network's inputs are written into."""

from __future__ import annotations

import threading

import numpy as np

from pose_resnet_ros.core.crops import tensor_for
from pose_resnet_ros.core.types import InputSpec


class InputBuffer(threading.local):
    """Kept from frame to frame, for the largest batch so far. Each thread has its own, for frames that are in work at once."""

    def __init__(self, spec: InputSpec) -> None:
        self._spec = spec
        self._tensor = tensor_for(1, spec=spec)

    def rows(self, count: int) -> np.ndarray:
        """(count, 3, h, w) float32, with whatever was left there."""
        if len(self._tensor) < count:
            self._tensor = tensor_for(count, spec=self._spec)
        return self._tensor[:count]

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""One decoded frame as an upright BGR array."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

_MATRIX = struct.Struct("=9i")


@dataclass(frozen=True, eq=False)
class Frame:
    """bgr: (H, W, 3) uint8, upright; index: counted from 0; time_s: presentation time since the first frame, always growing."""

    bgr: np.ndarray
    index: int
    time_s: float


class UprightPictures:
    """Frames of one source as arrays, turned as its display matrix says.

    The matrix (ISO/IEC 14496-12, 6.2.2) maps the coded to the shown picture. Not every frame repeats it.
    """

    def __init__(self) -> None:
        self._matrix: tuple[int, ...] = ()

    def of(self, decoded: Any) -> np.ndarray:
        """decoded: a frame of PyAV; (H, W, 3) uint8 BGR."""
        told = decoded.side_data.get("DISPLAYMATRIX")
        if told is not None:
            self._matrix = _MATRIX.unpack(bytes(told)[: _MATRIX.size])
        bgr = decoded.to_ndarray(format="bgr24")
        return turned(bgr, self._matrix) if self._matrix else bgr


def turned(bgr: np.ndarray, matrix: tuple[int, ...]) -> np.ndarray:
    """The picture as a display matrix shows it; matrix: a b u c d v x y w, of which a, b, c and d turn in steps of 90 degrees."""
    a, b, _, c, d = matrix[:5]
    x_sign, y_sign = a, d
    if abs(b) > abs(a):
        bgr, x_sign, y_sign = cv2.transpose(bgr), c, b
    axis = {(True, True): -1, (True, False): 1, (False, True): 0}.get((x_sign < 0, y_sign < 0))
    return bgr if axis is None else cv2.flip(bgr, axis)

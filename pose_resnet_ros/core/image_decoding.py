# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Encoded images (JPEG, PNG, TIFF, ...) and 16-bit pixels to uint8 BGR, the same for files and messages."""

from __future__ import annotations

import cv2
import numpy as np

from pose_resnet_ros.core.errors import ImageError

DARKEST, BRIGHTEST = 0.5, 99.5  # percentiles, so that a few dead or glaring pixels do not count
_SAMPLES = 50_000
_READ = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION


def decode_bgr(data: bytes | memoryview) -> np.ndarray:
    """An encoded image as (H, W, 3) uint8 BGR, by OpenCV; the EXIF orientation is ignored and 16 bits are stretched.

    Raises ImageError if OpenCV cannot decode it, or if its values have neither 8 nor 16 bits.
    """
    try:
        bgr = cv2.imdecode(np.frombuffer(data, np.uint8), _READ)
    except cv2.error as error:  # its own limit on pixels, or a broken header
        raise ImageError(f"cannot be decoded: {error}") from error
    if bgr is None:
        raise ImageError("cannot be decoded")
    if bgr.dtype not in (np.uint8, np.uint16):
        raise ImageError(f"holds {bgr.dtype}: expected 8 or 16 bits per value")
    return to_uint8(bgr)


def to_uint8(values: np.ndarray) -> np.ndarray:
    """(H, W[, C]) uint16 to uint8: the image's darkest value becomes 0 and its brightest 255, all channels alike. uint8 is
    returned as it is; a range of less than 256 values is shifted, not stretched.

    Sensors of 10 to 14 bits leave the upper bits empty, and thermal cameras use a narrow band somewhere in the middle: with the
    full 16-bit range the one image would be black and the other flat.
    """
    if values.dtype == np.uint8:
        return values
    step = round((values.shape[0] * values.shape[1] / _SAMPLES) ** 0.5) | 1  # odd: meets every colour of a Bayer pattern
    darkest, brightest = np.percentile(values[::step, ::step], (DARKEST, BRIGHTEST))
    black = int(darkest)
    return cv2.convertScaleAbs(np.maximum(values, black) - black, alpha=255.0 / max(brightest - black, 255))

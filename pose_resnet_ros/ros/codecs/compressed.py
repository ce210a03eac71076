# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""``sensor_msgs/CompressedImage`` to a BGR array (JPEG, PNG, and what else this OpenCV decodes).

``format`` reads ``ORIGINAL; CODEC compressed PIXELS``, e.g. ``rgb8; jpeg compressed bgr8``; PIXELS is the channel order that
went into the codec. Anything else, also nothing, means BGR (sensor_msgs: msg/CompressedImage.msg).
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from pose_resnet_ros.core.image_limits import MAX_PIXELS
from pose_resnet_ros.ros.codecs.eight_bits import to_eight_bits
from pose_resnet_ros.ros.codecs.image import BadFrameError, check_size

# Pixels as they are stored, which is what camera_info and other listeners mean: a turn noted in EXIF data is left undone.
_READ = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION
_JPEG_START = b"\xff\xd8"
_PNG_START = b"\x89PNG\r\n\x1a\n"
# Start-of-frame markers: all of 0xC0..0xCF but DHT, JPG and DAC (ITU-T T.81, table B.1).
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_MAX_SEGMENTS = 1000  # before the frame; a long colour profile takes some 50


def compressed_to_bgr(message: Any, *, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """The message's picture as (H, W, 3) uint8 BGR; 16 bits are scaled (``eight_bits``).

    Raises BadFrameError (an ImageError) if the data is empty or does not decode, if it is a depth map (compressedDepth) or
    holds floats, and if the picture has more than max_pixels: before decoding where the format is JPEG or PNG; of another
    format OpenCV refuses more than ``core.image_limits`` allows.
    """
    if "compresseddepth" in message.format.lower():
        raise BadFrameError("encoding", f"format '{message.format}' is a depth map: expected a JPEG or PNG picture")
    if not len(message.data):
        raise BadFrameError("data length", "the compressed image has no data")
    data = np.frombuffer(message.data, np.uint8)
    size_wh = declared_size(data.data)
    if size_wh is not None:
        check_size(*size_wh, max_pixels=max_pixels)
    bgr = _decode(data, message.format)
    check_size(bgr.shape[1], bgr.shape[0], max_pixels=max_pixels)
    return cv2.cvtColor(bgr, cv2.COLOR_RGB2BGR) if _holds_rgb(message.format) else bgr


def _decode(data: np.ndarray, declared: str) -> np.ndarray:
    try:
        bgr = cv2.imdecode(data, _READ)
    except cv2.error as error:  # its own cap on pixels, or a broken header
        raise BadFrameError(
            "decode", f"the compressed image ('{declared}', {len(data)} bytes) does not decode: {error}"
        ) from error
    if bgr is None:
        raise BadFrameError("decode", f"the compressed image ('{declared}', {len(data)} bytes) does not decode")
    if bgr.dtype not in (np.uint8, np.uint16):
        raise BadFrameError("decode", f"the compressed image ('{declared}') holds {bgr.dtype}: expected 8 or 16 bits a value")
    return bgr if bgr.dtype == np.uint8 else to_eight_bits(bgr)


def _holds_rgb(declared: str) -> bool:
    _, _, pixels = declared.partition(" compressed ")
    return pixels.strip().startswith("rgb")


def declared_size(data: memoryview) -> tuple[int, int] | None:
    """(width, height) that a JPEG or PNG says it has; None for other formats and for headers that cannot be read.

    Read before decoding, so that a small file cannot make the decoder allocate gigabytes.
    """
    if data[:8] == _PNG_START and len(data) >= 24:
        return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    return _jpeg_size(data) if data[:2] == _JPEG_START else None


def _jpeg_size(data: memoryview) -> tuple[int, int] | None:
    at = 2
    for _ in range(_MAX_SEGMENTS):
        if at + 9 > len(data) or data[at] != 0xFF:
            break
        if data[at + 1] == 0xFF:  # a fill byte before the marker (B.1.1.2)
            at += 1
            continue
        if data[at + 1] in _JPEG_FRAMES:
            return int.from_bytes(data[at + 7 : at + 9], "big"), int.from_bytes(data[at + 5 : at + 7], "big")
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None

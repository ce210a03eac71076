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

from pose_resnet_ros.core.errors import ImageError
from pose_resnet_ros.core.image_decoding import decode_bgr
from pose_resnet_ros.core.library_setup import MAX_PIXELS
from pose_resnet_ros.ros.codecs.encodings import BadFrameError, check_size

_JPEG_START = b"\xff\xd8"
_PNG_START = b"\x89PNG\r\n\x1a\n"
# Start-of-frame markers: all of 0xC0..0xCF but DHT, JPG and DAC (ITU-T T.81, table B.1).
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_MAX_SEGMENTS = 1000  # before the frame; a long colour profile takes some 50


def compressed_to_bgr(message: Any, *, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """The message's image as (H, W, 3) uint8 BGR; 16 bits are scaled by ``to_uint8``.

    The EXIF orientation is ignored: camera_info and other listeners mean the pixels as they are stored.

    Raises BadFrameError (an ImageError) if the data is empty or cannot be decoded, if it is a depth map (compressedDepth) or
    holds floats, and if the image has more than max_pixels: for JPEG and PNG before decoding; in other formats OpenCV refuses
    more than ``core.library_setup`` allows.
    """
    if "compresseddepth" in message.format.lower():
        raise BadFrameError("encoding", f"format '{message.format}' is a depth map: expected a JPEG or PNG image")
    if not len(message.data):
        raise BadFrameError("data length", "the compressed image has no data")
    data = memoryview(message.data).cast("B")
    size_wh = declared_size(data)
    if size_wh is not None:
        check_size(*size_wh, max_pixels=max_pixels)
    try:
        bgr = decode_bgr(data)
    except ImageError as error:
        raise BadFrameError("decode", f"the compressed image ('{message.format}', {len(data)} bytes) {error}") from error
    check_size(bgr.shape[1], bgr.shape[0], max_pixels=max_pixels)
    return cv2.cvtColor(bgr, cv2.COLOR_RGB2BGR) if _holds_rgb(message.format) else bgr


def _holds_rgb(declared: str) -> bool:
    _, _, pixels = declared.partition(" compressed ")
    return pixels.strip().startswith("rgb")


def declared_size(data: memoryview) -> tuple[int, int] | None:
    """(width, height) in the header of a JPEG or PNG; None for other formats and for headers that cannot be read.

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

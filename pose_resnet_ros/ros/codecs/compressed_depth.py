# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Depth from ``sensor_msgs/CompressedImage``: PNG or RVL of compressed_depth_image_transport, PNG of compressed_image_transport.

The former begins with 12 bytes: 4 unused here, and two floats A and B. Depth in metres is stored as 16 bits q with
depth = A / (q - B), and q = 0 for none (source: compressed_depth_image_transport, codec.cpp). RVL: Wilson, "Fast Lossless Depth
Image Compression", 2017.
"""

from __future__ import annotations

import struct
from typing import Any

import cv2
import numpy as np

from pose_resnet_ros.core.library_setup import MAX_PIXELS
from pose_resnet_ros.ros.codecs.compressed import declared_size
from pose_resnet_ros.ros.codecs.encodings import BadFrameError, check_size

_HEADER = struct.Struct("<iff")
_RVL_SIZE = struct.Struct("<ii")
_MARK = "compresseddepth"


def compressed_depth_array(message: Any, *, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """(H, W) uint16 millimetres or float32 metres, NaN where there is none.

    Raises BadFrameError for another encoding than 16UC1 and 32FC1, for a codec that would change the depth (JPEG), and for data
    that do not decode, or to more than max_pixels.
    """
    encoding, _, codec = (part.strip().lower() for part in message.format.partition(";"))
    data = memoryview(message.data).cast("B")
    if _MARK not in codec:
        return _checked(_from_png(data, message.format, max_pixels), encoding, message.format, {"16uc1", "mono16"})
    if len(data) <= _HEADER.size:
        raise BadFrameError("data length", f"compressed depth: expected more than {_HEADER.size} bytes, got {len(data)}")
    _, a, b = _HEADER.unpack_from(data)
    if codec.endswith("rvl"):
        stored = _from_rvl(data[_HEADER.size :], max_pixels)
    else:
        stored = _from_png(data[_HEADER.size :], message.format, max_pixels)
    stored = _checked(stored, encoding, message.format, {"16uc1", "mono16", "32fc1"})
    return _metres(stored, a, b) if encoding == "32fc1" else stored


def _checked(stored: np.ndarray, encoding: str, declared: str, allowed: set[str]) -> np.ndarray:
    if encoding not in allowed or stored.dtype != np.uint16 or stored.ndim != 2:
        raise BadFrameError(
            "encoding",
            f"compressed depth: expected one channel of 16 bits and the encoding 16UC1 (or 32FC1 with compressedDepth), got"
            f" {stored.dtype} {stored.shape} and the format '{declared}'",
        )
    return stored


def _metres(stored: np.ndarray, a: float, b: float) -> np.ndarray:
    with np.errstate(all="ignore"):
        return np.where(stored == 0, np.float32(np.nan), np.float32(a) / (stored.astype(np.float32) - np.float32(b)))


def _from_png(data: memoryview, declared: str, max_pixels: int) -> np.ndarray:
    size_wh = declared_size(data) if bytes(data[:4]) == b"\x89PNG" else None
    if size_wh is None:
        raise BadFrameError(
            "encoding", f"compressed depth: expected PNG or RVL, which keep the depth, got the format '{declared}'"
        )
    check_size(*size_wh, max_pixels=max_pixels)
    try:
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise BadFrameError("decode", f"compressed depth cannot be decoded: {error}") from error
    if decoded is None:
        raise BadFrameError("decode", f"compressed depth ('{declared}', {len(data)} bytes) cannot be decoded")
    return np.asarray(decoded)


def _from_rvl(data: memoryview, max_pixels: int) -> np.ndarray:
    """Width, height, then in turns: a number of zeros, a number of others, and for each of these its difference to the last."""
    if len(data) < _RVL_SIZE.size:
        raise BadFrameError("data length", f"RVL: expected at least {_RVL_SIZE.size} bytes, got {len(data)}")
    width, height = _RVL_SIZE.unpack_from(data)
    check_size(width, height, max_pixels=max_pixels)
    numbers = _variable_length_numbers(data[_RVL_SIZE.size :])
    is_pixel, places = np.zeros(len(numbers), bool), np.zeros(len(numbers), np.int64)
    pixel = at = 0
    while pixel < width * height and at + 1 < len(numbers):
        zeros, others = int(numbers[at]), int(numbers[at + 1])
        pixel, at = pixel + zeros, at + 2
        if others > len(numbers) - at:
            break
        is_pixel[at : at + others] = True
        places[at : at + others] = np.arange(pixel, pixel + others)
        pixel, at = pixel + others, at + others
    if pixel != width * height:
        raise BadFrameError("decode", f"RVL: the data do not hold {width} x {height} pixels")
    coded = numbers[is_pixel]
    differences = (coded >> 1) ^ -(coded & 1)
    depth = np.zeros(width * height, np.uint16)
    depth[places[is_pixel]] = np.cumsum(differences).astype(np.uint16)
    return depth.reshape(height, width)


def _variable_length_numbers(data: memoryview) -> np.ndarray:
    """(n,) int64. A number's groups of 3 bits, the lowest first, stand in half bytes whose highest bit says that more follow; the
    half bytes fill 32-bit words from above.
    """
    words = np.frombuffer(data[: len(data) // 4 * 4], "<u4")
    nibbles = ((words[:, None] >> np.arange(28, -1, -4, dtype=np.uint32)) & 15).ravel().astype(np.int64)
    ends = np.flatnonzero(nibbles < 8)
    if not len(ends):
        return np.zeros(0, np.int64)
    starts = np.concatenate([[0], ends[:-1] + 1])
    if (ends - starts).max() > 10:  # 33 bits: no number of pixels, and no depth
        raise BadFrameError("decode", "RVL: a number is too long")
    group = np.arange(ends[-1] + 1) - np.repeat(starts, ends - starts + 1)
    return np.asarray(np.add.reduceat((nibbles[: ends[-1] + 1] & 7) << (3 * group), starts))

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Whatever a compressed message holds: a BGR picture, or a BadFrameError."""

from __future__ import annotations

import array

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutations import mutated

pytest.importorskip("sensor_msgs")
from sensor_msgs.msg import CompressedImage

from pose_resnet_ros.ros.codecs.compressed import compressed_to_bgr
from pose_resnet_ros.ros.codecs.encodings import BadFrameError

PICTURE = np.random.default_rng(0).integers(0, 256, (12, 17, 3), np.uint8)
SUFFIXES = (".jpg", ".png", ".tiff", ".webp", ".bmp", ".ppm")
FILES = [cv2.imencode(suffix, PICTURE)[1].tobytes() for suffix in SUFFIXES]
FORMATS = ("", "jpeg", "png", "rgb8; jpeg compressed bgr8", "rgb8; png compressed rgb8", "16UC1; compressedDepth png")


@given(st.sampled_from(FORMATS) | st.text(max_size=30), mutated(FILES) | st.binary(max_size=60))
def test_a_compressed_message_is_a_picture_or_a_bad_frame(declared: str, data: bytes) -> None:
    message = CompressedImage(format=declared, data=array.array("B", data))
    try:
        bgr = compressed_to_bgr(message, max_pixels=1_000_000)
    except BadFrameError:
        return
    assert bgr.ndim == 3
    assert bgr.shape[2] == 3
    assert 0 < bgr.shape[0] * bgr.shape[1] <= 1_000_000
    assert bgr.dtype == np.uint8

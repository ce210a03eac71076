# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Whatever a compressed depth message holds: depth, or a BadFrameError."""

from __future__ import annotations

import struct
from types import SimpleNamespace

import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from mutations import mutated

from pose_resnet_ros.ros.codecs.compressed_depth import compressed_depth_array
from pose_resnet_ros.ros.codecs.encodings import BadFrameError

FORMATS = ("16UC1; compressedDepth rvl", "32FC1; compressedDepth rvl", "16UC1; compressedDepth png", "16UC1; png compressed ", "")
HEADER = struct.pack("<iff", 0, 100.0, 1.0)
PNG = cv2.imencode(".png", np.arange(204, dtype=np.uint16).reshape(12, 17) * 300)[1].tobytes()
# Two rows of 17 pixels: no zeros and 34 equal depths; 34 zeros.
RVL = [struct.pack("<ii", 17, 2) + struct.pack(f"<{len(words)}I", *words) for words in ([0x0A4F8D2, *[0] * 5], [0xA4000000])]
FILES = [PNG, HEADER + PNG, *(HEADER + rvl for rvl in RVL)]


@given(st.sampled_from(FORMATS) | st.text(max_size=30), mutated(FILES) | st.binary(max_size=200))
def test_a_compressed_depth_message_is_depth_or_a_bad_frame(declared: str, data: bytes) -> None:
    try:
        depth = compressed_depth_array(SimpleNamespace(format=declared, data=data), max_pixels=1_000_000)
    except BadFrameError:
        return
    assert depth.ndim == 2
    assert 1 < depth.size <= 1_000_000
    assert depth.dtype in (np.uint16, np.float32)

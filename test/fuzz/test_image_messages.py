# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Whatever an image message holds: a BGR picture, or a BadFrameError."""

from __future__ import annotations

import array
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("sensor_msgs")
from sensor_msgs.msg import Image

from pose_resnet_ros.ros.codecs.encodings import ENCODINGS, BadFrameError
from pose_resnet_ros.ros.codecs.image import depth_array, image_to_bgr

LARGEST = 2**32 - 1
BYTES_A_PIXEL = (1, 2, 3, 4, 6, 8)


@st.composite
def image_messages(draw: st.DrawFn, encodings: tuple[str, ...]) -> Image:
    """A message whose fields belong together, more often than not; else one of them is off, by a little or by a lot."""
    wrong = draw(st.sampled_from((None, None, None, "width", "height", "step", "data", "encoding")))

    def field(name: str, right: int) -> int:
        off = st.integers(-3, 3).map(lambda by: min(max(right + by, 0), LARGEST)) | st.integers(0, LARGEST)
        return draw(off) if name == wrong else right

    width, height = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    row = width * draw(st.sampled_from(BYTES_A_PIXEL)) + draw(st.sampled_from((0, 0, 5)))
    message = Image(width=field("width", width), height=field("height", height), step=field("step", row))
    message.encoding = draw(st.text(max_size=12) if wrong == "encoding" else st.sampled_from(encodings))
    message.is_bigendian = draw(st.sampled_from((0, 1, 255)))
    rows = draw(st.sampled_from((height, height, height * 3 // 2)))  # of planes that follow one another
    length = min(field("data", row * rows), 1000)
    message.data = array.array("B", np.random.default_rng(length).bytes(length))
    return message


@given(image_messages((*ENCODINGS, "8UC2", "32FC1")))
def test_an_image_message_is_a_picture_or_a_bad_frame(message: Any) -> None:
    try:
        bgr = image_to_bgr(message)
    except BadFrameError:
        return
    assert bgr.shape == (message.height, message.width, 3)
    assert bgr.dtype == np.uint8


@given(image_messages(("16UC1", "mono16", "32FC1")))
def test_a_depth_message_is_a_depth_map_or_a_bad_frame(message: Any) -> None:
    try:
        depth = depth_array(message)
    except BadFrameError:
        return
    assert depth.shape == (message.height, message.width)
    assert depth.dtype in (np.uint16, np.float32)

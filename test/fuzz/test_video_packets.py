# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Whatever a packet of a video topic holds: images or an ImageError, and the right images from the next key frame on."""

from __future__ import annotations

from contextlib import suppress
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutations import mutated

pytest.importorskip("av")
import encoded_video
from encoded_video import GOP, encoded, square

from pose_resnet_ros.core.errors import ImageError
from pose_resnet_ros.video.packets import CODECS, VideoDecoder

SMALL = (96, 128)
PACKET = 1  # the damaged one


# Encoded before the tests, whose memory is limited.
VIDEOS = {codec: encoded(codec, count=2 * GOP, size_wh=SMALL) for codec in ("h264", "hevc", "vp8", "vp9")}


@pytest.mark.parametrize("codec", VIDEOS)
@given(st.data())
def test_after_any_packet_the_video_goes_on_at_a_key_frame(codec: str, data: st.DataObject) -> None:
    packets = VIDEOS[codec]
    decoder, found = VideoDecoder(), {}
    damaged = data.draw(mutated([packets[PACKET].data, packets[0].data]) | st.binary(max_size=100))
    for packet in packets:
        payload = damaged if packet.number == PACKET else packet.data
        with suppress(ImageError):
            for frame in decoder.decode(SimpleNamespace(data=payload, format=codec), packet.number):
                found[frame.origin] = frame.to_bgr()
    assert set(range(GOP, 2 * GOP)) <= found.keys()
    for number in range(GOP, 2 * GOP):
        assert np.abs(found[number].astype(int) - square(number, SMALL)).mean() < 3


@given(st.sampled_from([*CODECS, *encoded_video.ENCODERS]) | st.text(max_size=30), st.binary(max_size=100))
def test_any_format_is_decoded_or_refused(declared: str, data: bytes) -> None:
    with suppress(ImageError):
        assert VideoDecoder().decode(SimpleNamespace(data=data, encoding=declared, pts=0), None) is not None

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Files that were right once: cut, overwritten, lengthened, or with pieces moved. For the property-based tests."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

_TELLING = (0, 1, 0x7F, 0x80, 0xFF)  # what sizes and counts become extreme by


@st.composite
def mutated(draw: st.DrawFn, originals: Sequence[bytes]) -> bytes:
    """One of these files, damaged in up to four places."""
    data = bytearray(draw(st.sampled_from(originals)))
    for _ in range(draw(st.integers(0, 4))):
        _damage(draw, data)
    return bytes(data)


def _damage(draw: st.DrawFn, data: bytearray) -> None:
    # The head decides more than the body: half of the places lie in it.
    place = st.integers(0, min(len(data), 200)) | st.integers(0, len(data))
    begin, count = draw(place), draw(st.integers(0, 8))
    kind = draw(st.sampled_from(("overwrite", "cut", "insert", "remove", "move")))
    if kind == "overwrite":
        value = draw(st.sampled_from(_TELLING) | st.integers(0, 255))
        data[begin : begin + count] = bytes([value]) * len(data[begin : begin + count])
    elif kind == "cut":
        del data[begin:]
    elif kind == "insert":
        data[begin:begin] = draw(st.binary(max_size=16))
    elif kind == "remove":
        del data[begin : begin + count]
    else:
        other = draw(place)
        data[begin : begin + count] = data[other : other + count]

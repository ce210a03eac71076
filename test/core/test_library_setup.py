# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""In processes of their own, since OpenCV reads its limit once."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from pose_resnet_ros.core.library_setup import MAX_PIXELS, OPENCV_VARIABLE

# As a tool does it: the command line first, then OpenCV. Prints what was decoded, and the MiB that it took at most.
DECODE = """
import resource, sys
from pose_resnet_ros.tools import cli
cli.main(["models", "path", "person_lite"])
import cv2, numpy
def peak_mib():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
before = peak_mib()
try:
    decoded = cv2.imdecode(numpy.frombuffer(bytes.fromhex(sys.argv[1]), numpy.uint8), cv2.IMREAD_COLOR)
except cv2.error:
    decoded = None
print(None if decoded is None else decoded.shape, peak_mib() - before)
"""


def decoded_by_a_tool(data: bytes, **environment: str) -> tuple[str, int]:
    """The shape that came out, and the MiB that it took."""
    own = {name: value for name, value in os.environ.items() if name != OPENCV_VARIABLE}
    command = [sys.executable, "-c", DECODE, data.hex()]
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(command, env={**own, **environment}, cwd=root, capture_output=True, text=True, check=True)
    shape, _, mib = done.stdout.splitlines()[-1].rpartition(" ")
    return shape, int(mib)


def gif(side: int) -> bytes:
    """An empty GIF: its size alone makes a decoder take memory."""
    screen = b"GIF89a" + struct.pack("<HHBBB", side, side, 0x80, 0, 0) + bytes(6)
    return screen + b"," + struct.pack("<HHHHB", 0, 0, side, side, 0) + b"\x02\x01\x00\x00;"


def bmp(width: int, height: int) -> bytes:
    rows = bytes((3 * width + 3) // 4 * 4 * height)
    return b"BM" + struct.pack("<IHHIIiiHHIIiiII", 54 + len(rows), 0, 0, 54, 40, width, height, 1, 24, *[0] * 6) + rows


@pytest.mark.parametrize("data", [gif(30_000), bmp(1, 1)[:18] + struct.pack("<ii", 30_000, 30_000) + bytes(99)])
def test_a_small_file_cannot_ask_for_gigabytes(data: bytes) -> None:
    shape, mib = decoded_by_a_tool(data)
    assert shape == "None"
    assert mib < 100


def test_a_limit_of_the_users_own_stays() -> None:
    assert decoded_by_a_tool(bmp(4, 5)) == ("(5, 4, 3)", pytest.approx(0, abs=50))
    assert decoded_by_a_tool(bmp(4, 5), **{OPENCV_VARIABLE: "10"})[0] == "None"


def test_the_limit_is_above_every_camera() -> None:
    assert MAX_PIXELS > 100_000_000

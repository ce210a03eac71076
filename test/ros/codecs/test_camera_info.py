# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Depth images and camera_info, as plain objects with the messages' fields."""

from __future__ import annotations

from array import array
from types import SimpleNamespace as Object

import numpy as np
import pytest

from pose_resnet_ros.core.errors import ImageError, SettingsError
from pose_resnet_ros.ros.codecs.image import camera_from_info, depth_array


def image(pixels: np.ndarray, encoding: str, *, padding: int = 0, is_bigendian: bool = False) -> Object:
    stored = pixels.astype(pixels.dtype.newbyteorder(">" if is_bigendian else "<"))
    rows = b"".join(row.tobytes() + b"\xff" * padding for row in stored)
    step = pixels.shape[1] * pixels.itemsize + padding
    return Object(width=pixels.shape[1], height=pixels.shape[0], step=step, encoding=encoding, is_bigendian=int(is_bigendian),
                  data=array("B", rows))  # fmt: skip


@pytest.mark.parametrize(("encoding", "dtype"), [("16UC1", np.uint16), ("mono16", np.uint16), ("32FC1", np.float32)])
@pytest.mark.parametrize("is_bigendian", [False, True])
@pytest.mark.parametrize("padding", [0, 4])
def test_pixels_come_out_as_they_went_in(encoding: str, dtype: type, is_bigendian: bool, padding: int) -> None:
    pixels = np.arange(12, dtype=dtype).reshape(3, 4) * 300
    found = depth_array(image(pixels, encoding, padding=padding, is_bigendian=is_bigendian))
    np.testing.assert_array_equal(found, pixels)
    assert found.dtype == dtype


def test_an_everyday_image_is_not_copied() -> None:
    message = image(np.zeros((3, 4), np.uint16), "16UC1")
    assert np.shares_memory(depth_array(message), np.frombuffer(message.data, np.uint8))


def test_nan_stays_nan() -> None:
    assert np.isnan(depth_array(image(np.full((2, 2), np.nan, np.float32), "32FC1"))).all()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"encoding": "bgr8"}, r"16UC1 \(mm\) or 32FC1 \(m\), got 'bgr8'"),
        ({"step": 7}, "expected at least 8 bytes, got 7"),
        ({"data": array("B", bytes(23))}, "expected 24 bytes, got 23"),
        ({"width": 0}, "no pixels"),
    ],
)
def test_bad_images_say_what_was_expected(change: dict, says: str) -> None:
    message = image(np.zeros((3, 4), np.uint16), "16UC1")
    with pytest.raises(ImageError, match=says):
        depth_array(Object(**{**vars(message), **change}))


def info(**changes: object) -> Object:
    values = {
        "width": 640,
        "height": 480,
        "distortion_model": "plumb_bob",
        "d": [0.1, 0.0, 0.0, 0.0, 0.0],
        "k": [600.0, 0.0, 320.0, 0.0, 610.0, 240.0, 0.0, 0.0, 1.0],
        "p": [500.0, 0.0, 300.0, 0.0, 0.0, 505.0, 200.0, 0.0, 0.0, 0.0, 1.0, 0.0],
        "binning_x": 0,
        "binning_y": 0,
        "roi": Object(x_offset=0, y_offset=0, width=0, height=0),
    }
    return Object(**{**values, **changes})


def test_k_and_d_or_p() -> None:
    raw = camera_from_info(info(), is_rectified=False, image_wh=(640, 480))
    assert (raw.fx, raw.fy, raw.cx, raw.cy, raw.distortion[0]) == (600, 610, 320, 240, 0.1)
    rectified = camera_from_info(info(), is_rectified=True, image_wh=(640, 480))
    assert (rectified.fx, rectified.fy, rectified.cx, rectified.cy) == (500, 505, 300, 200)
    assert not any(rectified.distortion)


def test_region_and_binning() -> None:
    part = info(binning_x=2, binning_y=2, roi=Object(x_offset=100, y_offset=40, width=400, height=300))
    camera = camera_from_info(part, is_rectified=False, image_wh=(200, 150))
    assert (camera.fx, camera.fy, camera.cx, camera.cy) == (300, 305, 110, 100)


def test_a_size_that_the_driver_left_out_is_no_error() -> None:
    camera_from_info(info(width=0, height=0), is_rectified=False, image_wh=(333, 222))


def test_a_calibration_of_another_size_is_refused() -> None:
    with pytest.raises(SettingsError, match="320 x 240 image, got one of 640 x 480"):
        camera_from_info(info(), is_rectified=False, image_wh=(320, 240))


@pytest.mark.parametrize("is_rectified", [False, True])
def test_zeros_are_no_calibration(is_rectified: bool) -> None:
    with pytest.raises(SettingsError, match="calibrated camera"):
        camera_from_info(info(k=[0.0] * 9, p=[0.0] * 12, d=[]), is_rectified=is_rectified, image_wh=(640, 480))

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Letterboxes: where the picture lies, what fills the rest, and the way back."""

from dataclasses import replace

import numpy as np
import pytest

from pose_resnet_ros.core.letterbox import LETTERBOXES, darknet, onnx_zoo, stretched, ultralytics, yolox
from pose_resnet_ros.core.types import InputSpec

SQUARE = InputSpec(416, 416, "rgb", 1 / 255)
RAW = InputSpec(416, 416, "bgr", 1.0)


def plain(width, height):
    image = np.empty((height, width, 3), np.uint8)
    image[:] = (10, 20, 30)
    return image


@pytest.mark.parametrize(
    ("size", "window"),
    [
        ((768, 576), (0, 52, 416, 312)),  # 312 = 576 * 416 / 768
        ((576, 768), (52, 0, 312, 416)),
        ((416, 416), (0, 0, 416, 416)),
        ((1000, 333), (0, 139, 416, 138)),  # 333 * 416 / 1000 = 138.5
        ((100, 31), (0, 144, 416, 128)),  # 31 * 416 / 100 = 128.96
        ((5000, 1), (0, 207, 416, 1)),  # never less than a row
    ],
)
@pytest.mark.parametrize("letterbox", [darknet, onnx_zoo])
def test_centred(letterbox, size, window):
    check_centred(letterbox, size, window, fill={darknet: 127.5, onnx_zoo: 128}[letterbox])


@pytest.mark.parametrize(
    ("size", "window"), [((768, 576), (0, 52, 416, 312)), ((1000, 333), (0, 138, 416, 139)), ((31, 100), (143, 0, 129, 416))]
)
def test_ultralytics_rounds_to_the_nearest_size(size, window):
    check_centred(ultralytics, size, window, fill=114)
    left, top, width, height = window
    back = ultralytics(plain(*size), spec=SQUARE).boxes_to_image(np.array([[left, top, left + width, top + height]]))
    np.testing.assert_allclose(back, [[0, 0, *size]], atol=0.01)


def check_centred(letterbox, size, window, *, fill):
    tensor = letterbox(plain(*size), spec=SQUARE).tensor
    expected = np.full((1, 3, 416, 416), fill / 255, np.float32)
    left, top, width, height = window
    expected[0, :, top : top + height, left : left + width] = np.reshape([30, 20, 10], (3, 1, 1)) / np.float32(255)
    np.testing.assert_allclose(tensor, expected, atol=1e-6)


def test_yolox_at_the_top_left_raw():
    result = yolox(plain(768, 576), spec=RAW)
    expected = np.full((1, 3, 416, 416), 114, np.float32)
    expected[0, :, :312] = np.reshape([10, 20, 30], (3, 1, 1))
    np.testing.assert_allclose(result.tensor, expected)
    boxes = result.boxes_to_image(np.array([[0, 0, 416, 312.0]]))
    np.testing.assert_allclose(boxes, [[0, 0, 768, 576]], atol=0.01)


def test_stretched_fills_the_input_and_maps_each_axis_back_by_its_own_scale():
    for size in ((768, 576), (200, 100), (300, 900)):
        result = stretched(plain(*size), spec=RAW)
        np.testing.assert_allclose(result.tensor, np.broadcast_to(np.reshape([10, 20, 30], (1, 3, 1, 1)), (1, 3, 416, 416)))
        np.testing.assert_allclose(result.boxes_to_image(np.array([[0, 0, 416, 416], [208, 104, 416, 208]])),
                                   [[0, 0, *size], [size[0] / 2, size[1] / 4, size[0], size[1] / 2]], rtol=1e-6)  # fmt: skip


@pytest.mark.parametrize("letterbox", [darknet, onnx_zoo])
def test_the_way_back_takes_the_window_to_the_image(letterbox):
    for (width, height), (left, top, new_width, new_height) in (
        ((768, 576), (0, 52, 416, 312)),
        ((333, 1000), (139, 0, 138, 416)),
    ):
        result = letterbox(plain(width, height), spec=SQUARE)
        window = np.array([[left, top, left + new_width, top + new_height]], np.float32)
        np.testing.assert_allclose(result.boxes_to_image(window), [[0, 0, width, height]], atol=0.01)
        assert result.boxes_to_image(window[:0]).shape == (0, 4)


@pytest.mark.parametrize("letterbox", LETTERBOXES.values(), ids=LETTERBOXES)
@pytest.mark.parametrize("size", [(640, 480), (200, 320)])
def test_a_bright_patch_is_found_again(letterbox, size):
    image = np.zeros((size[1], size[0], 3), np.uint8)
    image[100:120, 60:90] = 255
    result = letterbox(image, spec=RAW)
    ys, xs = np.nonzero(result.tensor[0, 0] > 200)
    patch = np.array([[xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]])
    np.testing.assert_allclose(result.boxes_to_image(patch), [[60, 100, 90, 120]], atol=1.6)  # a network pixel


@pytest.mark.parametrize("letterbox", LETTERBOXES.values(), ids=LETTERBOXES)
def test_normalised_into_the_given_tensor(letterbox):
    spec = replace(RAW, mean=(1, 2, 3), std=(2, 4, 5))
    out = np.full((1, 3, 416, 416), np.nan, np.float32)
    result = letterbox(plain(300, 200), spec=spec, out=out)
    assert np.shares_memory(result.tensor, out)
    middle = result.tensor[0, :, 200, 200]
    np.testing.assert_allclose(middle, [(10 - 1) / 2, (20 - 2) / 4, (30 - 3) / 5], atol=1e-5)
    assert np.isfinite(out).all()

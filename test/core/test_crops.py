# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Crops: the affine there and back, what the tensor holds, and ailia's variant."""

from dataclasses import replace

import literal
import numpy as np
import pytest

from pose_resnet_ros.core.crops import CROPS, ailia, check_image, to_image, topdown
from pose_resnet_ros.core.errors import ImageError
from pose_resnet_ros.core.types import InputSpec

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
MICROSOFT = InputSpec(192, 256, "bgr", 1 / 255, MEAN, STD)
PLAIN = InputSpec(96, 128, "bgr", 1.0)


def ramp(width=240, height=200):
    """Blue counts columns, green rows, red both halved: a value between pixels tells the place."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x, y, (x + y) // 2], axis=2).astype(np.uint8)


def crop_from_image(image_from_crop):
    return np.linalg.inv(np.vstack([image_from_crop, [0, 0, 1]]))[:2]


def test_worked_example():
    crops = topdown(ramp(), np.array([[100, 50, 180, 250]], np.float32), spec=MICROSOFT, padding=1.25)
    np.testing.assert_allclose(crop_from_image(crops.image_from_crop[0]), [[1.024, 0, -47.36], [0, 1.024, -25.6]])
    # Heatmap cell (24.25, 31.75), four input pixels each.
    point = to_image(np.array([[[97.0, 127.0]]], np.float32), crops.image_from_crop)
    np.testing.assert_allclose(point, [[[140.9765625, 149.0234375]]], atol=1e-4)


@pytest.mark.parametrize("count", [0, 1, 20])
def test_the_affine_is_that_of_the_three_points(count):
    rng = np.random.default_rng(count)
    boxes = random_boxes(rng, count)
    crops = topdown(ramp(), boxes, spec=MICROSOFT, padding=1.25)
    assert crops.tensor.shape == (count, 3, 256, 192)
    assert crops.tensor.dtype == np.float32
    for box, back in zip(boxes, crops.image_from_crop, strict=True):
        expected = literal.affine(*literal.crop_view(box, (192, 256), 1.25), (192, 256), inverse=True)
        np.testing.assert_allclose(back, expected, atol=1e-6)


@pytest.mark.parametrize("box", [[60, 40, 140, 160], [-30, 20, 50, 150], [150, 120, 300, 260], [20.3, 10.7, 33.1, 52.9]])
def test_pixels_inside_and_across_the_border(box):
    image = ramp()
    crops = topdown(image, np.array([box], np.float32), spec=PLAIN, padding=1.25)
    rng = np.random.default_rng(0)
    for x, y in zip(rng.integers(0, 96, 200), rng.integers(0, 128, 200), strict=True):
        place = crops.image_from_crop[0] @ [x, y, 1]
        if touches_border(place, image):
            continue  # half black: one pixel's error of place is a large error of value
        expected = literal.crop_value(image, box, (96, 128), 1.25, (x, y))
        np.testing.assert_allclose(crops.tensor[0, :, y, x], expected, atol=1.0)


def test_outside_is_black_before_normalisation():
    crops = topdown(np.full((50, 60, 3), 200, np.uint8), np.array([[300, 300, 340, 400.0]]), spec=MICROSOFT, padding=1.25)
    black = [-2.1179, -2.0357, -1.8044]
    np.testing.assert_allclose(crops.tensor[0], np.broadcast_to(np.reshape(black, (3, 1, 1)), (3, 256, 192)), atol=1e-4)


@pytest.mark.parametrize("crop", CROPS.values(), ids=CROPS)
@pytest.mark.parametrize(("order", "colours"), [("bgr", (10, 20, 30)), ("rgb", (30, 20, 10))])
def test_statistics_follow_the_channel_index_not_the_colour(crop, order, colours):
    image = np.empty((400, 400, 3), np.uint8)
    image[:] = (10, 20, 30)
    spec = replace(MICROSOFT, channel_order=order)
    crops = crop(image, np.array([[150, 100, 250, 300.0]]), spec=spec, padding=1.25)
    expected = (np.array(colours) / 255 - MEAN) / STD
    np.testing.assert_allclose(crops.tensor[0].reshape(3, -1).T, np.broadcast_to(expected, (256 * 192, 3)), atol=1e-5)


@pytest.mark.parametrize("crop", CROPS.values(), ids=CROPS)
def test_writes_into_the_given_tensor(crop):
    boxes = random_boxes(np.random.default_rng(0), 3)
    out = np.full((5, 3, 128, 96), 7, np.float32)
    crops = crop(ramp(), boxes, spec=PLAIN, padding=1.25, out=out)
    assert np.shares_memory(crops.tensor, out)
    assert (out[3:] == 7).all()
    np.testing.assert_array_equal(crops.tensor, crop(ramp(), boxes, spec=PLAIN, padding=1.25).tensor)
    for wrong in (out[:2], out.astype(np.float64), out[:, :, ::2], np.zeros((5, 3, 64, 96), np.float32)):
        with pytest.raises(ValueError, match="out: expected at least"):
            crop(ramp(), boxes, spec=PLAIN, padding=1.25, out=wrong)


def test_a_window_of_a_larger_image_is_fine():
    image = ramp()
    boxes = np.array([[20, 20, 60, 90.0]])
    whole = topdown(np.ascontiguousarray(image[10:150, 5:200]), boxes, spec=PLAIN, padding=1.25)
    window = topdown(image[10:150, 5:200], boxes, spec=PLAIN, padding=1.25)
    np.testing.assert_array_equal(window.tensor, whole.tensor)


def test_bad_images_are_refused():
    for image in (np.zeros((9, 9), np.uint8), np.zeros((9, 9, 4), np.uint8), np.zeros((9, 9, 3)), np.zeros((0, 9, 3), np.uint8)):
        with pytest.raises(ImageError, match=r"expected a BGR image of shape \(H, W, 3\) uint8, got"):
            check_image(image)


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        # 80 wide, 200 high: 150 wide round the same middle.
        ([100.7, 50.2, 180.9, 250.6], [65, 50, 215, 250]),
        # At the left border the widened box is cut: the aspect is lost.
        ([0, 0, 40, 200], [0, 0, 95, 200]),
        # A wide one loses its arms; what lies above the image is cut first.
        ([50, -100, 250, 100], [112, 0, 187, 100]),
        # Outside: one pixel is left.
        ([400, 320, 420, 380], [299, 299, 300, 300]),
    ],
)
def test_ailias_box(box, expected):
    x1, y1, x2, y2 = expected
    crops = ailia(np.zeros((300, 300, 3), np.uint8), np.array([box]), spec=MICROSOFT, padding=1.25)
    back = [[(x2 - x1) / 192, 0, x1], [0, (y2 - y1) / 256, y1]]
    np.testing.assert_allclose(crops.image_from_crop, [back])


def test_points_to_the_image_and_back():
    boxes = random_boxes(np.random.default_rng(4), 6)
    crops = topdown(ramp(), boxes, spec=MICROSOFT, padding=1.25)
    points = np.random.default_rng(5).uniform(0, 190, (6, 17, 2))
    on_image = to_image(points, crops.image_from_crop)
    for n in range(6):
        forward = crop_from_image(crops.image_from_crop[n])
        np.testing.assert_allclose(on_image[n] @ forward[:, :2].T + forward[:, 2], points[n], atol=1e-3)
    assert to_image(points[:0], crops.image_from_crop[:0]).shape == (0, 17, 2)


def random_boxes(rng, count):
    """Inside, across and outside the border of a 240 x 200 picture."""
    corner, size = rng.uniform(-120, 260, (count, 2)), rng.uniform(4, 180, (count, 2))
    return np.concatenate([corner, corner + size], axis=1).astype(np.float32)


def touches_border(place, image):
    x, y = place
    height, width = image.shape[:2]
    near_x, near_y = min(abs(x), abs(x - width + 1)) < 1.5, min(abs(y), abs(y - height + 1)) < 1.5
    return near_x or near_y


def test_a_panorama_that_opencv_cannot_warp_is_refused():
    box = np.array([[32_700.0, 0, 32_760, 40]])
    crops = topdown(np.full((40, 32_766, 3), 9, np.uint8), box, spec=PLAIN, padding=1.0)
    assert crops.tensor.max() == 9
    with pytest.raises(ImageError, match="at most 32766 pixels a side, got 32767 x 40; scale it down"):
        check_image(np.zeros((40, 32_767, 3), np.uint8))


@pytest.mark.parametrize("crop", CROPS.values(), ids=CROPS)
def test_a_picture_of_one_pixel_is_refused_and_one_of_two_is_taken(crop):
    box = np.array([[0, 0, 1, 1]], np.float32)
    with pytest.raises(ImageError, match="more than one pixel"):
        check_image(np.zeros((1, 1, 3), np.uint8))
    for shape in ((1, 2, 3), (2, 1, 3)):
        assert crop(np.full(shape, 9, np.uint8), box, spec=PLAIN, padding=1.0).tensor.max() == 9

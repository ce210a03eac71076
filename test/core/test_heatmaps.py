# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Decoders of the pose network's output, against hand-made maps and the literal implementation."""

from functools import partial

import literal
import numpy as np
import pytest
from random_maps import random_maps

from pose_resnet_ros.core.crops import to_image, topdown
from pose_resnet_ros.core.heatmaps import DECODERS, gaussian_kernel, merge_flipped, mirrored
from pose_resnet_ros.core.skeletons import COCO17
from pose_resnet_ros.core.types import InputSpec

LITERAL = {
    "microsoft": literal.microsoft,
    "mmpose": literal.mmpose,
    "dark": literal.dark,
    "dark17": partial(literal.dark, kernel=17),
}
HEATMAPS = list(LITERAL)
SIZES = [((192, 256), (48, 64)), ((128, 192), (32, 48))]  # network input, heatmap: width, height


def one_map(values, wh=(48, 64)):
    """A zero map with the given {(x, y): value}, as a network output for one person with one joint."""
    heatmap = np.zeros((1, 1, wh[1], wh[0]), np.float32)
    for (x, y), value in values.items():
        heatmap[0, 0, y, x] = value
    return [heatmap]


def decode(name, values):
    points, scores = DECODERS[name].decode(one_map(values), input_wh=(192, 256))
    return (points[0, 0] / 4).tolist(), float(scores[0, 0])


def random_boxes(rng, count):
    """Inside, across and outside the border of a 200 x 150 picture."""
    corner, size = rng.uniform(-100, 220, (count, 2)), rng.uniform(5, 200, (count, 2))
    return np.concatenate([corner, corner + size], axis=1).astype(np.float32)


@pytest.mark.parametrize("count", [0, 1, 2, 9, 64])
@pytest.mark.parametrize("name", HEATMAPS)
def test_image_points_against_the_literal_implementation(name, count):
    rng = np.random.default_rng(count)
    joints = 17 if count < 64 else 3
    for input_wh, map_wh in SIZES:
        maps, boxes = random_maps(rng, count, joints, map_wh), random_boxes(rng, count)
        spec = InputSpec(*input_wh, "bgr", 1.0)
        crops = topdown(np.zeros((150, 200, 3), np.uint8), boxes, spec=spec, padding=1.25)
        points, scores = DECODERS[name].decode([maps], input_wh=input_wh)
        result = to_image(points, crops.image_from_crop)
        expected, expected_scores = literal.keypoints(maps, boxes, input_wh, 1.25, LITERAL[name])
        np.testing.assert_allclose(result, expected, atol=0.01, rtol=1e-6)
        np.testing.assert_array_equal(scores, expected_scores.astype(np.float32))


def test_quarter_step_by_hand():
    assert decode("microsoft", {(10, 20): 1, (11, 20): 0.5, (10, 19): 0.3}) == ([10.25, 19.75], 1)
    assert decode("microsoft", {(10, 20): 1, (11, 20): 0.5, (9, 20): 0.5}) == ([10, 20], 1)


@pytest.mark.parametrize(
    ("peak", "microsoft", "mmpose"),
    [
        ((2, 2), (2.25, 2.25), (2.25, 2.25)),
        ((1, 30), (1, 30), (1, 30.25)),  # both axes or none; each on its own
        ((46, 30), (46.25, 30.25), (46.25, 30.25)),
        ((47, 30), (47, 30), (47, 30.25)),
        ((0, 30), (0, 30), (0, 30)),
        ((20, 1), (20, 1), (20.25, 1)),
        ((20, 62), (20.25, 62.25), (20.25, 62.25)),
        ((20, 63), (20, 63), (20.25, 63)),
        ((20, 0), (20, 0), (20, 0)),
    ],
)
def test_border_rules(peak, microsoft, mmpose):
    x, y = peak
    values = {(min(x + 1, 47), y): 0.5, (x, min(y + 1, 63)): 0.5, peak: 1.0}
    assert decode("microsoft", values)[0] == list(microsoft)
    assert decode("mmpose", values)[0] == list(mmpose)


def test_the_first_of_equal_peaks_wins():
    assert decode("microsoft", {(30, 10): 1, (5, 40): 1})[0] == [30, 10]


def test_a_map_without_a_positive_value_keeps_its_place():
    heatmap = np.full((1, 1, 64, 48), -0.5, np.float32)
    heatmap[0, 0, 40, 30] = -0.1
    heatmap[0, 0, 40, 31] = -0.2
    for name in ("microsoft", "mmpose"):
        points, scores = DECODERS[name].decode([heatmap], input_wh=(192, 256))
        np.testing.assert_allclose(points[0, 0], [30.25 * 4, 40 * 4])
        assert scores[0, 0] == np.float32(-0.1)
    # The reference code goes to the corner here: the one difference from it.
    assert literal.microsoft(heatmap[0, 0], corner_rule=True)[:2] == (0, 0)


@pytest.mark.parametrize("kernel", ["dark", "dark17"])
@pytest.mark.parametrize("centre", [(24.3, 31.8), (10.0, 12.45), (40.5, 50.5)])
def test_dark_finds_the_centre_of_a_gaussian(kernel, centre):
    y, x = np.mgrid[:64, :48]
    heatmap = np.exp(-((x - centre[0]) ** 2 + (y - centre[1]) ** 2) / 8).astype(np.float32)[None, None]
    points, scores = DECODERS[kernel].decode([heatmap], input_wh=(192, 256))
    np.testing.assert_allclose(points[0, 0] / 4, centre, atol=0.01)
    assert scores[0, 0] == heatmap.max()


def test_dark_in_an_almost_empty_map_stays_near_the_peak():
    """mmpose steps there too, here out of the image."""
    heatmap = np.random.default_rng(5).normal(0.02, 0.001, (64, 48)).astype(np.float32)
    peak_xy = literal.peak(heatmap)[:2]
    assert np.hypot(*np.subtract(literal.dark(heatmap, any_step=True)[:2], peak_xy)) > 50
    points, _ = DECODERS["dark"].decode([heatmap[None, None]], input_wh=(192, 256))
    np.testing.assert_allclose(points[0, 0] / 4, peak_xy)


def test_dark_makes_no_step_where_the_smoothed_map_is_not_positive():
    heatmap = np.full((64, 48), -0.1, np.float32)
    heatmap[30, 20] = 1.5
    assert literal.dark(heatmap, any_step=True)[:2] == pytest.approx((20, 30))
    heatmap[30, 21] = 1.4
    assert literal.dark(heatmap, any_step=True)[0] != pytest.approx(20)
    points, _ = DECODERS["dark"].decode([heatmap[None, None]], input_wh=(192, 256))
    np.testing.assert_array_equal(points[0, 0] / 4, [20, 30])


def test_darks_kernel_is_opencvs():
    np.testing.assert_allclose(gaussian_kernel(11)[5] / gaussian_kernel(11)[6], np.exp(1 / 8))
    np.testing.assert_allclose(gaussian_kernel(17)[8] / gaussian_kernel(17)[9], np.exp(1 / (2 * 2.9**2)))
    assert len(gaussian_kernel(17)) == 17
    np.testing.assert_allclose(gaussian_kernel(17).sum(), 1)


@pytest.mark.parametrize("name", HEATMAPS)
def test_a_broken_map_gives_a_score_of_zero_and_a_finite_place(name):
    maps = np.zeros((2, 17, 64, 48), np.float32)
    maps[0] = np.nan
    maps[1, :, 20, 20] = np.nan
    points, scores = DECODERS[name].decode([maps], input_wh=(192, 256))
    assert np.isfinite(points).all()
    assert (scores == 0).all()


@pytest.mark.parametrize("count", [0, 1, 40])
def test_simcc(count):
    rng = np.random.default_rng(0)
    along_x, along_y = rng.normal(size=(count, 17, 384)), rng.normal(size=(count, 17, 512))
    points, scores = DECODERS["simcc"].decode([along_x.astype(np.float32), along_y.astype(np.float32)], input_wh=(192, 256))
    assert points.shape == (count, 17, 2)
    for n in range(count):
        for k in range(17):
            bins = [list(line).index(max(line)) for line in (along_x[n, k], along_y[n, k])]
            np.testing.assert_array_equal(points[n, k], [bins[0] / 2, bins[1] / 2])
            np.testing.assert_allclose(scores[n, k], min(max(along_x[n, k]), max(along_y[n, k])), rtol=1e-6)


@pytest.mark.parametrize("count", [0, 1, 6])
def test_flip_test_against_the_literal_one(count):
    rng = np.random.default_rng(2)
    maps, flipped = rng.normal(size=(2, count, 17, 12, 9)).astype(np.float32)
    merged = merge_flipped(maps, flipped, flip_order=COCO17.flip_order())
    np.testing.assert_allclose(merged, literal.flip_test(maps, flipped, COCO17.flip_pairs), atol=1e-6)
    assert merged.dtype == np.float32


def test_flip_test_shifts_and_keeps_the_first_column():
    maps = np.zeros((1, 17, 1, 4), np.float32)
    flipped = np.zeros_like(maps)
    flipped[0, COCO17.joint_names.index("left_wrist"), 0] = [1, 2, 3, 4]
    merged = merge_flipped(maps, flipped, flip_order=COCO17.flip_order())
    # Mirrored back: 4 3 2 1; one to the right, column 0 kept: 4 4 3 2.
    np.testing.assert_array_equal(merged[0, COCO17.joint_names.index("right_wrist"), 0], [2, 2, 1.5, 1])
    assert merged[0, COCO17.joint_names.index("left_wrist")].max() == 0


def test_the_mirrored_input_is_contiguous():
    tensor = np.arange(2 * 3 * 4 * 5, dtype=np.float32).reshape(2, 3, 4, 5)
    assert mirrored(tensor).flags.c_contiguous
    np.testing.assert_array_equal(mirrored(tensor), tensor[:, :, :, ::-1])

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Pixels to rays, against OpenCV's projection of known points."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pose_resnet_ros.core.depth import CameraModel
from pose_resnet_ros.core.errors import SettingsError

K = (600.0, 0.0, 320.0, 0.0, 610.0, 240.0, 0.0, 0.0, 1.0)
PLUMB_BOB = (-0.28, 0.09, 0.0012, -0.0008, -0.012)
RATIONAL = (0.5, -2.1, 0.0008, -0.0002, 1.4, 0.38, -1.9, 1.3)


def points_in_view() -> np.ndarray:
    """A grid of points over the whole picture, at depths from 0.5 to 6 m: (M, 3)."""
    x, y, z = np.meshgrid(np.linspace(-0.5, 0.5, 9), np.linspace(-0.38, 0.38, 7), [0.5, 2.0, 6.0])
    return np.stack([x * z, y * z, z], axis=-1).reshape(-1, 3)


@pytest.mark.parametrize(
    ("model", "d"),
    [
        ("plumb_bob", PLUMB_BOB),
        ("plumb_bob", PLUMB_BOB[:4]),
        ("rational_polynomial", RATIONAL),
        ("rational_polynomial", (*RATIONAL, 0.01, -0.002, 0.004, 0.001)),  # thin prism
        ("rational_polynomial", (*RATIONAL, 0.0, 0.0, 0.0, 0.0, 0.01, -0.02)),  # tilted sensor
        ("brown_conrady", PLUMB_BOB),
        ("radtan", PLUMB_BOB[:4]),
        ("plumb_bob", (0.0,) * 5),
        ("plumb_bob", ()),
        ("", ()),
        ("", (0.0,) * 5),
    ],
)
def test_rays_lead_back_to_the_points_that_opencv_projects(model: str, d: tuple[float, ...]) -> None:
    points = points_in_view()
    pixels, _ = cv2.projectPoints(points, np.zeros(3), np.zeros(3), np.reshape(K, (3, 3)), np.array(d or (0.0,) * 5))
    rays = CameraModel.calibrated(K, distortion_model=model, d=d).rays(pixels[:, 0])
    np.testing.assert_allclose(rays * points[:, 2:], points, atol=1e-4)


@pytest.mark.parametrize("model", ["equidistant", "fisheye", "kannala_brandt", "KANNALA_BRANDT"])
@pytest.mark.parametrize("d", [(0.05, -0.02, 0.004, -0.001), (0.0,) * 4, ()])
def test_rays_of_a_fisheye_lead_back_to_the_points_that_opencv_projects(model: str, d: tuple[float, ...]) -> None:
    points = points_in_view() * (3, 3, 1)  # up to 62 degrees off the axis
    pixels, _ = cv2.fisheye.projectPoints(
        points[:, None], np.zeros(3), np.zeros(3), np.reshape(K, (3, 3)), np.array(d or (0.0,) * 4)
    )
    rays = CameraModel.calibrated(K, distortion_model=model, d=d).rays(pixels[:, 0])
    np.testing.assert_allclose(rays * points[:, 2:], points, atol=1e-4)


@pytest.mark.parametrize(("degrees", "x_m"), [(10, 0.529), (30, 1.732), (60, 5.196)])
def test_a_fisheye_without_coefficients_is_no_pinhole(degrees: int, x_m: float) -> None:
    """r = f * theta, so that what is 3 m deep lies 3 tan(theta) m aside."""
    camera = CameraModel.calibrated(K, distortion_model="equidistant", d=(0.0,) * 4)
    ray = camera.rays(np.array([320 + 600 * np.radians(degrees), 240.0]))
    np.testing.assert_allclose(3 * ray, [x_m, 0, 3], atol=1e-3)


def test_what_a_fisheye_sees_behind_itself_has_no_ray() -> None:
    camera = CameraModel.calibrated(K, distortion_model="equidistant", d=(0.0,) * 4)
    aside = np.array([[320 + 600 * np.radians(degrees), 240.0] for degrees in (80, 95, 170)])
    assert np.isfinite(camera.rays(aside)).all(axis=1).tolist() == [True, False, False]


def test_shapes_of_persons_and_of_nobody() -> None:
    camera = CameraModel.calibrated(K, distortion_model="plumb_bob", d=PLUMB_BOB)
    assert camera.rays(np.zeros((0, 17, 2))).shape == (0, 17, 3)
    np.testing.assert_array_equal(camera.rays(np.full((2, 17, 2), (320.0, 240.0))), np.full((2, 17, 3), (0, 0, 1)))


def test_a_rectified_image_uses_p() -> None:
    p = (500.0, 0.0, 300.0, -25.0, 0.0, 505.0, 200.0, 0.0, 0.0, 0.0, 1.0, 0.0)
    np.testing.assert_allclose(CameraModel.rectified(p).rays(np.array([800.0, 705.0])), [1, 1, 1])


def test_region_of_interest_and_binning() -> None:
    camera = CameraModel.calibrated(K, distortion_model="plumb_bob", d=())
    part = camera.cropped_and_binned(offset_xy=(100, 40), binning_xy=(2, 4))
    assert (part.fx, part.fy, part.cx, part.cy) == (300.0, 152.5, 110.0, 50.0)


@pytest.mark.parametrize("k", [(0.0,) * 9, (float("nan"),) * 9])
def test_no_calibration_is_refused(k: tuple[float, ...]) -> None:
    with pytest.raises(SettingsError, match="calibrated camera"):
        CameraModel.calibrated(k, distortion_model="plumb_bob", d=())


@pytest.mark.parametrize(
    ("model", "d"),
    [
        ("fov", (0.9,)),
        ("omnidirectional", (0.1,) * 4),
        ("modified_brown_conrady", (0.1,) * 5),  # RealSense's own formula
        ("kannala_brandt", (0.1,) * 8),  # with further terms, as MYNT EYE has them
        ("kannala_brandt4", (0.0,) * 4),  # zeros of an unknown model are not known to mean a pinhole
        ("", (0.1, 0.0, 0.0, 0.0, 0.0)),
        ("equidistant", (0.1, 0.0, 0.0, 0.0, 0.2)),
        ("rational_polynomial", (0.1,) * 15),
    ],
)
def test_an_unknown_lens_is_refused_by_name(model: str, d: tuple[float, ...]) -> None:
    says = f"plumb_bob .*, rational_polynomial .*, equidistant .*, got '{model}' with {len(d)}.*image_is_rectified"
    with pytest.raises(SettingsError, match=says):
        CameraModel.calibrated(K, distortion_model=model, d=d)


@pytest.mark.parametrize("model", ["plumb_bob", "equidistant"])
def test_points_that_are_no_numbers_have_no_ray(model: str) -> None:
    camera = CameraModel.calibrated(K, distortion_model=model, d=(0.1, 0.0, 0.0, 0.0))
    rays = camera.rays(np.array([[np.nan, 240.0], [np.inf, 240.0], [320.0, 240.0]]))
    assert np.isfinite(rays[:, :2]).all(axis=1).tolist() == [False, False, True]


def test_what_the_lens_cannot_have_seen_is_nan() -> None:
    camera = CameraModel.calibrated(K, distortion_model="plumb_bob", d=(-0.5, 0.0, 0.0, 0.0, 0.0))
    assert np.isnan(camera.rays(np.array([5000.0, 5000.0]))[:2]).all()

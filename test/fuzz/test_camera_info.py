# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Whatever a driver says of its camera: a camera model that gives rays, or a SettingsError; and Persons in 3D without NaN."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("sensor_msgs")
from sensor_msgs.msg import CameraInfo

from pose_resnet_ros.core.depth import lift_to_3d
from pose_resnet_ros.core.errors import PoseError, SettingsError
from pose_resnet_ros.core.skeletons import skeleton_named
from pose_resnet_ros.core.types import Detections, People
from pose_resnet_ros.ros.codecs.image import camera_from_info

WIDTH, HEIGHT = 64, 48
SKELETON = skeleton_named("coco17")
NUMBERS = st.floats(-100, 100) | st.sampled_from((0.0, 1e-300, 1e300)) | st.floats()
SIZES = st.sampled_from((0, 1, WIDTH, HEIGHT)) | st.integers(0, 2**32 - 1)
READ = (0, 2, 4, 5, 6)  # people_3d of the focal lengths and the centre in K or P
MODELS = ("", "plumb_bob", "rational_polynomial", "equidistant", "equidistant", "thin_prism")


@st.composite
def camera_infos(draw: st.DrawFn) -> CameraInfo:
    """Of a calibrated camera; then some fields become anything."""
    info = CameraInfo(width=WIDTH, height=HEIGHT, distortion_model=draw(st.sampled_from(MODELS) | st.text(max_size=9)))
    info.k = [50.0, 0.0, 32.0, 0.0, 50.0, 24.0, 0.0, 0.0, 1.0]
    info.p = [50.0, 0.0, 32.0, 0.0, 0.0, 50.0, 24.0, 0.0, 0.0, 0.0, 1.0, 0.0]
    info.d = draw(st.lists(st.floats(-0.5, 0.5) | NUMBERS, max_size=15))
    for _ in range(draw(st.integers(0, 2))):
        matrix = draw(st.sampled_from((info.k, info.p)))
        matrix[draw(st.sampled_from(READ))] = draw(NUMBERS)
    for owner, name in ((info, "width"), (info, "height"), (info, "binning_x"), (info.roi, "width"), (info.roi, "x_offset")):
        if draw(st.integers(0, 9)) == 0:
            setattr(owner, name, draw(SIZES))
    return info


@st.composite
def persons(draw: st.DrawFn) -> People:
    """Up to three, with keypoints in the image and far outside."""
    count = draw(st.integers(0, 3))
    spread = draw(st.sampled_from((10.0, 1e3, 1e30)))
    points = (np.random.default_rng(count).normal(0, spread, (count, len(SKELETON), 2)) + 30).astype(np.float32)
    boxes = np.tile(np.array([10, 10, 40, 40], np.float32), (count, 1))
    found = Detections(boxes, np.ones(count, np.float32))
    return People.untracked(found, points, np.ones((count, len(SKELETON)), np.float32))


@given(camera_infos(), st.booleans())
def test_camera_info_is_a_camera_or_a_settings_error(info: CameraInfo, is_rectified: bool) -> None:
    try:
        camera = camera_from_info(info, is_rectified=is_rectified, image_wh=(WIDTH, HEIGHT))
    except SettingsError:
        return
    rays = camera.rays(np.array([[0, 0], [WIDTH / 2, HEIGHT / 2], [1e30, -1e30]]))
    assert rays.shape == (3, 3)
    assert (rays[:, 2] == 1).all()


@given(camera_infos(), st.booleans(), persons(), st.sampled_from((np.uint16, np.float32)), st.integers(0, 99))
def test_persons_in_space_are_finite(info: CameraInfo, is_rectified: bool, people: People, dtype: type, seed: int) -> None:
    rng = np.random.default_rng(seed)
    if dtype == np.uint16:
        depth = rng.integers(0, 9000, (HEIGHT, WIDTH)).astype(dtype)
    else:
        depth = rng.choice(np.array([np.nan, np.inf, -np.inf, -1, 0, 1e-30, 1.5, 2, 3e38], dtype), (HEIGHT, WIDTH))
    try:
        camera = camera_from_info(info, is_rectified=is_rectified, image_wh=(WIDTH, HEIGHT))
        people_3d = lift_to_3d(people, depth, camera, SKELETON, image_wh=(WIDTH, HEIGHT))
    except PoseError:
        return
    assert np.isfinite(people_3d.joints_xyz).all()
    assert np.isfinite(people_3d.positions_xyz).all()
    assert not people_3d.joint_valid[~people_3d.position_valid].any()

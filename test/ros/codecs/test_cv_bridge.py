# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""cv_bridge, which wheels do not bring: what a broken one and one that knows more do to a frame, by stand-ins."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from pose_resnet_ros.ros.codecs import cv_bridge_fallback
from pose_resnet_ros.ros.codecs.encodings import BadFrameError
from pose_resnet_ros.ros.codecs.image import image_to_bgr

BGR = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)


def image(encoding: str) -> SimpleNamespace:
    return SimpleNamespace(height=2, width=3, encoding=encoding, step=9, is_bigendian=0, data=BGR.tobytes())


@pytest.fixture(autouse=True)
def _forget_cv_bridge() -> Iterator[None]:
    cv_bridge_fallback.cv_bridge.cache_clear()
    yield
    cv_bridge_fallback.cv_bridge.cache_clear()


@pytest.mark.parametrize(
    "error",
    [
        ImportError("numpy.core.multiarray failed to import"),
        AttributeError("_ARRAY_API not found"),
        SystemError("initialization of cv_bridge_boost raised unreported exception"),
    ],
)
def test_a_broken_cv_bridge_costs_only_other_encodings_and_is_asked_once(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts = []

    class Broken:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "cv_bridge":
                attempts.append(name)
                raise error

    monkeypatch.delitem(sys.modules, "cv_bridge", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    for _ in range(2):
        with pytest.raises(BadFrameError, match=r"cv_bridge cannot be imported .*; let the driver publish one of") as caught:
            image_to_bgr(image("32FC1"))
        assert str(error) in str(caught.value)
        assert caught.value.kind == "encoding"
    assert len(attempts) == 1
    np.testing.assert_array_equal(image_to_bgr(image("bgr8")), BGR)


class FakeBridge:
    """What cv_bridge answers, good or bad."""

    def imgmsg_to_cv2(self, given: SimpleNamespace, desired_encoding: str) -> np.ndarray:
        assert desired_encoding == "bgr8"
        if given.encoding == "nonsense":
            raise TypeError("no such encoding")
        return BGR[:1] if given.encoding == "cut" else BGR


def test_an_encoding_of_tomorrow_is_left_to_cv_bridge(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("cv_bridge")
    module.CvBridge = FakeBridge  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "cv_bridge", module)
    np.testing.assert_array_equal(image_to_bgr(image("p010")), BGR)
    with pytest.raises(BadFrameError, match=r"'nonsense' cannot be converted to an image .*cv_bridge: no such encoding"):
        image_to_bgr(image("nonsense"))
    with pytest.raises(BadFrameError, match=r"cv_bridge made uint8 \(1, 3, 3\) of 'cut'"):
        image_to_bgr(image("cut"))


def test_the_installed_cv_bridge_agrees() -> None:
    """The oracle, where a ROS install has one that imports; pictures written by hand stand for it elsewhere."""
    try:
        bridge = importlib.import_module("cv_bridge").CvBridge()
        messages = importlib.import_module("sensor_msgs.msg")
    except Exception:  # noqa: BLE001 - not there, or broken by its NumPy
        return
    random = np.random.default_rng(1)
    for encoding, channels in {"bgr8": 3, "rgb8": 3, "bgra8": 4, "rgba8": 4, "mono8": 1, "bayer_rggb8": 1}.items():
        pixels = random.integers(0, 255, (8, 8 * channels), np.uint8)
        theirs = messages.Image(height=8, width=8, encoding=encoding, step=8 * channels)
        theirs.data.frombytes(pixels.tobytes())
        np.testing.assert_array_equal(image_to_bgr(theirs), bridge.imgmsg_to_cv2(theirs, "bgr8"))

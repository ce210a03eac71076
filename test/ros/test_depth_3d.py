# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The running node with a depth camera, played by the test."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("rclpy")
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import PoseArray
from pose_resnet_ros.msg import PersonArray, PersonArray3D
from rclpy.lifecycle import TransitionCallbackReturn
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from vision_msgs.msg import Detection3DArray
from visualization_msgs.msg import Marker, MarkerArray

FRAME = "camera_optical_frame"


class Setup:
    """A pose node that uses depth, and its three inputs. The image is 160 x 120; the one person's joints all lie on its spot."""

    def __init__(
        self, world: Any, image_message: Callable[..., Image], until_logged: Callable[[str], None], **parameters: Any
    ) -> None:
        self.world, self._image_message = world, image_message
        self.until_logged = until_logged
        self.persons: list[PersonArray] = world.listen(PersonArray, "/pose_resnet/persons")
        self.persons_3d: list[PersonArray3D] = world.listen(PersonArray3D, "/pose_resnet/persons_3d")
        self.poses: list[PoseArray] = world.listen(PoseArray, "/pose_resnet/poses")
        self.markers: list[MarkerArray] = world.listen(MarkerArray, "/pose_resnet/markers")
        self.diagnostics: list[DiagnosticArray] = world.listen(DiagnosticArray, "/diagnostics")
        transport = parameters.get("depth_transport", "raw")
        self._depth_type, suffix = (Image, "") if transport == "raw" else (CompressedImage, f"/{transport}")
        self._depth_topic = f"/depth_image{suffix}"
        self.node = world.pose_node(use_depth=True, tracking__confirm_hits=1, keypoint_threshold=0.2, **parameters)
        self.reconnect()

    def reconnect(self) -> None:
        """Publishers that the node has found."""
        self._images = self.world.publisher(Image)
        self._depths = self.world.publisher(self._depth_type, self._depth_topic)
        self._infos = self.world.publisher(CameraInfo, "/camera_info")

    def info(self, **fields: Any) -> None:
        """A calibration: K and P differ, so that it shows which one was used."""
        message = CameraInfo(width=160, height=120, distortion_model="plumb_bob", d=[0.0] * 5)
        message.header.frame_id = FRAME
        message.k = [100.0, 0.0, 80.0, 0.0, 100.0, 60.0, 0.0, 0.0, 1.0]
        message.p = [200.0, 0.0, 60.0, 0.0, 0.0, 200.0, 40.0, 0.0, 0.0, 0.0, 1.0, 0.0]
        for name, value in fields.items():
            setattr(message, name, value)
        self.world.deliver(self._infos, message)

    def depth(self, metres: np.ndarray | float, *, stamp_ms: int = 1000, frame_id: str = FRAME) -> None:
        """A 32FC1 depth image; a number stands for a flat wall."""
        pixels = np.full((120, 160), metres, np.float32) if np.isscalar(metres) else metres.astype(np.float32)
        message = Image(height=pixels.shape[0], width=pixels.shape[1], encoding="32FC1", step=4 * pixels.shape[1])
        message.data = array("B", pixels.tobytes())
        message.header.frame_id = frame_id
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp_ms * 1_000_000, 1_000_000_000)
        self.world.deliver(self._depths, message)

    def compressed_depth(self, millimetres: int, format_: str) -> None:
        """A flat wall as 16-bit PNG, at 1 s."""
        png = cv2.imencode(".png", np.full((120, 160), millimetres, np.uint16))[1].tobytes()
        message = CompressedImage(format=format_)
        message.data.frombytes((bytes(12) if "compressedDepth" in format_ else b"") + png)
        message.header.frame_id = FRAME
        message.header.stamp.sec = 1
        self.world.deliver(self._depths, message)

    def image(self, *, number: int = 1, nanosec: int = 0) -> PersonArray:
        """An image at so many s and ns; its 2D result."""
        seen = len(self.persons)
        message = self._image_message(number=number)
        message.header.stamp.nanosec = nanosec
        self._images.publish(message)
        self.world.until(lambda: len(self.persons) > seen, "the 2D result")
        return self.persons[-1]

    def result(self) -> PersonArray3D:
        """The newest 3D result."""
        self.world.until(lambda: self.persons_3d, "the 3D result")
        return self.persons_3d[-1]

    def until_counted(self, key: str) -> None:
        def shown() -> bool:
            return any(v.key == key for d in self.diagnostics[-1:] for s in d.status for v in s.values)

        self.world.until(shown, f"diagnostics with '{key}'")


@pytest.fixture
def setup(
    world: Any, spot: str, image_message: Callable[..., Image], until_logged: Callable[[str], None]
) -> Callable[..., Setup]:
    return lambda **parameters: Setup(world, image_message, until_logged, pose_model=spot, **parameters)


def test_persons_poses_and_markers(setup: Callable[..., Setup]) -> None:
    s = setup()
    s.info()
    s.depth(2.0)
    flat = s.image().persons[0].keypoints[0]
    result = s.result()
    assert result.header == s.persons[-1].header
    assert result.skeleton == "openpose18"
    (person,) = result.persons
    assert person.track_id == 1
    assert person.position_valid
    nose = person.keypoints[0]
    assert nose.depth_valid
    assert (nose.name, nose.z) == ("nose", 2.0)
    assert nose.x == pytest.approx((flat.x - 80) / 100 * 2, abs=1e-5)
    assert nose.y == pytest.approx((flat.y - 60) / 100 * 2, abs=1e-5)
    s.world.until(lambda: s.poses and s.markers, "poses and markers")
    assert s.poses[0].poses[0].position.z == 2.0
    assert [m.action for m in s.markers[0].markers[:3]] == [Marker.DELETEALL] * 3
    assert {m.ns for m in s.markers[0].markers[3:]} == {f"/pose_resnet/{kind}" for kind in ("bones", "joints", "labels")}


@pytest.mark.parametrize(
    ("transport", "format_"), [("compressedDepth", "16UC1; compressedDepth png"), ("compressed", "16UC1; png compressed ")]
)
def test_compressed_depth(setup: Callable[..., Setup], transport: str, format_: str) -> None:
    s = setup(depth_transport=transport)
    s.info()
    s.compressed_depth(2500, format_)
    s.image()
    assert s.result().persons[0].position.z == 2.5


def test_a_colour_image_on_the_depth_topic_is_refused(setup: Callable[..., Setup]) -> None:
    s = setup(depth_transport="compressed")
    s.info()
    s.compressed_depth(2500, "rgb8; png compressed bgr8")
    s.image()
    s.until_logged("the encoding 16UC1")
    assert s.persons_3d == []


def test_velocities_and_detections(setup: Callable[..., Setup]) -> None:
    """A wall that comes nearer at 1.5 m/s, and with it everybody."""
    s = setup()
    detections = s.world.listen(Detection3DArray, "/pose_resnet/detections_3d")
    s.world.until(lambda: s.node.count_subscribers("/pose_resnet/detections_3d"), "the subscription")
    s.info()
    for count in range(4):
        s.depth(3.0 - 0.3 * count, stamp_ms=1000 + 200 * count)
        s.image(number=1, nanosec=200_000_000 * count)
        s.world.until(lambda n=count: len(s.persons_3d) > n and len(detections) > n, "the 3D results")
    assert [message.persons[0].velocity_valid for message in s.persons_3d] == [False, False, True, True]
    assert s.persons_3d[0].persons[0].velocity.z == 0.0
    assert s.persons_3d[-1].persons[0].velocity.z == pytest.approx(-1.5, abs=1e-3)
    last = detections[-1]
    assert last.header == s.persons_3d[-1].header
    assert [detection.id for detection in last.detections] == ["1"]
    assert last.detections[0].bbox.center.position.z == pytest.approx(2.1)
    s.node.trigger_deactivate()
    s.node.trigger_activate()
    s.reconnect()
    s.info()
    s.depth(3.0, stamp_ms=9000)
    s.image(number=9)
    s.world.until(lambda: len(s.persons_3d) > 4, "the 3D result")
    assert not s.persons_3d[-1].persons[0].velocity_valid


def test_a_rectified_image_uses_p(setup: Callable[..., Setup]) -> None:
    s = setup(image_is_rectified=True)
    s.info()
    s.depth(2.0)
    flat = s.image().persons[0].keypoints[0]
    assert s.result().persons[0].keypoints[0].x == pytest.approx((flat.x - 60) / 200 * 2, abs=1e-5)


def test_the_nearest_depth_image_is_taken(setup: Callable[..., Setup]) -> None:
    s = setup(depth_max_offset_ms=50.0)
    s.info()
    for stamp_ms, metres in ((960, 1.0), (1010, 2.0), (1045, 3.0)):
        s.depth(metres, stamp_ms=stamp_ms)
    s.image()
    assert s.result().persons[0].position.z == 2.0


def test_2d_does_not_wait_for_depth_that_is_too_far(setup: Callable[..., Setup]) -> None:
    s = setup()
    s.info()
    s.depth(2.0, stamp_ms=1021)  # the default limit is 20 ms
    assert len(s.image().persons) == 1
    s.until_logged("within 20 ms (depth_max_offset_ms) of the image's stamp; the nearest is 21 ms away")
    s.until_counted("3D: no depth near the image")
    assert s.persons_3d == []
    s.depth(2.0, stamp_ms=1020)
    s.image()
    assert s.result().persons[0].position.z == 2.0


def test_a_depth_topic_without_images_is_said(setup: Callable[..., Setup]) -> None:
    s = setup()
    s.info()
    for number in (1, 2, 3):  # on a busy machine the calibration may come after the first
        s.image(number=number)
    s.until_logged("no depth image on /depth_image within 20 ms")
    s.until_logged("none has arrived")
    assert s.persons_3d == []


def test_no_camera_info_is_said(setup: Callable[..., Setup]) -> None:
    s = setup()
    s.depth(2.0)
    s.image()
    s.until_logged("no message on /camera_info yet")
    assert s.persons_3d == []


@pytest.mark.parametrize("missing", ["camera_info", "depth_image"])
def test_depth_that_is_asked_for_and_does_not_come_is_a_warning(
    setup: Callable[..., Setup], monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.setattr("pose_resnet_ros.ros.depth_3d.COMPLAIN_AFTER_S", 1.0)
    s = setup()
    give, withheld = (s.depth, s.info) if missing == "camera_info" else (s.info, s.depth)
    arguments = {s.depth: (2.0,), s.info: ()}
    give(*arguments[give])

    def newest() -> tuple[bytes, str]:
        s.image()
        (status,) = s.diagnostics[-1].status if s.diagnostics else [DiagnosticStatus()]
        return status.level, status.message

    s.world.until(lambda: newest()[0] == DiagnosticStatus.WARN, "the warning")
    assert f"/{missing}" in newest()[1]
    withheld(*arguments[withheld])
    s.world.until(lambda: newest()[0] == DiagnosticStatus.OK, "no warning")


def test_a_camera_info_of_zeros_is_said_and_a_good_one_is_taken(setup: Callable[..., Setup]) -> None:
    s = setup()
    s.info(k=[0.0] * 9)
    s.depth(2.0)
    s.image()
    s.until_logged("expected a calibrated camera")
    s.until_counted("3D: calibration unusable")
    assert s.persons_3d == []
    s.info()
    s.image()
    assert s.result().persons[0].position_valid


def test_depth_of_nan_is_a_person_without_a_place(setup: Callable[..., Setup]) -> None:
    s = setup()
    s.info()
    s.depth(math.nan)
    s.image()
    (person,) = s.result().persons
    assert not person.position_valid
    assert all((k.x, k.y, k.z, k.depth_valid) == (0, 0, 0, False) for k in person.keypoints)
    s.world.until(lambda: s.poses, "poses")
    assert s.poses[0].poses == []


def test_depth_of_half_the_size_serves(setup: Callable[..., Setup]) -> None:
    s = setup()
    s.info()
    s.depth(np.full((60, 80), 1.5))
    s.image()
    assert s.result().persons[0].position.z == 1.5


def test_depth_of_other_proportions_is_refused_with_the_cure(setup: Callable[..., Setup]) -> None:
    s = setup()
    s.info()
    s.depth(np.full((100, 160), 1.5))
    assert len(s.image().persons) == 1
    s.until_logged("let the driver register depth to colour")
    assert s.persons_3d == []


def test_another_frame_id_is_said_and_used(setup: Callable[..., Setup]) -> None:
    s = setup()
    s.info()
    s.depth(2.0, frame_id="depth_optical_frame")
    s.image()
    assert s.result().header.frame_id == FRAME
    s.until_logged("depth_image is in frame 'depth_optical_frame', the image in 'camera_optical_frame'")


def test_what_came_before_a_pause_is_forgotten(setup: Callable[..., Setup]) -> None:
    s = setup()
    s.info()
    s.depth(2.0)
    s.image()
    s.result()
    assert s.node.trigger_deactivate() == TransitionCallbackReturn.SUCCESS
    # Looked at from inside: whether the middleware brings an old message again, to the next subscription, is not ours to say.
    space = s.node.cameras[0].outputs[-1]
    assert space._info is None
    assert space._depths.offset_ns(10**9) is None
    assert s.node.trigger_activate() == TransitionCallbackReturn.SUCCESS
    s.reconnect()
    s.persons_3d.clear()
    s.info()
    s.depth(3.0, stamp_ms=2000)
    s.image(number=2)
    assert s.result().persons[0].position.z == 3.0


def test_images_without_a_stamp_are_paired_with_nothing(setup: Callable[..., Setup]) -> None:
    s = setup()
    s.info()
    s.depth(2.0, stamp_ms=0)
    s.until_logged("depth images on /depth_image without a stamp")
    assert len(s.image(number=0).persons) == 1
    s.until_logged("no persons in 3D: images without a stamp")
    assert s.persons_3d == []

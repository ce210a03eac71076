# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""REP-155's topics: over real ones where hri_msgs is installed, and refused where it is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy")
from pose_resnet_ros.msg import PersonArray
from rclpy.lifecycle import TransitionCallbackReturn
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from pose_resnet_ros.core.errors import PoseError
from pose_resnet_ros.core.skeletons import OPENPOSE18
from pose_resnet_ros.core.types import People
from pose_resnet_ros.ros import hri_publisher

HEADER = Header(frame_id="camera")
WH = (200, 100)


@pytest.fixture
def hri() -> Any:
    return pytest.importorskip("hri_msgs.msg", reason="hri_msgs is not installed: no wheel, no Kilted release")


def people() -> People:
    """One person whose joint k lies at (10 k, 5 k)."""
    points = np.stack([np.arange(18) * 10.0, np.arange(18) * 5.0], axis=1)[None].astype(np.float32)
    scores = np.linspace(0.1, 1.2, 18, dtype=np.float32)[None]
    return People(np.array([[-20, 10, 50, 90]], np.float32), np.ones(1, np.float32), points, scores, np.ones(1, np.int32))


def test_joints_go_by_name_and_not_by_index(hri: Any) -> None:
    message = hri_publisher.skeleton_message(HEADER, people(), 0, WH)
    for name, constant in (("right_eye", 15), ("left_eye", 14), ("right_ear", 17), ("left_ear", 16), ("neck", 1)):
        ours = OPENPOSE18.joint_names.index(name)
        assert getattr(hri.Skeleton2D, name.upper()) == constant
        assert message.skeleton[constant].x == pytest.approx(ours * 10 / 200)
        assert message.skeleton[constant].y == pytest.approx(ours * 5 / 100)
        assert message.skeleton[constant].c == pytest.approx(min(people().keypoint_scores[0, ours], 1.0))


def test_every_joint_has_its_constant(hri: Any) -> None:
    constants = [getattr(hri.Skeleton2D, name.upper()) for name in OPENPOSE18.joint_names]
    assert sorted(constants) == list(range(18))


def test_what_lies_outside_is_on_the_border_and_unsure(hri: Any) -> None:
    outside = people()
    outside.keypoints_xy[0, 0] = [-30, 250]
    nose = hri_publisher.skeleton_message(HEADER, outside, 0, WH).skeleton[hri.Skeleton2D.NOSE]
    assert (nose.x, nose.y, nose.c) == (0, 1, 0)
    region = hri_publisher.region_message(HEADER, outside, 0, WH)
    assert (region.xmin, region.xmax, region.c) == (0, 0.25, 1)
    assert (region.ymin, region.ymax) == pytest.approx((0.1, 0.9))


@pytest.mark.parametrize(
    ("box", "columns", "rows"),
    [
        ([20, 10, 50, 90], (20, 51), (10, 91)),
        ([19.5, 9.2, 50.5, 89.9], (20, 51), (10, 90)),
        ([-20, -5, 50, 300], (0, 51), (0, 100)),
        ([199.4, 99.4, 230, 120], (199, 200), (99, 100)),
        ([-30, -30, -0.5, -0.5], (0, 1), (0, 1)),
    ],
    ids=["whole", "between pixels", "over the border", "at the last corner", "beside the image"],
)
def test_the_cropped_image_is_the_box(box: list[float], columns: tuple[int, int], rows: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 255, (100, 200, 3), np.uint8)
    person = replace(people(), boxes_xyxy=np.array([box], np.float32))
    message = hri_publisher.cropped_message(HEADER, person, 0, image)
    expected = image[rows[0] : rows[1], columns[0] : columns[1]]
    assert (message.height, message.width, message.encoding) == (*expected.shape[:2], "bgr8")
    assert message.header == HEADER
    np.testing.assert_array_equal(np.array(message.data, np.uint8).reshape(expected.shape), expected)


def test_bodies_of_the_running_node_come_and_go(
    hri: Any, world: Any, spot: str, image_message: Callable[..., Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hri_publisher, "RETIRE_AFTER_S", 0.5)
    ids = world.listen(hri.IdsList, "/humans/bodies/tracked")
    skeletons = world.listen(hri.Skeleton2D, "/humans/bodies/body1/skeleton2d")
    regions = world.listen(hri.NormalizedRegionOfInterest2D, "/humans/bodies/body1/roi")
    crops = world.listen(Image, "/humans/bodies/body1/cropped")
    persons = world.listen(PersonArray, "/pose_resnet/persons")
    node = world.pose_node(pose_model=spot, publish_hri=True, tracking__confirm_hits=1)
    camera = world.publisher(Image)

    def seen(messages: list) -> Callable[[], bool]:
        def send() -> bool:
            camera.publish(image_message(number=1))
            return bool(messages)

        return send

    for messages, what in ((ids, "ids"), (skeletons, "a skeleton"), (regions, "a region"), (crops, "a crop")):
        world.until(seen(messages), what)
    assert ids[-1].ids == ["body1"]
    assert ids[-1].header == persons[-1].header
    neck = skeletons[-1].skeleton[hri.Skeleton2D.NECK]
    assert neck.x == pytest.approx(persons[-1].persons[0].keypoints[1].x / 160)
    assert (crops[-1].width, crops[-1].height) == (160, 120)
    assert (regions[-1].xmin, regions[-1].ymin, regions[-1].xmax, regions[-1].ymax) == (0, 0, 1, 1)
    ids.clear()
    assert node.trigger_deactivate() == TransitionCallbackReturn.SUCCESS
    world.until(lambda: ids and ids[-1].ids == [], "nobody to be tracked by an inactive node")
    assert node.count_publishers("/humans/bodies/body1/roi") == 0
    assert node.trigger_activate() == TransitionCallbackReturn.SUCCESS
    ids.clear()
    world.until(lambda: seen(ids)() and ids[-1].ids, "a new body")
    skeleton_topic = f"/humans/bodies/{ids[-1].ids[0]}/skeleton2d"
    from rclpy.parameter import Parameter

    node.set_parameters([Parameter("tracker", value="none")])
    ids.clear()
    world.until(lambda: seen(ids)() and ids[-1].ids == [], "nobody to be tracked")
    world.until(lambda: seen([1])() and node.count_publishers(skeleton_topic) == 0, "the body's topics to go")


def test_bodies_go_when_the_camera_stops(
    hri: Any, world: Any, spot: str, image_message: Callable[..., Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hri_publisher, "SILENT_AFTER_S", 0.5)
    lists = world.listen(hri.IdsList, "/humans/bodies/tracked")
    node = world.pose_node(pose_model=spot, publish_hri=True, tracking__confirm_hits=1)
    camera = world.publisher(Image)
    world.until(lambda: camera.publish(image_message()) or lists, "somebody to be tracked")
    assert lists[0].ids == ["body1"]
    world.until(lambda: lists[-1].ids == [], "nobody to be tracked, without another image")
    world.until(lambda: node.count_publishers("/humans/bodies/body1/roi") == 0, "the topics to go")


@pytest.mark.parametrize(
    ("arguments", "prefix", "expected"),
    [
        (["__ns:=/robot/front"], "", "robot_front_body1"),
        (["__ns:=/robot", "__node:=back"], "", "robot_back_body1"),
        (["__ns:=/robot"], "r2d2", "r2d2_body1"),
    ],
)
def test_bodies_of_two_nodes_have_ids_of_their_own(
    hri: Any, world: Any, spot: str, image_message: Callable[..., Image], arguments: list[str], prefix: str, expected: str
) -> None:
    lists = world.listen(hri.IdsList, "/humans/bodies/tracked")
    remapped = [word for rule in arguments for word in ("-r", rule)]
    world.pose_node(*remapped, pose_model=spot, publish_hri=True, hri_id_prefix=prefix, tracking__confirm_hits=1)
    camera = world.publisher(Image, f"{arguments[0].removeprefix('__ns:=')}/image")
    world.until(lambda: camera.publish(image_message()) or lists, "somebody to be tracked")
    assert lists[0].ids == [expected]


def test_a_prefix_that_no_topic_can_have_is_refused(hri: Any, world: Any, spot: str) -> None:
    with pytest.raises(PoseError, match=r"hri_id_prefix: expected a letter.*got '2 robots'"):
        world.pose_node(pose_model=spot, publish_hri=True, hri_id_prefix="2 robots")


def test_without_hri_msgs_configure_says_what_to_install(world: Any, spot: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hri_publisher, "Skeleton2D", None)
    with pytest.raises(PoseError, match=r"apt install ros-.*-hri-msgs"):
        world.pose_node(pose_model=spot, publish_hri=True)

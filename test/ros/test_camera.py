# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Several cameras of one node, which share its models and its worker."""

from __future__ import annotations

import gc
import itertools
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("rclpy")

from diagnostic_msgs.msg import DiagnosticArray
from pose_resnet_ros.msg import PersonArray, PersonArray3D
from rclpy.lifecycle import TransitionCallbackReturn
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_srvs.srv import Trigger
from visualization_msgs.msg import MarkerArray

from .conftest import picture_with_spot

MakeImage = Callable[..., Image]


@pytest.fixture
def node(world: Any, slow_spot: str) -> Any:
    """A node with the cameras front and rear, active."""
    return world.pose_node(pose_model=slow_spot, cameras=["front", "rear"])


@pytest.fixture
def one_frame_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two, one may take several times as long as the other, and then results tell nothing of turns."""
    monkeypatch.setattr("pose_resnet_ros.ros.node.share_cores", lambda load, streams: (1, load))


def test_each_has_its_own_topics_and_diagnostics(world: Any, node: Any, image_message: MakeImage) -> None:
    persons = {name: world.listen(PersonArray, f"/pose_resnet/{name}/persons") for name in ("front", "rear")}
    arrays = world.listen(DiagnosticArray, "/diagnostics")
    for number, name in enumerate(persons, start=1):
        world.publisher(Image, f"/{name}/image").publish(image_message(number=number))
        world.until(lambda name=name: persons[name], f"persons of {name}")
    assert [[message.header.stamp.sec for message in persons[name]] for name in persons] == [[1], [2]]
    arrays.clear()
    world.until(lambda: arrays, "diagnostics")
    statuses = [(status.name, status.hardware_id) for status in arrays[0].status]
    assert statuses == [
        ("pose_resnet: pose estimation front", "/front/image"),
        ("pose_resnet: pose estimation rear", "/rear/image"),
    ]


def test_a_fast_camera_takes_no_turn_of_a_slow_one(
    world: Any, slow_spot: str, image_message: MakeImage, one_frame_at_a_time: None
) -> None:
    """Both send faster than they can be served; one of them many times faster."""
    node = world.pose_node(pose_model=slow_spot, cameras=["front", "rear"])
    front, rear = (world.publisher(Image, f"/{name}/image") for name in ("front", "rear"))
    counts = [0, 0]

    def sent() -> bool:
        for number in range(5):
            front.publish(image_message(number=number + 1))
        rear.publish(image_message(number=1))
        counts[:] = [camera.statistics.summary().published for camera in node.cameras]
        return max(counts) >= 12

    world.until(sent, "a dozen results")
    assert abs(counts[0] - counts[1]) <= 3, counts


def test_a_camera_that_stops_costs_the_other_nothing_and_both_go_with_the_node(
    world: Any, node: Any, image_message: MakeImage
) -> None:
    front, rear = (world.publisher(Image, f"/{name}/image") for name in ("front", "rear"))
    for publisher in (front, rear):
        publisher.publish(image_message())
    published = lambda: [camera.statistics.summary().published for camera in node.cameras]  # noqa: E731
    world.until(lambda: published() == [1, 1], "a result of each")
    for count in (2, 3, 4):
        front.publish(image_message(number=count))
        world.until(lambda n=count: published() == [n, 1], "the next result")
    for change in (node.trigger_deactivate, node.trigger_cleanup):
        assert change() == TransitionCallbackReturn.SUCCESS
    gc.collect()
    assert [camera.outputs for camera in node.cameras] == [[], []]
    assert world.peer.count_publishers("/pose_resnet/rear/persons") == 0


FOUR = ("front", "left", "rear", "right")


def results(node: Any) -> list[int]:
    return [camera.statistics.summary().published for camera in node.cameras]


def test_four_cameras_take_turns_and_one_that_stops_leaves_its_turns_to_the_others(
    world: Any, slow_spot: str, image_message: MakeImage, one_frame_at_a_time: None
) -> None:
    node = world.pose_node(pose_model=slow_spot, cameras=FOUR)
    publishers = [world.publisher(Image, f"/{name}/image") for name in FOUR]

    def until_each_has(count: int, senders: list[Any]) -> None:
        def sent() -> bool:
            for publisher in senders:
                publisher.publish(image_message())
            return max(results(node)) >= count

        world.until(sent, f"{count} results")

    until_each_has(4, publishers)
    assert min(results(node)) >= 3, results(node)
    before = results(node)
    until_each_has(max(before) + 4, publishers[:3])
    gained = [now - then for now, then in zip(results(node), before, strict=True)]
    assert gained[3] <= 2, gained  # what it had sent before
    assert max(gained[:3]) - min(gained[:3]) <= 2, gained


def test_cameras_differ_in_size_encoding_and_transport(world: Any, spot: str, image_message: MakeImage) -> None:
    persons = {name: world.listen(PersonArray, f"/pose_resnet/{name}/persons") for name in FOUR}
    world.pose_node(
        pose_model=spot, cameras=FOUR, right__image_transport="compressed", left__image_rotation=90, tracking__confirm_hits=1
    )
    images = {
        "front": image_message(picture_with_spot(at=(40, 30), size=(320, 240))),
        "left": image_message(picture_with_spot(at=(40, 30))),
        "rear": image_message(picture_with_spot(at=(40, 30))[:, :, 0], encoding="mono8"),
    }
    jpeg = CompressedImage(format="jpeg", header=images["left"].header)
    jpeg.data = cv2.imencode(".jpg", picture_with_spot(at=(100, 30), size=(200, 100)))[1].tobytes()
    for name, message in {**images, "right": jpeg}.items():
        topic = f"/{name}/image" + ("/compressed" if name == "right" else "")
        world.publisher(type(message), topic).publish(message)
        world.until(lambda name=name: persons[name], f"persons of {name}")
    sizes = {name: (found[0].image_width, found[0].image_height) for name, found in persons.items()}
    assert sizes == {"front": (320, 240), "left": (160, 120), "rear": (160, 120), "right": (200, 100)}
    spots = {"front": (40, 30), "left": (40, 30), "rear": (40, 30), "right": (100, 30)}
    for name, found in persons.items():
        (person,) = found[0].persons
        assert person.track_id == 1  # each has ids of its own
        nose = person.keypoints[0]
        assert (nose.x, nose.y) == pytest.approx(spots[name], abs=16)  # a cell of the heatmap in the largest


def test_one_of_them_in_3d(world: Any, spot: str, image_message: MakeImage) -> None:
    in_3d = world.listen(PersonArray3D, "/pose_resnet/rear/persons_3d")
    markers = world.listen(MarkerArray, "/pose_resnet/rear/markers")
    node = world.pose_node(pose_model=spot, cameras=["front", "rear"], rear__use_depth=True, tracking__confirm_hits=1)
    topics = dict(node.get_publisher_names_and_types_by_node("pose_resnet", "/"))
    assert {topic for topic in topics if "3d" in topic} == {f"/pose_resnet/rear/{kind}_3d" for kind in ("persons", "detections")}
    calibration = CameraInfo(width=160, height=120, distortion_model="plumb_bob", d=[0.0] * 5)
    calibration.k = [100.0, 0.0, 80.0, 0.0, 100.0, 60.0, 0.0, 0.0, 1.0]
    depth = image_message(np.full((120, 160), 2.0, np.float32), encoding="32FC1")
    image = image_message()
    calibration.header = depth.header = image.header
    for topic, message in (("camera_info", calibration), ("depth_image", depth), ("image", image)):
        world.deliver(world.publisher(type(message), f"/rear/{topic}"), message)
    world.until(lambda: in_3d, "persons in 3D")
    assert in_3d[0].persons[0].position.z == pytest.approx(2.0, abs=0.1)
    world.until(lambda: markers, "markers")
    label = markers[0].markers[-1]
    assert (label.ns, label.text) == ("/pose_resnet/rear/labels", "rear 1")


def test_the_lifecycle_and_the_reset_hold_for_all(world: Any, spot: str, image_message: MakeImage) -> None:
    node = world.pose_node(pose_model=spot, cameras=["front", "rear"], tracking__confirm_hits=1)
    persons = {name: world.listen(PersonArray, f"/pose_resnet/{name}/persons") for name in ("front", "rear")}
    publishers = {name: world.publisher(Image, f"/{name}/image") for name in persons}

    def next_ids() -> list[int]:
        for name, found in persons.items():
            found.clear()
            publishers[name].publish(image_message(number=next(numbers)))
            world.until(lambda found=found: found, "persons")
        return [found[0].persons[0].track_id for found in persons.values()]

    numbers = itertools.count(1)
    assert next_ids() == [1, 1]
    reset = world.peer.create_client(Trigger, "/pose_resnet/reset_tracking")
    world.until(reset.service_is_ready, "the service")
    future = reset.call_async(Trigger.Request())
    world.until(future.done, "the answer")
    assert next_ids() == [2, 2]
    assert node.trigger_deactivate() == TransitionCallbackReturn.SUCCESS
    assert [node.count_subscribers(f"/{name}/image") for name in persons] == [0, 0]
    assert node.trigger_activate() == TransitionCallbackReturn.SUCCESS
    for publisher in publishers.values():
        world.until_connected(publisher)
    assert len(next_ids()) == 2


def test_each_can_have_its_own_rate(world: Any, spot: str, image_message: MakeImage) -> None:
    node = world.pose_node(pose_model=spot, cameras=["front", "rear"], rear__max_rate_hz=0.001)
    publishers = [world.publisher(Image, f"/{name}/image") for name in ("front", "rear")]

    def sent() -> bool:
        for publisher in publishers:
            publisher.publish(image_message())
        return results(node)[0] >= 5 and results(node)[1] >= 1

    world.until(sent, "five results of one")
    assert results(node)[1] == 1


def test_topics_are_remapped_one_by_one(world: Any) -> None:
    node = world.pose_node(
        "-r", "front/image:=/front_camera/image_raw", "-r", "__ns:=/robot", start=False, cameras=["front", "rear"]
    )
    assert [camera.context.image_topic for camera in node.cameras] == ["/front_camera/image_raw", "/robot/rear/image"]


def test_bodies_of_all_cameras_are_one_list(world: Any, spot: str, image_message: MakeImage) -> None:
    hri = pytest.importorskip("hri_msgs.msg", reason="hri_msgs is not installed: no wheel, no Kilted release")
    lists = world.listen(hri.IdsList, "/humans/bodies/tracked")
    node = world.pose_node(pose_model=spot, cameras=["front", "rear"], publish_hri=True, tracking__confirm_hits=1)
    assert node.count_publishers("/humans/bodies/tracked") == 1
    for name in ("front", "rear"):
        world.publisher(Image, f"/{name}/image").publish(image_message())
        world.until(lambda name=name: lists and f"{name}_body1" in lists[-1].ids, f"the body of {name}")
    assert lists[-1].ids == ["front_body1", "rear_body1"]
    node.trigger_deactivate()
    world.until(lambda: lists[-1].ids == [], "nobody to be tracked")
    node.trigger_cleanup()
    assert node.count_publishers("/humans/bodies/tracked") == 0

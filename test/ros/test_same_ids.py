# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The node, ``predict`` on a video and ``predict`` on a bag give the same persons the same track ids."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("rclpy")
pytest.importorskip("rosbags")
from bag_files import TOPIC, header, image, write_bag
from pose_resnet_ros.msg import PersonArray
from rosbags.highlevel import AnyReader
from sensor_msgs.msg import Image
from videos import write_video

from pose_resnet_ros.media import open_media
from pose_resnet_ros.tools.predict import predict

STREET = Path(__file__).parents[2] / "docs" / "images" / "street.jpg"
# So strict that some persons are new in every image: where the joints of two skeletons differ, so do the ids.
SETTINGS = {"tracker": "oks", "tracking.min_similarity": 0.3, "tracking.confirm_hits": 1, "detector_interval": 3}
Ids = list[list[tuple[int, int, int]]]  # frame by frame: a person's id and its box's corner, rounded


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """A pan along a street, 10 images a second."""
    street = cv2.imread(str(STREET))
    return write_video(tmp_path / "pan.mp4", [np.ascontiguousarray(street[:, x : x + 560]) for x in range(0, 140, 14)])


@pytest.fixture
def frames(video: Path) -> list[np.ndarray]:
    with closing(open_media(str(video))) as media:
        return [picture.bgr for picture in iter(media.read, None)]


def options() -> list[str]:
    return [text for name, value in SETTINGS.items() for text in ("--" + name.replace("_", "-"), str(value))]


def ids_of_predict(video: Path) -> Ids:
    results = video.with_suffix(".json")
    assert predict.main([str(video), "--json", str(results), *options()]) == 0
    rows: dict[int, list[Any]] = {}
    for row in json.loads(results.read_text()):
        rows.setdefault(row["frame"], []).append((row["track_id"], round(row["bbox"][0]), round(row["bbox"][1])))
    return [rows[frame] for frame in sorted(rows)]


def ids_of_a_bag(folder: Path, frames: list[np.ndarray]) -> Ids:
    messages = [image(n, height=f.shape[0], width=f.shape[1], step=3 * f.shape[1], data=f.ravel()) for n, f in enumerate(frames)]
    bag = write_bag(folder / "bag", {TOPIC: messages})
    assert predict.main([str(bag), "--output", str(folder / "out"), *options()]) == 0
    with AnyReader([folder / "out"]) as reader:
        persons = [connection for connection in reader.connections if connection.topic.endswith("/persons")]
        return [ids_of(reader.deserialize(raw, c.msgtype)) for c, _, raw in reader.messages(persons)]


def ids_of_a_node(world: Any, image_message: Callable[..., Image], frames: list[np.ndarray]) -> Ids:
    results = world.listen(PersonArray, "/pose_resnet/persons")
    world.pose_node(detector_model="person_lite", **{name.replace(".", "__"): value for name, value in SETTINGS.items()})
    camera = world.publisher(Image)
    for number, frame in enumerate(frames):
        message = image_message(frame)
        stamp = header(number).stamp
        message.header.stamp.sec, message.header.stamp.nanosec = stamp.sec, stamp.nanosec
        camera.publish(message)
        world.until(lambda count=number + 1: len(results) >= count, f"the result of image {number}")
    return [ids_of(message) for message in results]


def ids_of(message: Any) -> list[tuple[int, int, int]]:
    corners = [
        (p.bbox.center.position.x - p.bbox.size_x / 2, p.bbox.center.position.y - p.bbox.size_y / 2) for p in message.persons
    ]
    return [(p.track_id, round(x), round(y)) for p, (x, y) in zip(message.persons, corners, strict=True)]


def test_node_video_and_bag_agree(
    world: Any, image_message: Callable[..., Image], tmp_path: Path, video: Path, frames: list[np.ndarray]
) -> None:
    of_predict = ids_of_predict(video)
    assert len(of_predict) == len(frames) == 10
    assert len({row[0] for rows in of_predict for row in rows}) >= 4
    assert ids_of_a_bag(tmp_path, frames) == of_predict
    assert ids_of_a_node(world, image_message, frames) == of_predict

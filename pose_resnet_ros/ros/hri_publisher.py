# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""``publish_hri``: tracked persons as defined by REP-155 (ROS4HRI): ``/humans/bodies/tracked``, and per body ``roi``,
``skeleton2d`` and ``cropped``.

A body's topics appear and disappear with the person, and all disappear when results stop. Only the executor's thread creates and
destroys ROS entities: the worker leaves its newest result here and wakes that thread.
"""

from __future__ import annotations

import math
import re
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from rclpy.clock import Clock, ClockType
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from pose_resnet_ros.core.errors import SettingsError
from pose_resnet_ros.core.skeletons import OPENPOSE18, Skeleton, convert, joint_sources
from pose_resnet_ros.core.types import People
from pose_resnet_ros.ros.messages import image_message
from pose_resnet_ros.ros.outputs import Output, ProcessedFrame
from pose_resnet_ros.ros.topics import NODE_NAME, CameraContext

try:
    from hri_msgs.msg import IdsList, NormalizedPointOfInterest2D, NormalizedRegionOfInterest2D, Skeleton2D
except ImportError:  # optional, not released for every distro
    Skeleton2D = None

PREFIX = "/humans/bodies"
RETIRE_AFTER_S = 5.0  # without being seen for so long, a body loses its topics
SILENT_AFTER_S = 2.0  # without a result for so long, the camera has stopped and nobody is tracked
PERIOD_S = 0.5


@dataclass(frozen=True, eq=False)
class _Result:
    """people: with the joints of OpenPose-18; image: (H, W, 3) uint8 BGR."""

    header: Header
    people: People
    image: np.ndarray

    @property
    def image_wh(self) -> tuple[int, int]:
        return self.image.shape[1], self.image.shape[0]


@dataclass
class _Body:
    """The topics of one body."""

    roi: Any
    skeleton: Any
    cropped: Any
    seen_s: float = 0.0


class TrackedBodies:
    """``/humans/bodies/tracked``: one list of the bodies of all the node's cameras, published with each camera's results.

    Everything on the executor's thread.
    """

    def __init__(self, node: Any) -> None:
        self._node = node
        self._ids: dict[str, list[str]] = {}  # by camera
        self._publisher: Any = None

    def join(self, camera: str) -> None:
        """This camera has bodies from now on."""
        if self._publisher is None:
            self._publisher = self._node.create_publisher(IdsList, f"{PREFIX}/tracked", 10)
        self._ids[camera] = []

    def leave(self, camera: str) -> None:
        """This camera has none any more."""
        del self._ids[camera]
        if not self._ids:
            self._node.destroy_publisher(self._publisher)
            self._publisher = None

    def update(self, camera: str, header: Header, ids: list[str]) -> None:
        """The bodies that this camera sees; header: of its image."""
        self._ids[camera] = ids
        self._publisher.publish(IdsList(header=header, ids=[one for ids in self._ids.values() for one in ids]))


class HriPublisher(Output):
    """Tracked persons of one camera as the bodies of REP-155."""

    def __init__(self, context: CameraContext, skeleton: Skeleton, bodies: TrackedBodies) -> None:
        """Raises SettingsError if hri_msgs is not installed, if the skeleton lacks a joint, or if the prefix is not allowed in a
        topic.
        """
        if Skeleton2D is None:
            raise SettingsError(
                "publish_hri: hri_msgs is not installed; run sudo apt install ros-$ROS_DISTRO-hri-msgs (not released for Kilted)"
            )
        node, prefix = context.node, id_prefix(context)
        if not re.fullmatch(r"([A-Za-z][A-Za-z0-9_]*)?", prefix):
            raise SettingsError(f"hri_id_prefix: expected a letter, then letters, digits or _, got '{prefix}'")
        joint_sources(skeleton, OPENPOSE18)
        super().__init__(context)
        self._node = node
        self._skeleton = skeleton
        self._prefix = prefix
        self._result_s = 0.0
        self._pending: _Result | None = None
        self._bodies: dict[int, _Body] = {}
        self._tracked = bodies
        self._tracked.join(context.name)
        self._wake = node.create_guard_condition(self._publish_pending)
        # Steady: with use_sim_time the node's own clock stops when the bag or the simulation does.
        self._timer = node.create_timer(PERIOD_S, self._remove_unseen, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def publish(self, frame: ProcessedFrame) -> None:
        """Hand these persons to the executor's thread."""
        people = frame.result.people
        tracked = people[people.track_ids > 0]
        self._pending = _Result(frame.header, convert(tracked, native=self._skeleton, target=OPENPOSE18), frame.image)
        self._wake.trigger()

    def stop(self) -> None:
        """No more results will come: remove the bodies, and tell the subscribers."""
        self._pending = None
        if self._bodies and self._node.context.ok():
            self._tracked.update(self._context.name, Header(stamp=self._node.get_clock().now().to_msg()), [])
        for track_id in list(self._bodies):
            self._retire(track_id)

    def close(self) -> None:
        super().close()
        self._node.destroy_timer(self._timer)
        self._node.destroy_guard_condition(self._wake)
        self._tracked.leave(self._context.name)

    def _publish_pending(self) -> None:
        result, self._pending = self._pending, None
        if result is None:
            return
        self._result_s = now_s = time.monotonic()
        ids = result.people.track_ids.tolist()
        for row, track_id in enumerate(ids):
            body = self._bodies.get(track_id) or self._new_body(track_id)
            body.seen_s = now_s
            body.roi.publish(region_message(result.header, result.people, row, result.image_wh))
            body.skeleton.publish(skeleton_message(result.header, result.people, row, result.image_wh))
            if body.cropped.get_subscription_count():
                cropped = cropped_message(result.header, result.people, row, result.image)
                body.cropped.publish(cropped)
        tracked = [body_id(track_id, self._prefix) for track_id in ids]
        self._tracked.update(self._context.name, result.header, tracked)

    def _remove_unseen(self) -> None:
        now_s = time.monotonic()
        if now_s - self._result_s > SILENT_AFTER_S:
            self.stop()
        for track_id in [key for key, body in self._bodies.items() if now_s - body.seen_s > RETIRE_AFTER_S]:
            self._retire(track_id)

    def _new_body(self, track_id: int) -> _Body:
        base = f"{PREFIX}/{body_id(track_id, self._prefix)}"
        create = self._node.create_publisher
        self._bodies[track_id] = _Body(
            create(NormalizedRegionOfInterest2D, f"{base}/roi", 1),
            create(Skeleton2D, f"{base}/skeleton2d", 1),
            create(Image, f"{base}/cropped", 1),
        )
        return self._bodies[track_id]

    def _retire(self, track_id: int) -> None:
        body = self._bodies.pop(track_id)
        for publisher in (body.roi, body.skeleton, body.cropped):
            self._node.destroy_publisher(publisher)


def id_prefix(context: CameraContext) -> str:
    """Keeps the ids of several nodes and cameras apart: hri_id_prefix (if empty: the namespace, and the node's name if it was
    renamed) and the camera's name.
    """
    name = "" if context.node.get_name() == NODE_NAME else context.node.get_name()
    of_node = "_".join(filter(None, [*context.node.get_namespace().split("/"), name])).strip("_")
    return "_".join(filter(None, [context.settings().hri.hri_id_prefix or of_node, context.name]))


def body_id(track_id: int, prefix: str) -> str:
    """An id of REP-155, which begins with a letter."""
    return f"{prefix}_body{track_id}" if prefix else f"body{track_id}"


def region_message(header: Header, people: People, row: int, image_wh: tuple[int, int]) -> Any:
    """The person's box relative to the image size (0 to 1), clipped to the image."""
    x1, y1, x2, y2 = np.clip(people.boxes_xyxy[row] / np.tile(image_wh, 2), 0.0, 1.0).tolist()
    confidence = float(np.clip(people.box_scores[row], 0.0, 1.0))
    return NormalizedRegionOfInterest2D(header=header, xmin=x1, ymin=y1, xmax=x2, ymax=y2, c=confidence)


def cropped_message(header: Header, people: People, row: int, image: np.ndarray) -> Image:
    """The image inside the person's box: the pixels whose centres lie in it, at least one."""
    height, width = image.shape[:2]
    x1, y1, x2, y2 = people.boxes_xyxy[row].tolist()
    left, right = _pixels(x1, x2, width)
    top, bottom = _pixels(y1, y2, height)
    return image_message(header, image[top:bottom, left:right])


def skeleton_message(header: Header, people: People, row: int, image_wh: tuple[int, int]) -> Any:
    """The person's joints relative to the image size. A joint outside the image is moved to its border, with confidence 0.

    A joint's index is Skeleton2D's constant of its name: the order of eyes and ears is not OpenPose's.
    """
    relative = people.keypoints_xy[row] / np.asarray(image_wh)
    inside = ((relative >= 0) & (relative <= 1)).all(axis=1)
    scores = np.where(inside, np.clip(people.keypoint_scores[row], 0.0, 1.0), 0.0)
    message = Skeleton2D(header=header)
    for name, (x, y), score in zip(OPENPOSE18.joint_names, np.clip(relative, 0.0, 1.0).tolist(), scores.tolist(), strict=True):
        message.skeleton[getattr(Skeleton2D, name.upper())] = NormalizedPointOfInterest2D(x=x, y=y, c=score)
    return message


def _pixels(begin: float, end: float, length: int) -> tuple[int, int]:
    """The first pixel and the one after the last, inside the image."""
    first = min(max(math.ceil(begin), 0), length - 1)
    return first, min(max(math.floor(end) + 1, first + 1), length)

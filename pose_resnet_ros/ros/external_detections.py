# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""``detector_model: external``: images that wait for somebody else's detections of the same stamp."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection
from typing import Any

import numpy as np
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from vision_msgs.msg import Detection2DArray

from pose_resnet_ros.core.boxes import is_valid
from pose_resnet_ros.core.types import Detections
from pose_resnet_ros.ros import qos
from pose_resnet_ros.ros.ros_log import Throttle
from pose_resnet_ros.ros.time_sync import ExactTimeSync, stamp_ns
from pose_resnet_ros.settings import Settings

TOPIC = "detections"
WAITING = 10  # messages of each side: a third of a second at 30 Hz, 60 MB of full HD images
COMPLAIN_AFTER_S = 5.0


class ExternalInput:
    """Subscribed to ``detections`` while it lives. put and the subscription on the executor's thread, split on the worker's."""

    def __init__(self, node: Node, *, settings: Callable[[], Settings], forward: Callable[[Any, float], None]) -> None:
        """forward: takes each (image, detections) pair, as messages, and when the image was received in seconds of the monotonic
        clock.
        """
        self._node = node
        self._settings = settings
        self._forward = forward
        self._join: ExactTimeSync[tuple[Any, float], Detection2DArray] = ExactTimeSync(capacity=WAITING)
        self._pairs = 0
        self._images = self._detections = self._unstamped = 0  # since the last pair
        self._paired_s = self._told_s = time.monotonic()
        self._throttle = Throttle()
        profile = QoSProfile(depth=WAITING, reliability=ReliabilityPolicy.BEST_EFFORT)  # hears every publisher
        self._subscription = qos.create_subscription(node, Detection2DArray, TOPIC, self._on_detections, profile)

    def put(self, image: Any, received_s: float) -> None:
        """An image has come, at this second of the monotonic clock."""
        self._images += 1
        if image_ns := stamp_ns(image):
            self._pass_on(self._join.put_left(image_ns, (image, received_s)))
        else:
            self._leave_out()

    def split(self, pair: tuple[Any, Detection2DArray]) -> tuple[Any, Detections]:
        """The image message and the persons that were found in it."""
        image, message = pair
        settings = self._settings()
        found = detections_from_message(
            message, class_ids=settings.input.class_ids, detection_threshold=settings.stream.frame.detection_threshold
        )
        self._check(image, message, settings)
        return image, found

    def values(self) -> dict[str, str]:
        """What diagnostics show."""
        return {
            "external detections joined": str(self._pairs),
            "images without detections": str(self._join.unmatched_left),
            "detections without an image": str(self._join.unmatched_right),
        }

    @property
    def warning(self) -> str:
        """Why no image has met its detections for a while; "" where one has, or where nothing comes at all."""
        if not (self._images or self._detections) or time.monotonic() - self._paired_s <= COMPLAIN_AFTER_S:
            return ""
        if self._unstamped:
            what = "images or detections come without a stamp (header.stamp is 0), by which they are paired"
        elif self._images and self._detections:
            what = (
                f"stamps differ: a detector must pass on its image's header.stamp untouched, and be at most {WAITING} images late"
            )
        elif self._images:
            what = f"images come, but nothing on {self._topic()}: is the detector running?"
        else:
            what = f"detections come, but no images on {self._node.resolve_topic_name('image')}"
        return f"no image with detections for {COMPLAIN_AFTER_S:.0f} s: {what}"

    def close(self) -> None:
        """Unsubscribe, and let go of the messages that wait."""
        self._node.destroy_subscription(self._subscription)
        self._subscription = None

    def _on_detections(self, message: Detection2DArray) -> None:
        self._detections += 1
        if detections_ns := stamp_ns(message):
            self._pass_on(self._join.put_right(detections_ns, message))
        else:
            self._leave_out()

    def _leave_out(self) -> None:
        """A message without a stamp: what it belongs to cannot be told."""
        self._unstamped += 1
        self._pass_on(None)

    def _pass_on(self, pair: tuple[tuple[Any, float], Detection2DArray] | None) -> None:
        now_s = time.monotonic()
        if pair is not None:
            (image, received_s), detections = pair
            self._pairs += 1
            self._images = self._detections = self._unstamped = 0
            self._paired_s = self._told_s = now_s
            self._forward((image, detections), received_s)
        elif now_s - self._told_s > COMPLAIN_AFTER_S:
            self._told_s = now_s
            self._node.get_logger().warning(self.warning)

    def _check(self, image: Any, message: Detection2DArray, settings: Settings) -> None:
        """Say what looks wrong; it is used all the same."""
        ids, frame_id = seen_class_ids(message), message.header.frame_id
        if ids and not set(ids) & set(settings.input.class_ids) and self._throttle.may_say("classes"):
            self._node.get_logger().warning(
                f"no detection on {self._topic()} is a person: their class ids are {', '.join(ids)}, those accepted "
                f"(person_class_ids) are {', '.join(settings.input.class_ids)}"
            )
        if frame_id != image.header.frame_id and self._throttle.may_say("frames"):
            self._node.get_logger().warning(
                f"detections on {self._topic()} are in frame '{frame_id}', the image of the same stamp is in "
                f"'{image.header.frame_id}': used all the same, but are they made from this image?"
            )

    def _topic(self) -> str:
        return self._node.resolve_topic_name(TOPIC)


def detections_from_message(message: Any, *, class_ids: Collection[str], detection_threshold: float) -> Detections:
    """The persons in the message, the best score first.

    class_ids: the ids that mean "person" in that detector; a detection counts with the best score that it has under one of
    them. A turned box (theta) is replaced by the upright one around it; boxes that are empty or not finite are left out, and
    so are scores that are not finite.
    """
    scored = [(detection, _score(detection, class_ids)) for detection in message.detections]
    persons = [(_corners(detection.bbox), score) for detection, score in scored if score >= detection_threshold]
    with np.errstate(over="ignore"):  # what is too large for float32 becomes infinite, and is left out below
        boxes = np.array([box for box, _ in persons], np.float64).reshape(-1, 4).astype(np.float32)
        scores = np.array([score for _, score in persons], np.float64).astype(np.float32)
    found = Detections(boxes, scores)[is_valid(boxes) & np.isfinite(scores)]
    return found[np.argsort(-found.scores, kind="stable")]


def seen_class_ids(message: Any) -> list[str]:
    """Every class id in the message, for telling the user which ones there are."""
    return sorted({r.hypothesis.class_id for detection in message.detections for r in detection.results})


def _score(detection: Any, class_ids: Collection[str]) -> float:
    """The best finite score under one of the ids; -1 where there is none."""
    hypotheses = [result.hypothesis for result in detection.results]
    scores = [h.score for h in hypotheses if h.class_id in class_ids and math.isfinite(h.score)]
    return max(scores, default=-1.0)


def _corners(bbox: Any) -> tuple[float, float, float, float]:
    """NaN for what is not finite."""
    x, y, theta = bbox.center.position.x, bbox.center.position.y, bbox.center.theta
    theta = theta if math.isfinite(theta) else math.nan  # math.cos refuses infinity
    cos, sin = abs(math.cos(theta)), abs(math.sin(theta))
    half_w = (bbox.size_x * cos + bbox.size_y * sin) / 2
    half_h = (bbox.size_x * sin + bbox.size_y * cos) / 2
    return x - half_w, y - half_h, x + half_w, y + half_h

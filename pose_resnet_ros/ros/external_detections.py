# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""``detector_model: external``: images wait for another detector's ``vision_msgs/Detection2DArray`` of the same stamp."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

import numpy as np
from rclpy.qos import QoSProfile, ReliabilityPolicy
from vision_msgs.msg import Detection2DArray

from pose_resnet_ros.core.boxes import is_valid, touches_image
from pose_resnet_ros.core.types import Detections
from pose_resnet_ros.ros import qos
from pose_resnet_ros.ros.ros_log import Throttle
from pose_resnet_ros.ros.time_sync import ExactTimeSync, stamp_ns
from pose_resnet_ros.ros.topics import CameraContext
from pose_resnet_ros.ros.worker import InputFrame
from pose_resnet_ros.settings import Settings

TOPIC = "detections"
WAITING = 10  # messages of each side: a third of a second at 30 Hz, 60 MB of full HD images
COMPLAIN_AFTER_S = 5.0


class ExternalDetections:
    """Subscribed to ``detections`` until closed. ``put`` may be called on any thread, everything else on the executor's."""

    def __init__(self, context: CameraContext, *, forward: Callable[[InputFrame], None]) -> None:
        """forward: takes each image with its detections."""
        self._context = context
        self._forward = forward
        self._sync: ExactTimeSync[InputFrame, Detection2DArray] = ExactTimeSync(capacity=WAITING)
        self._lock = threading.Lock()
        self._pairs = 0
        self._images = self._detections = self._unstamped = 0  # since the last pair
        self._paired_s = self._told_s = time.monotonic()
        self._topic = context.input_topic(TOPIC)
        profile = QoSProfile(depth=WAITING, reliability=ReliabilityPolicy.BEST_EFFORT)  # hears every publisher
        self._subscription = qos.create_subscription(context.node, Detection2DArray, self._topic, self._on_detections, profile)

    def put(self, frame: InputFrame) -> None:
        """An image has arrived."""
        with self._lock:
            self._images += 1
            if image_ns := stamp_ns(frame.image):
                self._pass_on(self._sync.put_left(image_ns, frame))
            else:
                self._leave_out()

    def values(self) -> dict[str, str]:
        """What diagnostics show."""
        return {
            "external detections joined": str(self._pairs),
            "images without detections": str(self._sync.unmatched_left),
            "detections without an image": str(self._sync.unmatched_right),
        }

    @property
    def warning(self) -> str:
        """Why no image has met its detections for a while; "" where one has, or where nothing arrives at all."""
        if not (self._images or self._detections) or time.monotonic() - self._paired_s <= COMPLAIN_AFTER_S:
            return ""
        if self._unstamped:
            what = "images or detections arrive without a time stamp (header.stamp is 0), by which they are paired"
        elif self._images and self._detections:
            what = f"time stamps differ: the detector must copy header.stamp from its image, and be at most {WAITING} images late"
        elif self._images:
            what = f"images arrive, but nothing on {self._topic}: is the detector running?"
        else:
            what = f"detections arrive, but no images on {self._context.image_topic}"
        return f"no image with detections for {COMPLAIN_AFTER_S:.0f} s: {what}"

    def close(self) -> None:
        """Unsubscribe, and let go of the messages that wait."""
        self._context.node.destroy_subscription(self._subscription)
        self._subscription = None

    def _on_detections(self, message: Detection2DArray) -> None:
        with self._lock:
            self._detections += 1
            if detections_ns := stamp_ns(message):
                self._pass_on(self._sync.put_right(detections_ns, message))
            else:
                self._leave_out()

    def _leave_out(self) -> None:
        """A message without a stamp cannot be paired."""
        self._unstamped += 1
        self._pass_on(None)

    def _pass_on(self, pair: tuple[InputFrame, Detection2DArray] | None) -> None:
        now_s = time.monotonic()
        if pair is not None:
            frame, detections = pair
            self._pairs += 1
            self._images = self._detections = self._unstamped = 0
            self._paired_s = self._told_s = now_s
            self._forward(replace(frame, boxes=detections))
        elif now_s - self._told_s > COMPLAIN_AFTER_S:
            self._told_s = now_s
            self._context.logger.warning(self.warning)


class GivenBoxes:
    """Reads the boxes of frames that carry detections, and logs what looks wrong with them. For the worker's thread."""

    def __init__(self, context: CameraContext) -> None:
        self._context = context
        self._topic = context.input_topic(TOPIC)
        self._throttle = Throttle()

    def read(self, frame: InputFrame, settings: Settings, *, image_wh: tuple[int, int]) -> Detections:
        """The persons in this image, the best score first, at most max_persons of them."""
        found = detections_from_message(
            frame.boxes, class_ids=settings.input.class_ids, detection_threshold=settings.stream.frame.detection_threshold
        )
        self._check_classes(frame.boxes, settings)
        self._check_frame_id(frame)
        width, height = image_wh
        inside = found[touches_image(found.boxes_xyxy, width=width, height=height)]
        if len(inside) < len(found):
            self._warn(
                "boxes",
                f"{len(found) - len(inside)} of {len(found)} boxes on {self._topic} lie outside the {width} x {height} image and"
                " are ignored: are they in its pixels?",
            )
        return inside[: settings.stream.frame.max_persons]

    def _check_classes(self, message: Detection2DArray, settings: Settings) -> None:
        ids, accepted = seen_class_ids(message), settings.input.class_ids
        if ids and not set(ids) & set(accepted):
            self._warn(
                "classes",
                f"no detection on {self._topic} is a person: their class ids are {', '.join(ids)}; person_class_ids accepts"
                f" {', '.join(accepted)}",
            )

    def _check_frame_id(self, frame: InputFrame) -> None:
        theirs, ours = frame.boxes.header.frame_id, frame.image.header.frame_id
        if theirs != ours:
            self._warn(
                "frames",
                f"detections on {self._topic} have frame_id '{theirs}', the image of the same time stamp has '{ours}'; they are"
                " used, but make sure that they belong to this image",
            )

    def _warn(self, kind: str, sentence: str) -> None:
        if self._throttle.may_say(kind):
            self._context.logger.warning(sentence)


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
    """Every class id in the message, to be shown to the user."""
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

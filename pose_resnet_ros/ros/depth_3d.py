# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""``use_depth``: people in 3D, from the depth image nearest in time to the colour image. The 2D results never wait for it."""

from __future__ import annotations

import math
import time
from collections import Counter
from typing import Any

from geometry_msgs.msg import PoseArray
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo
from std_msgs.msg import Header
from vision_msgs.msg import Detection3DArray
from visualization_msgs.msg import MarkerArray

from pose_resnet_ros.core.depth import People3D, lift_to_3d
from pose_resnet_ros.core.errors import PoseError, SettingsError
from pose_resnet_ros.core.skeletons import Skeleton
from pose_resnet_ros.core.velocity import VelocityEstimator
from pose_resnet_ros.msg import PersonArray3D
from pose_resnet_ros.ros import messages, qos
from pose_resnet_ros.ros.codecs.compressed_depth import compressed_depth_array
from pose_resnet_ros.ros.codecs.image import camera_from_info, depth_array
from pose_resnet_ros.ros.outputs import Output, ProcessedFrame
from pose_resnet_ros.ros.ros_log import Throttle
from pose_resnet_ros.ros.time_sync import NearestTimeBuffer, stamp_ns
from pose_resnet_ros.ros.topics import COMPRESSED, IMAGE, CameraContext, Transport
from pose_resnet_ros.settings import Settings

DEPTH_TOPIC, INFO_TOPIC = "depth_image", "camera_info"
TRANSPORTS = {
    transport.name: transport
    for transport in (
        Transport("raw", IMAGE, depth_array),
        Transport("compressedDepth", COMPRESSED, compressed_depth_array, "/compressedDepth"),
        Transport("compressed", COMPRESSED, compressed_depth_array, "/compressed"),
    )
}
KEPT_DEPTH_IMAGES = 10
COMPLAIN_AFTER_S = 5.0
_NO_PARTNER = "(header.stamp is 0) cannot be paired with others in time"


class Depth3D(Output):
    """Persons, detections, markers and poses in 3D: publishers from configure on, subscriptions while active."""

    stage = "depth_3d"

    def __init__(self, context: CameraContext, skeleton: Skeleton) -> None:
        super().__init__(context)
        self._node = context.node
        self._skeleton = skeleton
        self._transport = TRANSPORTS[context.settings().depth.depth_transport]
        self._depth_topic = self._node.resolve_topic_name(context.input_topic(DEPTH_TOPIC) + self._transport.suffix)
        self._depths: NearestTimeBuffer[Any] = NearestTimeBuffer(capacity=KEPT_DEPTH_IMAGES)
        self._early: Any = None
        self._info: CameraInfo | None = None
        self._velocities = VelocityEstimator()
        self._counts: Counter[str] = Counter()
        self._throttle = Throttle()
        self._failing: tuple[float, str] | None = None  # since when, and why
        self._subscriptions: list[Any] = []
        self._persons = self.publisher(PersonArray3D, "~/persons_3d", qos.results_profile())
        self._detections = self.publisher(Detection3DArray, "~/detections_3d", qos.results_profile())
        self._markers = self.publisher(MarkerArray, "~/markers", qos.results_profile())
        self._poses = self.publisher(PoseArray, "~/poses", qos.results_profile())

    def start(self) -> None:
        """Subscribe."""

        def listen(kind: type, topic: str, callback: Any, depth: int) -> None:
            profile = QoSProfile(depth=depth, reliability=ReliabilityPolicy.BEST_EFFORT)  # hears every publisher
            self._subscriptions.append(qos.create_subscription(self._node, kind, topic, callback, profile))

        listen(self._transport.message_type, self._depth_topic, self._on_depth, 2)
        listen(CameraInfo, self._context.input_topic(INFO_TOPIC), self._on_info, 1)

    def stop(self) -> None:
        """Unsubscribe, and forget what came."""
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        self._subscriptions = []
        self._depths = NearestTimeBuffer(capacity=KEPT_DEPTH_IMAGES)
        self._early = self._info = self._failing = None
        self._velocities = VelocityEstimator()

    def begin(self, message: Any, settings: Settings) -> None:
        """Keep the depth image nearest now: during a slow inference it may leave the buffer."""
        self._early = self._depths.nearest(stamp_ns(message), max_offset_ns=_limit_ns(settings))

    def publish(self, frame: ProcessedFrame) -> None:
        """Persons, markers and poses, if a depth image is near enough in time; else the reason is counted."""
        image_ns, info, settings = stamp_ns(frame.message), self._info, frame.settings
        if not image_ns:
            self._fail("image without a stamp", f"images without a stamp {_NO_PARTNER}")
            return
        depth = self._depth_near(image_ns, settings)
        if depth is None or info is None:
            self._count_missing(image_ns, info, settings)
            return
        header, people, image_wh = frame.header, frame.result.people, frame.image_wh
        self._check_frames(header, depth, info)
        try:
            camera = camera_from_info(info, is_rectified=settings.depth.image_is_rectified, image_wh=image_wh)
            people_3d = lift_to_3d(people, self._transport.decode(depth), camera, self._skeleton, image_wh=image_wh)
        except PoseError as error:  # a bad calibration or depth image; the 2D results are already published
            self._fail("calibration unusable" if isinstance(error, SettingsError) else "depth image unusable", str(error))
            return
        self._counts["published"] += 1
        self._failing = None
        self._publish(frame, people_3d)

    def _publish(self, frame: ProcessedFrame, people_3d: People3D) -> None:
        header, people = frame.header, frame.result.people
        threshold = frame.settings.stream.frame.keypoint_threshold
        velocities_xyz = self._velocities.update(
            stamp_ns(frame.message) / 1e9, people.track_ids, people_3d.positions_xyz, people_3d.position_valid
        )
        self._persons.publish(messages.person_array_3d(header, people, people_3d, self._skeleton, velocities_xyz=velocities_xyz))
        self._poses.publish(messages.pose_array(header, people_3d))
        if self._detections.get_subscription_count():
            self._detections.publish(messages.detection_array_3d(header, people, people_3d, keypoint_threshold=threshold))
        if self._markers.get_subscription_count():
            markers = messages.marker_array(
                header,
                people,
                people_3d,
                self._skeleton,
                keypoint_threshold=threshold,
                namespace=f"{self._node.get_fully_qualified_name()}/{self._context.name}".rstrip("/"),
                camera=self._context.name,
            )
            self._markers.publish(markers)

    @property
    def warning(self) -> str:
        """Why images have had no persons in 3D for a while; "" if they have."""
        since_s, why = self._failing or (math.inf, "")
        return why if time.monotonic() - since_s > COMPLAIN_AFTER_S else ""

    def values(self) -> dict[str, str]:
        """What diagnostics show."""
        return {f"3D: {what}": str(count) for what, count in sorted(dict(self._counts).items())}

    def _on_depth(self, message: Any) -> None:
        if depth_ns := stamp_ns(message):
            self._depths.put(depth_ns, message)
        else:
            self._count(
                "depth image without a stamp", f"depth images on {self._depth_topic} without a stamp {_NO_PARTNER}: ignored"
            )

    def _on_info(self, message: CameraInfo) -> None:
        self._info = message

    def _depth_near(self, image_ns: int, settings: Settings) -> Any:
        """The nearest of those that came before, during or after the inference."""
        late = self._depths.nearest(image_ns, max_offset_ns=_limit_ns(settings))
        found = [depth for depth in (late, self._early) if depth is not None]
        return min(found, key=lambda depth: abs(stamp_ns(depth) - image_ns), default=None)

    def _check_frames(self, header: Header, depth: Any, info: CameraInfo) -> None:
        for what, frame_id in (("depth_image", depth.header.frame_id), ("camera_info", info.header.frame_id)):
            if frame_id != header.frame_id:
                self._count(
                    f"{what} of another frame",
                    f"{what} is in frame '{frame_id}', the image in '{header.frame_id}': used anyway, but depth must be "
                    "registered to the colour camera",
                )

    def _count_missing(self, image_ns: int, info: CameraInfo | None, settings: Settings) -> None:
        topic = self._context.input_topic
        if info is None:
            self._fail("no camera_info", f"no message on {topic(INFO_TOPIC)} yet")
        else:
            offset_ns = self._depths.offset_ns(image_ns)
            nearest = "none has arrived" if offset_ns is None else f"the nearest is {offset_ns / 1e6:.0f} ms away"
            self._fail(
                "no depth near the image",
                f"no depth image on {self._depth_topic} within {settings.depth.depth_max_offset_ms:g} ms "
                f"(depth_max_offset_ms) of the image's stamp; {nearest}",
            )

    def _fail(self, what: str, why: str) -> None:
        """This image has no persons in 3D."""
        sentence = f"no persons in 3D: {why}"
        self._failing = (self._failing[0] if self._failing else time.monotonic(), sentence)
        self._count(what, sentence)

    def _count(self, what: str, sentence: str) -> None:
        self._counts[what] += 1
        if self._throttle.may_say(what):
            self._context.logger.warning(sentence)


def _limit_ns(settings: Settings) -> int:
    return round(settings.depth.depth_max_offset_ms * 1e6)

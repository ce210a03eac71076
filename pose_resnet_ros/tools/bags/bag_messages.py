# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The node's messages for a bag that is written without ROS: their definitions, and results put into them.

A test keeps the definitions equal to ``msg/``, vision_msgs 4 and foxglove_msgs 3.4.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from pose_resnet_ros.core.image_annotations import image_annotations
from pose_resnet_ros.core.skeletons import Skeleton
from pose_resnet_ros.core.tracking import id_text
from pose_resnet_ros.core.types import Detections, People

if TYPE_CHECKING:
    from rosbags.typesys.store import Typestore

JPEG_QUALITY = 90
DEFINITIONS = {
    "vision_msgs/msg/Point2D": "float64 x\nfloat64 y",
    "vision_msgs/msg/Pose2D": "vision_msgs/Point2D position\nfloat64 theta",
    "vision_msgs/msg/BoundingBox2D": "vision_msgs/Pose2D center\nfloat64 size_x\nfloat64 size_y",
    "vision_msgs/msg/ObjectHypothesis": "string class_id\nfloat64 score",
    "vision_msgs/msg/ObjectHypothesisWithPose": "vision_msgs/ObjectHypothesis hypothesis\ngeometry_msgs/PoseWithCovariance pose",
    "vision_msgs/msg/Detection2D": "std_msgs/Header header\nvision_msgs/ObjectHypothesisWithPose[] results\n"
    "vision_msgs/BoundingBox2D bbox\nstring id",
    "vision_msgs/msg/Detection2DArray": "std_msgs/Header header\nvision_msgs/Detection2D[] detections",
    "pose_resnet_ros/msg/Keypoint": "string name\nfloat32 x\nfloat32 y\nfloat32 score",
    "pose_resnet_ros/msg/Person": "int32 track_id\nfloat32 score\nfloat32 pose_score\n"
    "vision_msgs/BoundingBox2D bbox\npose_resnet_ros/Keypoint[] keypoints",
    "pose_resnet_ros/msg/PersonArray": "std_msgs/Header header\nstring skeleton\nuint32 image_width\n"
    "uint32 image_height\npose_resnet_ros/Person[] persons",
    "pose_resnet_ros/msg/Skeleton": "string name\nstring[] joint_names\nuint16[] edge_from\nuint16[] edge_to",
    "foxglove_msgs/msg/Color": "float64 r\nfloat64 g\nfloat64 b\nfloat64 a",
    "foxglove_msgs/msg/Point2": "float64 x\nfloat64 y",
    "foxglove_msgs/msg/KeyValuePair": "string key\nstring value",
    "foxglove_msgs/msg/CircleAnnotation": "builtin_interfaces/Time timestamp\nfoxglove_msgs/Point2 position\nfloat64 diameter\n"
    "float64 thickness\nfoxglove_msgs/Color fill_color\nfoxglove_msgs/Color outline_color\nfoxglove_msgs/KeyValuePair[] metadata",
    "foxglove_msgs/msg/PointsAnnotation": "uint8 UNKNOWN=0\nuint8 POINTS=1\nuint8 LINE_LOOP=2\nuint8 LINE_STRIP=3\n"
    "uint8 LINE_LIST=4\nbuiltin_interfaces/Time timestamp\nuint8 type\nfoxglove_msgs/Point2[] points\n"
    "foxglove_msgs/Color outline_color\nfoxglove_msgs/Color[] outline_colors\nfoxglove_msgs/Color fill_color\n"
    "float64 thickness\nfoxglove_msgs/KeyValuePair[] metadata",
    "foxglove_msgs/msg/TextAnnotation": "builtin_interfaces/Time timestamp\nfoxglove_msgs/Point2 position\nstring text\n"
    "float64 font_size\nfoxglove_msgs/Color text_color\nfoxglove_msgs/Color background_color\n"
    "foxglove_msgs/KeyValuePair[] metadata",
    "foxglove_msgs/msg/ImageAnnotations": "builtin_interfaces/Time timestamp\nfoxglove_msgs/CircleAnnotation[] circles\n"
    "foxglove_msgs/PointsAnnotation[] points\nfoxglove_msgs/TextAnnotation[] texts\nfoxglove_msgs/KeyValuePair[] metadata",
}
# Read only.
VIDEO_DEFINITIONS = {
    "ffmpeg_image_transport_msgs/msg/FFMPEGPacket": "std_msgs/Header header\nint32 width\nint32 height\nstring encoding\n"
    "uint64 pts\nuint8 flags\nbool is_bigendian\nuint8[] data",
    "foxglove_msgs/msg/CompressedVideo": "builtin_interfaces/Time timestamp\nstring frame_id\nuint8[] data\nstring format",
}


@cache
def typestore() -> Typestore:
    """ROS 2's own types and ours."""
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore

    store = get_typestore(Stores.ROS2_JAZZY)
    for name, definition in {**DEFINITIONS, **VIDEO_DEFINITIONS}.items():
        store.register(get_types_from_msg(definition, name))
    return store


def header_of(message: Any) -> Any:
    """Of a message with images; a CompressedVideo's stamp and frame as a header."""
    if hasattr(message, "header"):
        return message.header
    return _make("std_msgs/msg/Header", stamp=message.timestamp, frame_id=message.frame_id)


def person_array(header: Any, people: People, skeleton: Skeleton, *, image_wh: tuple[int, int], keypoint_threshold: float) -> Any:
    """As the node's ``~/persons``; header: of the input image, as it is."""
    means = people.pose_scores(keypoint_threshold)
    scores = np.clip(people.keypoint_scores, 0.0, 1.0)
    persons = [
        _make(
            "pose_resnet_ros/msg/Person",
            track_id=int(people.track_ids[row]),
            score=float(np.clip(people.box_scores[row], 0.0, 1.0)),
            pose_score=float(means[row]),
            bbox=_bounding_box(people.boxes_xyxy[row]),
            keypoints=[
                _make("pose_resnet_ros/msg/Keypoint", name=name, x=float(x), y=float(y), score=float(score))
                for name, (x, y), score in zip(skeleton.joint_names, people.keypoints_xy[row], scores[row], strict=True)
            ],
        )
        for row in range(len(people))
    ]
    width, height = image_wh
    return _make(
        "pose_resnet_ros/msg/PersonArray",
        header=header,
        skeleton=skeleton.name,
        image_width=width,
        image_height=height,
        persons=persons,
    )


def detection_array(header: Any, detections: Detections, *, track_ids: np.ndarray) -> Any:
    """As the node's ``~/detections``; track_ids: (N,), one for each box."""
    found = [
        _make(
            "vision_msgs/msg/Detection2D",
            header=header,
            results=[_person_hypothesis(float(np.clip(score, 0.0, 1.0)))],
            bbox=_bounding_box(box),
            id=id_text(track_id),
        )
        for box, score, track_id in zip(detections.boxes_xyxy, detections.scores, track_ids.tolist(), strict=True)
    ]
    return _make("vision_msgs/msg/Detection2DArray", header=header, detections=found)


def skeleton_message(skeleton: Skeleton) -> Any:
    """As the node's ``~/skeleton``."""
    edges = np.array(skeleton.edges, np.uint16)
    return _make(
        "pose_resnet_ros/msg/Skeleton",
        name=skeleton.name,
        joint_names=list(skeleton.joint_names),
        edge_from=edges[:, 0].copy(),
        edge_to=edges[:, 1].copy(),
    )


def jpeg_message(header: Any, bgr: np.ndarray) -> Any:
    """As the node's ``~/annotated_image/compressed``; bgr: (H, W, 3) uint8."""
    _, jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return _make("sensor_msgs/msg/CompressedImage", header=header, format="bgr8; jpeg compressed bgr8", data=jpeg.ravel())


def annotations_message(
    header: Any, people: People, skeleton: Skeleton, *, keypoint_threshold: float, draw: Mapping[str, bool]
) -> Any:
    """As the node's ``~/annotations``; draw: the settings of ``draw_people``."""
    make = lambda name, **fields: _make(f"foxglove_msgs/msg/{name}", **fields)  # noqa: E731
    return image_annotations(make, header.stamp, people, skeleton, keypoint_threshold=keypoint_threshold, **draw)


def _person_hypothesis(score: float) -> Any:
    geometry = "geometry_msgs/msg/"
    pose = _make(
        f"{geometry}Pose",
        position=_make(f"{geometry}Point", x=0.0, y=0.0, z=0.0),
        orientation=_make(f"{geometry}Quaternion", x=0.0, y=0.0, z=0.0, w=1.0),
    )
    return _make(
        "vision_msgs/msg/ObjectHypothesisWithPose",
        hypothesis=_make("vision_msgs/msg/ObjectHypothesis", class_id="person", score=score),
        pose=_make(f"{geometry}PoseWithCovariance", pose=pose, covariance=np.zeros(36)),
    )


def _bounding_box(box_xyxy: np.ndarray) -> Any:
    x1, y1, x2, y2 = box_xyxy.tolist()
    position = _make("vision_msgs/msg/Point2D", x=(x1 + x2) / 2, y=(y1 + y2) / 2)
    center = _make("vision_msgs/msg/Pose2D", position=position, theta=0.0)
    return _make("vision_msgs/msg/BoundingBox2D", center=center, size_x=x2 - x1, size_y=y2 - y1)


def _make(type_name: str, **fields: Any) -> Any:
    return typestore().types[type_name](**fields)

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Results to messages. Pure functions; a header is passed on untouched.

Scalars are Python's own: Humble's setters refuse NumPy's. Scores are clipped to 0..1 as the messages promise.
"""

from __future__ import annotations

import cv2
import numpy as np
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header
from vision_msgs.msg import BoundingBox2D, Detection2D, Detection2DArray, ObjectHypothesisWithPose

from pose_resnet_ros.core.skeletons import Skeleton
from pose_resnet_ros.core.tracking import id_text
from pose_resnet_ros.core.types import Detections, People
from pose_resnet_ros.msg import Keypoint, Person, PersonArray
from pose_resnet_ros.msg import Skeleton as SkeletonMessage


def person_array(
    header: Header, people: People, skeleton: Skeleton, *, image_wh: tuple[int, int], keypoint_threshold: float
) -> PersonArray:
    """All persons of one image, each with the skeleton's full length and order; ``image_wh`` in pixels."""
    persons = [
        Person(
            track_id=track_id,
            score=score,
            pose_score=pose_score,
            bbox=_bounding_box(box),
            keypoints=[
                Keypoint(name=n, x=x, y=y, score=s) for n, (x, y), s in zip(skeleton.joint_names, xy, scores, strict=True)
            ],
        )
        for track_id, score, box, xy, scores, pose_score in zip(
            people.track_ids.tolist(),
            np.clip(people.box_scores, 0.0, 1.0).tolist(),
            people.boxes_xyxy.tolist(),
            people.keypoints_xy.tolist(),
            np.clip(people.keypoint_scores, 0.0, 1.0).tolist(),
            people.pose_scores(keypoint_threshold).tolist(),
            strict=True,
        )
    ]
    width, height = image_wh
    return PersonArray(header=header, skeleton=skeleton.name, image_width=int(width), image_height=int(height), persons=persons)


def persons_bytes(people: People, skeleton: Skeleton, *, image_wh: tuple[int, int], keypoint_threshold: float) -> bytes:
    """A serialised PersonArray with an empty header: what publishing costs before the middleware."""
    return serialize_message(person_array(Header(), people, skeleton, image_wh=image_wh, keypoint_threshold=keypoint_threshold))


def detection_array(header: Header, detections: Detections, *, track_ids: np.ndarray) -> Detection2DArray:
    """Boxes as vision_msgs defines them: centre and size in pixels, class id "person"; track_ids: (N,), one per box."""
    scores = np.clip(detections.scores, 0.0, 1.0).tolist()
    message = Detection2DArray(header=header)
    for box, score, track_id in zip(detections.boxes_xyxy.tolist(), scores, track_ids.tolist(), strict=True):
        result = ObjectHypothesisWithPose()
        result.hypothesis.class_id = "person"
        result.hypothesis.score = score
        message.detections.append(Detection2D(header=header, results=[result], bbox=_bounding_box(box), id=id_text(track_id)))
    return message


def skeleton_message(skeleton: Skeleton) -> SkeletonMessage:
    """What a consumer of PersonArray needs to know: joint names in order, and edges."""
    return SkeletonMessage(
        name=skeleton.name,
        joint_names=list(skeleton.joint_names),
        edge_from=[start for start, _ in skeleton.edges],
        edge_to=[end for _, end in skeleton.edges],
    )


def image_message(header: Header, bgr: np.ndarray) -> Image:
    """A (H, W, 3) uint8 BGR array as a bgr8 image message.

    The pixels are copied once, into the message's own buffer: assigning bytes, a list or an ndarray to ``data`` checks or
    converts every element.
    """
    height, width, _ = bgr.shape
    message = Image(header=header, height=height, width=width, encoding="bgr8", is_bigendian=0, step=3 * width)
    message.data.frombytes(np.ascontiguousarray(bgr).data.cast("B"))
    return message


def jpeg_message(header: Header, bgr: np.ndarray, *, quality: int) -> CompressedImage:
    """A (H, W, 3) uint8 BGR array as a JPEG; quality: 1..100."""
    _, jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    message = CompressedImage(header=header, format="bgr8; jpeg compressed bgr8")
    message.data.frombytes(jpeg.tobytes())
    return message


def _bounding_box(box_xyxy: list[float]) -> BoundingBox2D:
    x1, y1, x2, y2 = box_xyxy
    box = BoundingBox2D(size_x=x2 - x1, size_y=y2 - y1)
    box.center.position.x = (x1 + x2) / 2.0
    box.center.position.y = (y1 + y2) / 2.0
    return box

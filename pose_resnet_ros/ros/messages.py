# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Results to messages, in 2D and 3D. Pure functions; a header is passed on untouched.

Scalars are Python's own: Humble's setters refuse NumPy's. Scores are clipped to 0..1 as the messages promise.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from builtin_interfaces.msg import Duration
from geometry_msgs.msg import Point, Pose, PoseArray, Vector3
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import ColorRGBA, Header
from vision_msgs.msg import BoundingBox2D, Detection2D, Detection2DArray, Detection3D, Detection3DArray, ObjectHypothesisWithPose
from visualization_msgs.msg import Marker, MarkerArray

from pose_resnet_ros.core.depth import People3D
from pose_resnet_ros.core.draw import colour_of_id
from pose_resnet_ros.core.skeletons import Skeleton
from pose_resnet_ros.core.tracking import id_text
from pose_resnet_ros.core.types import Detections, People
from pose_resnet_ros.msg import Keypoint, Keypoint3D, Person, Person3D, PersonArray, PersonArray3D
from pose_resnet_ros.msg import Skeleton as SkeletonMessage

BONE_WIDTH_M = 0.03
JOINT_DIAMETER_M = 0.05
LABEL_HEIGHT_M = 0.2
MARKER_LIFETIME_S = 2  # longer than any frame takes; if the node stops, nobody stays on the screen


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
        results = [_person_hypothesis(score)]
        message.detections.append(Detection2D(header=header, results=results, bbox=_bounding_box(box), id=id_text(track_id)))
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


def person_array_3d(
    header: Header, people: People, people_3d: People3D, skeleton: Skeleton, *, velocities_xyz: np.ndarray
) -> PersonArray3D:
    """Row by row the persons of the PersonArray of the same header; velocities_xyz: (N, 3) m/s, NaN where unknown."""
    velocity_valid = np.isfinite(velocities_xyz).all(axis=1)
    persons = [
        Person3D(
            track_id=track_id,
            score=score,
            position=_point(position),
            position_valid=position_valid,
            keypoints=[
                Keypoint3D(name=name, x=x, y=y, z=z, score=score, depth_valid=valid)
                for name, (x, y, z), score, valid in zip(skeleton.joint_names, joints, scores, joints_valid, strict=True)
            ],
            velocity=_vector(velocity),
            velocity_valid=moves,
        )
        for track_id, score, position, position_valid, joints, scores, joints_valid, velocity, moves in zip(
            people.track_ids.tolist(),
            np.clip(people.box_scores, 0.0, 1.0).tolist(),
            people_3d.positions_xyz.tolist(),
            people_3d.position_valid.tolist(),
            people_3d.joints_xyz.tolist(),
            np.clip(people.keypoint_scores, 0.0, 1.0).tolist(),
            people_3d.joint_valid.tolist(),
            np.where(velocity_valid[:, None], velocities_xyz, 0.0).tolist(),
            velocity_valid.tolist(),
            strict=True,
        )
    ]
    return PersonArray3D(header=header, skeleton=skeleton.name, persons=persons)


def detection_array_3d(header: Header, people: People, people_3d: People3D, *, keypoint_threshold: float) -> Detection3DArray:
    """The persons with a valid position, class id "person": the box, along the frame's axes, holds the position and the joints
    above keypoint_threshold.
    """
    message = Detection3DArray(header=header)
    inside = people.visible(keypoint_threshold) & people_3d.position_valid[:, None]
    for row in np.flatnonzero(people_3d.position_valid).tolist():
        position = people_3d.positions_xyz[row]
        points = np.vstack([position, people_3d.joints_xyz[row][inside[row]]])
        low, high = points.min(axis=0).astype(float), points.max(axis=0).astype(float)
        result = _person_hypothesis(float(np.clip(people.box_scores[row], 0.0, 1.0)))
        result.pose.pose.position = _point(position.tolist())
        detection = Detection3D(header=header, results=[result], id=id_text(int(people.track_ids[row])))
        detection.bbox.center.position = _point(((low + high) / 2).tolist())
        detection.bbox.size = _vector((high - low).tolist())
        message.detections.append(detection)
    return message


def pose_array(header: Header, people_3d: People3D) -> PoseArray:
    """The valid positions; the orientation is always the identity."""
    poses = [Pose(position=_point(xyz)) for xyz in people_3d.positions_xyz[people_3d.position_valid].tolist()]
    for pose in poses:
        pose.orientation.w = 1.0
    return PoseArray(header=header, poses=poses)


def marker_array(
    header: Header,
    people: People,
    people_3d: People3D,
    skeleton: Skeleton,
    *,
    keypoint_threshold: float,
    namespace: str,
    camera: str = "",
) -> MarkerArray:
    """Bones, joints and, above the head, the track id of each person, for RViz.

    Joints are drawn if their depth was measured and their score is above keypoint_threshold. The array begins with the removal
    of everything in its namespaces, so that nobody stays on the screen after leaving the image. camera: stands before the track
    ids, where persons of several cameras are in one scene; "" for a node's only camera.
    """
    bones, joints, labels = (f"{namespace}/{kind}" for kind in ("bones", "joints", "labels"))
    # RViz reports an error if an id of a namespace occurs twice in an array; no person has this one.
    markers = [_marker(header, name, Marker.ARROW, action=Marker.DELETEALL, row=-1) for name in (bones, joints, labels)]
    drawn = people_3d.joint_valid & people.visible(keypoint_threshold)
    for row in np.flatnonzero(people_3d.position_valid).tolist():
        track_id = int(people.track_ids[row])
        look = {"row": row, "color": color_of(track_id)}
        points = [_point(xyz) for xyz in people_3d.joints_xyz[row].tolist()]
        ends = [points[i] for a, b in skeleton.edges if drawn[row, a] and drawn[row, b] for i in (a, b)]
        if ends:
            markers.append(_marker(header, bones, Marker.LINE_LIST, points=ends, size_m=BONE_WIDTH_M, **look))
        if shown := [points[i] for i in np.flatnonzero(drawn[row])]:
            markers.append(_marker(header, joints, Marker.SPHERE_LIST, points=shown, size_m=JOINT_DIAMETER_M, **look))
        if track_id >= 0:
            label = _marker(header, labels, Marker.TEXT_VIEW_FACING, size_m=LABEL_HEIGHT_M, **look)
            top = min(shown, key=lambda point: point.y, default=_point(people_3d.positions_xyz[row].tolist()))
            label.text, label.pose.position = f"{camera} {track_id}".lstrip(), Point(x=top.x, y=top.y - LABEL_HEIGHT_M, z=top.z)
            markers.append(label)
    return MarkerArray(markers=markers)


def color_of(track_id: int) -> ColorRGBA:
    """The id's colour in the annotated image; gray: not tracked."""
    blue, green, red = (value / 255 for value in colour_of_id(track_id))
    return ColorRGBA(r=red, g=green, b=blue, a=1.0)


def _person_hypothesis(score: float) -> ObjectHypothesisWithPose:
    result = ObjectHypothesisWithPose()
    result.hypothesis.class_id, result.hypothesis.score = "person", score
    return result


def _bounding_box(box_xyxy: list[float]) -> BoundingBox2D:
    x1, y1, x2, y2 = box_xyxy
    box = BoundingBox2D(size_x=x2 - x1, size_y=y2 - y1)
    box.center.position.x = (x1 + x2) / 2.0
    box.center.position.y = (y1 + y2) / 2.0
    return box


def _marker(
    header: Header,
    namespace: str,
    kind: int,
    *,
    action: int = Marker.ADD,
    row: int = 0,
    color: ColorRGBA | None = None,
    points: Sequence[Point] = (),
    size_m: float = 0.0,
) -> Marker:
    marker = Marker(header=header, ns=namespace, id=row, type=kind, action=action, color=color or ColorRGBA(), points=points)
    marker.pose.orientation.w = 1.0
    marker.lifetime = Duration(sec=MARKER_LIFETIME_S)
    marker.scale.x = marker.scale.y = marker.scale.z = size_m
    return marker


def _point(xyz: Sequence[float]) -> Point:
    x, y, z = xyz
    return Point(x=x, y=y, z=z)


def _vector(xyz: list[float]) -> Vector3:
    x, y, z = xyz
    return Vector3(x=x, y=y, z=z)

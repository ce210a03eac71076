# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""People in 3D to messages. Pure functions; a header is passed on untouched."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from builtin_interfaces.msg import Duration
from geometry_msgs.msg import Point, Pose, PoseArray
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker, MarkerArray

from pose_resnet_ros.core.depth import People3D
from pose_resnet_ros.core.draw import colour_of_id
from pose_resnet_ros.core.skeletons import Skeleton
from pose_resnet_ros.core.types import People
from pose_resnet_ros.msg import Keypoint3D, Person3D, PersonArray3D

BONE_WIDTH_M = 0.03
JOINT_DIAMETER_M = 0.05
LABEL_HEIGHT_M = 0.15
MARKER_LIFETIME_S = 2.0  # longer than any frame takes; if the node stops, nobody stays on the screen


def person_array_3d(header: Header, people: People, people_3d: People3D, skeleton: Skeleton) -> PersonArray3D:
    """Row by row the persons of the PersonArray of the same header."""
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
        )
        for track_id, score, position, position_valid, joints, scores, joints_valid in zip(
            people.track_ids.tolist(),
            np.clip(people.box_scores, 0.0, 1.0).tolist(),
            people_3d.positions_xyz.tolist(),
            people_3d.position_valid.tolist(),
            people_3d.joints_xyz.tolist(),
            np.clip(people.keypoint_scores, 0.0, 1.0).tolist(),
            people_3d.joint_valid.tolist(),
            strict=True,
        )
    ]
    return PersonArray3D(header=header, skeleton=skeleton.name, persons=persons)


def pose_array(header: Header, people_3d: People3D) -> PoseArray:
    """The valid positions; the orientation is always the identity."""
    poses = [Pose(position=_point(xyz)) for xyz in people_3d.positions_xyz[people_3d.position_valid].tolist()]
    for pose in poses:
        pose.orientation.w = 1.0
    return PoseArray(header=header, poses=poses)


def marker_array(
    header: Header, people: People, people_3d: People3D, skeleton: Skeleton, *, keypoint_threshold: float, namespace: str
) -> MarkerArray:
    """Bones, joints and the track id of each person, for RViz.

    Joints are drawn if their depth was measured and their score is above keypoint_threshold. The array begins with the removal
    of everything in its namespaces, so that nobody stays on the screen after leaving the image.
    """
    bones, joints, labels = (f"{namespace}/{kind}" for kind in ("bones", "joints", "labels"))
    markers = [_marker(header, name, Marker.ARROW, action=Marker.DELETEALL) for name in (bones, joints, labels)]
    drawn = people_3d.joint_valid & people.visible(keypoint_threshold)
    for row in np.flatnonzero(people_3d.position_valid).tolist():
        track_id = int(people.track_ids[row])
        look = {"row": row, "color": color_of(track_id)}
        points = [_point(xyz) for xyz in people_3d.joints_xyz[row].tolist()]
        ends = [points[i] for a, b in skeleton.edges if drawn[row, a] and drawn[row, b] for i in (a, b)]
        if ends:
            markers.append(_marker(header, bones, Marker.LINE_LIST, points=ends, size_m=BONE_WIDTH_M, **look))
        if drawn[row].any():
            shown = [points[i] for i in np.flatnonzero(drawn[row])]
            markers.append(_marker(header, joints, Marker.SPHERE_LIST, points=shown, size_m=JOINT_DIAMETER_M, **look))
        if track_id >= 0:
            label = _marker(header, labels, Marker.TEXT_VIEW_FACING, size_m=LABEL_HEIGHT_M, **look)
            label.text, label.pose.position = str(track_id), _point(people_3d.positions_xyz[row].tolist())
            markers.append(label)
    return MarkerArray(markers=markers)


def color_of(track_id: int) -> ColorRGBA:
    """The id's colour in the annotated image; gray: not tracked."""
    blue, green, red = (value / 255 for value in colour_of_id(track_id))
    return ColorRGBA(r=red, g=green, b=blue, a=1.0)


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
    marker.lifetime = Duration(nanosec=int(MARKER_LIFETIME_S * 1e9))
    marker.scale.x = marker.scale.y = marker.scale.z = size_m
    return marker


def _point(xyz: Sequence[float]) -> Point:
    x, y, z = xyz
    return Point(x=x, y=y, z=z)

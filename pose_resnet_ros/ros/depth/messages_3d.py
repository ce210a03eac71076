# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Persons in 3D to messages. Pure functions; a header is passed on untouched."""

from __future__ import annotations

import colorsys
from functools import partial

import numpy as np
from builtin_interfaces.msg import Duration
from geometry_msgs.msg import Point, Pose, PoseArray
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker, MarkerArray

from pose_resnet_ros.core.depth import People3D
from pose_resnet_ros.core.skeletons import Skeleton
from pose_resnet_ros.core.types import People
from pose_resnet_ros.msg import Keypoint3D, Person3D, PersonArray3D

BONE_WIDTH_M = 0.03
JOINT_DIAMETER_M = 0.05
LABEL_HEIGHT_M = 0.15
MARKER_LIFETIME_S = 2.0  # above any frame time; should the node stop: nobody stays on the screen
GOLDEN_RATIO = 0.618034


def person_array_3d(header: Header, people: People, people_3d: People3D, skeleton: Skeleton) -> PersonArray3D:
    """Row by row the persons of the PersonArray of the same header."""
    scores = np.clip(people.keypoint_scores, 0.0, 1.0)
    persons = []
    for row in range(len(people)):
        joints = zip(
            skeleton.joint_names,
            people_3d.joints_xyz[row].tolist(),
            scores[row].tolist(),
            people_3d.joint_valid[row].tolist(),
            strict=True,
        )
        x, y, z = people_3d.positions_xyz[row].tolist()
        persons.append(
            Person3D(
                track_id=int(people.track_ids[row]),
                score=float(np.clip(people.box_scores[row], 0.0, 1.0)),
                position=Point(x=x, y=y, z=z),
                position_valid=bool(people_3d.position_valid[row]),
                keypoints=[
                    Keypoint3D(name=name, x=xyz[0], y=xyz[1], z=xyz[2], score=score, depth_valid=valid)
                    for name, xyz, score, valid in joints
                ],
            )
        )
    return PersonArray3D(header=header, skeleton=skeleton.name, persons=persons)


def pose_array(header: Header, people_3d: People3D) -> PoseArray:
    """Where the persons are whose place is known; a pose's orientation says nothing (identity)."""
    message = PoseArray(header=header)
    for x, y, z in people_3d.positions_xyz[people_3d.position_valid].tolist():
        pose = Pose(position=Point(x=x, y=y, z=z))
        pose.orientation.w = 1.0
        message.poses.append(pose)
    return message


def marker_array(
    header: Header, people: People, people_3d: People3D, skeleton: Skeleton, *, keypoint_threshold: float, namespace: str
) -> MarkerArray:
    """Bones, joints and the track id of each person, for RViz.

    Drawn are joints whose depth was measured and whose score is at least keypoint_threshold. The array begins with the removal
    of everything in its namespaces, so whoever is gone from the picture is gone from the screen.
    """
    markers = [_marker(header, f"{namespace}/{kind}", action=Marker.DELETEALL) for kind in ("bones", "joints", "labels")]
    drawn = people_3d.joint_valid & (people.keypoint_scores >= keypoint_threshold)
    for row in np.flatnonzero(people_3d.position_valid).tolist():
        blank = partial(_marker, header, row=row, color=color_of(int(people.track_ids[row])))
        points = [Point(x=x, y=y, z=z) for x, y, z in people_3d.joints_xyz[row].tolist()]
        bones = [points[i] for a, b in skeleton.edges if drawn[row, a] and drawn[row, b] for i in (a, b)]
        joints = [points[i] for i in np.flatnonzero(drawn[row])]
        if bones:
            markers.append(_spread(blank(f"{namespace}/bones", Marker.LINE_LIST), bones, BONE_WIDTH_M))
        if joints:
            markers.append(_spread(blank(f"{namespace}/joints", Marker.SPHERE_LIST), joints, JOINT_DIAMETER_M))
        if people.track_ids[row] >= 0:
            label = blank(f"{namespace}/labels", Marker.TEXT_VIEW_FACING)
            x, y, z = people_3d.positions_xyz[row].tolist()
            label.pose.position = Point(x=x, y=y, z=z)
            label.text, label.scale.z = str(int(people.track_ids[row])), LABEL_HEIGHT_M
            markers.append(label)
    return MarkerArray(markers=markers)


def color_of(track_id: int) -> ColorRGBA:
    """A colour that stays with the id, well apart from its neighbours' (hues a golden section apart); white: not tracked."""
    if track_id < 0:
        return ColorRGBA(r=1.0, g=1.0, b=1.0, a=1.0)
    red, green, blue = colorsys.hsv_to_rgb((track_id * GOLDEN_RATIO) % 1.0, 0.8, 1.0)
    return ColorRGBA(r=red, g=green, b=blue, a=1.0)


def _marker(
    header: Header,
    namespace: str,
    kind: int = Marker.ARROW,
    *,
    action: int = Marker.ADD,
    row: int = 0,
    color: ColorRGBA | None = None,
) -> Marker:
    marker = Marker(header=header, ns=namespace, id=row, type=kind, action=action, color=color or ColorRGBA())
    marker.pose.orientation.w = 1.0
    marker.lifetime = Duration(nanosec=int(MARKER_LIFETIME_S * 1e9))
    return marker


def _spread(marker: Marker, points: list[Point], size_m: float) -> Marker:
    marker.points = points
    marker.scale.x = marker.scale.y = marker.scale.z = size_m
    return marker

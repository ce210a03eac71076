# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Vectors over the image: the places and colours of what ``draw_people`` draws."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pose_resnet_ros.core.draw import draw_people
from pose_resnet_ros.core.image_annotations import LINE_LIST, LINE_LOOP, POINTS, image_annotations
from pose_resnet_ros.core.skeletons import SKELETONS, Skeleton
from pose_resnet_ros.core.types import People

STAMP = object()


def make(name: str, **fields: Any) -> SimpleNamespace:
    return SimpleNamespace(kind=name, **fields)


def person(skeleton: Skeleton, *, track_id: int = 7) -> People:
    """Joints far apart from one another, at whole pixels."""
    angle = np.linspace(0, 2 * np.pi, len(skeleton), endpoint=False)
    points = np.rint(np.stack([300 + 200 * np.cos(angle), 250 + 200 * np.sin(angle)], axis=1))
    return People(
        np.array([[60, 30, 540, 470]], np.float32),
        np.array([0.75], np.float32),
        points[None].astype(np.float32),
        np.full((1, len(skeleton)), 0.9, np.float32),
        np.array([track_id], np.int32),
    )


def annotate(people: People, skeleton: Skeleton, **options: Any) -> tuple[dict[int, Any], list[Any]]:
    """The points annotations by type, of at most one person, and the texts."""
    message = image_annotations(make, STAMP, people, skeleton, keypoint_threshold=0.2, **options)
    assert (message.kind, message.timestamp, message.circles) == ("ImageAnnotations", STAMP, [])
    assert all(part.timestamp is STAMP for part in (*message.points, *message.texts))
    return {part.type: part for part in message.points}, message.texts


def pixels(points: list[Any]) -> list[tuple[float, float]]:
    """In our pixels, where the first pixel's middle is (0, 0)."""
    return [(point.x - 0.5, point.y - 0.5) for point in points]


def rgb(colour: Any) -> tuple[int, ...]:
    return tuple(round(255 * value) for value in (colour.r, colour.g, colour.b))


@pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=SKELETONS)
def test_joints_limbs_and_box_have_the_colours_of_the_annotated_image(skeleton: Skeleton) -> None:
    people = person(skeleton)
    parts, _ = annotate(people, skeleton)
    joints, limbs, box = parts[POINTS], parts[LINE_LIST], parts[LINE_LOOP]
    drawn = draw_people(np.zeros((500, 600, 3), np.uint8), people, skeleton, draw_ids=False)
    assert len(joints.points) == len(joints.outline_colors) == len(skeleton)
    for (x, y), colour in zip(pixels(joints.points), joints.outline_colors, strict=True):
        assert tuple(drawn[int(y), int(x), ::-1]) == rgb(colour)
    assert [rgb(colour) for colour in limbs.outline_colors] == list(skeleton.edge_colours_rgb)
    ends = [tuple(people.keypoints_xy[0, joint]) for edge in skeleton.edges for joint in edge]
    assert pixels(limbs.points) == ends
    assert pixels(box.points) == [(60, 30), (540, 30), (540, 470), (60, 470)]
    assert tuple(drawn[30, 300, ::-1]) == rgb(box.outline_color)


def test_an_unsure_joint_takes_its_limbs_with_it() -> None:
    skeleton = SKELETONS["coco17"]
    people = person(skeleton)
    start, end = skeleton.edges[0]
    people.keypoint_scores[0, start] = 0.1
    parts, _ = annotate(people, skeleton)
    left = [edge for edge in skeleton.edges if start not in edge]
    assert len(parts[POINTS].points) == len(skeleton) - 1
    assert len(parts[LINE_LIST].points) == 2 * len(parts[LINE_LIST].outline_colors) == 2 * len(left)
    people.keypoint_scores[0] = 0.1
    assert annotate(people, skeleton)[0].keys() == {LINE_LOOP}
    people.keypoint_scores[0, end] = 0.9
    assert annotate(people, skeleton)[0].keys() == {LINE_LOOP, POINTS}


@pytest.mark.parametrize(
    ("options", "kinds", "texts"),
    [
        ({"draw_boxes": False}, {POINTS, LINE_LIST}, ["#7"]),
        ({"draw_skeletons": False, "draw_scores": True}, {LINE_LOOP}, ["#7 0.75"]),
        ({"draw_ids": False}, {POINTS, LINE_LIST, LINE_LOOP}, []),
    ],
)
def test_the_settings_of_drawing_hold(options: dict[str, bool], kinds: set[int], texts: list[str]) -> None:
    skeleton = SKELETONS["coco17"]
    parts, labels = annotate(person(skeleton), skeleton, **options)
    assert parts.keys() == kinds
    assert [label.text for label in labels] == texts
    assert [pixels([label.position]) for label in labels] == [[(60, 30)]] * len(texts)


def test_nobody_and_somebody_without_an_id() -> None:
    skeleton = SKELETONS["coco17"]
    assert annotate(People.empty(len(skeleton)), skeleton) == ({}, [])
    assert annotate(person(skeleton, track_id=-1), skeleton)[1] == []

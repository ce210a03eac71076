# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""People as ``foxglove_msgs/ImageAnnotations``: what ``draw_people`` draws, as vectors over the image. Needs no ROS.

Source: foxglove-sdk, schemas/ros2 (foxglove_msgs 3.4). There the upper left corner of the first pixel is (0, 0), here its middle.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pose_resnet_ros.core.draw import colour_of_id, label_of, line_width_px
from pose_resnet_ros.core.skeletons import Colour, Skeleton
from pose_resnet_ros.core.types import People

Make = Callable[..., Any]
POINTS, LINE_LOOP, LINE_LIST = 1, 2, 4  # PointsAnnotation.type
FONT_PX = 12.0
_NONE = (0, 0, 0)


def image_annotations(
    make: Make,
    stamp: Any,
    people: People,
    skeleton: Skeleton,
    *,
    keypoint_threshold: float,
    draw_skeletons: bool = True,
    draw_boxes: bool = True,
    draw_ids: bool = True,
    draw_scores: bool = False,
) -> Any:
    """Limbs, joints, boxes and labels in the colours of ``draw_people``.

    make: makes a message from the name of its type in foxglove_msgs and all of its fields; stamp: of the image; people: with
    the joints of ``skeleton``.
    """
    vectors = _Vectors(make, stamp)
    points, texts = [], []
    for row, visible in enumerate(people.visible(keypoint_threshold)):
        box, track_id = people.boxes_xyxy[row], int(people.track_ids[row])
        colour = colour_of_id(track_id)[::-1]
        if draw_boxes:
            corners = box[[0, 1, 2, 1, 2, 3, 0, 3]].reshape(4, 2)
            points.append(vectors.points(LINE_LOOP, corners, [colour], max(1, line_width_px(box) // 3)))
        if draw_skeletons and visible.any():
            points += vectors.skeleton(people.keypoints_xy[row], visible, skeleton, line_width_px(box))
        if label := label_of(track_id, float(people.box_scores[row]), draw_ids, draw_scores):
            texts.append(vectors.text(label, box[:2], colour))
    return make("ImageAnnotations", timestamp=stamp, circles=[], points=points, texts=texts, metadata=[])


class _Vectors:
    """Colours are RGB, 0..255."""

    def __init__(self, make: Make, stamp: Any) -> None:
        self._make, self._stamp = make, stamp

    def skeleton(self, keypoints_xy: np.ndarray, visible: np.ndarray, skeleton: Skeleton, width_px: int) -> list[Any]:
        """Limbs, where there are any, and joints of one person; visible: (K,) bool with at least one True."""
        coloured = zip(skeleton.edges, skeleton.edge_colours_rgb, strict=True)
        limbs = [(edge, colour) for edge, colour in coloured if visible[list(edge)].all()]
        ends = keypoints_xy[[joint for edge, _ in limbs for joint in edge]]
        lines = [self.points(LINE_LIST, ends, [colour for _, colour in limbs], width_px)] if limbs else []
        colours = [skeleton.joint_colours_rgb[joint] for joint in np.flatnonzero(visible)]
        return [*lines, self.points(POINTS, keypoints_xy[visible], colours, 1 + 1.5 * width_px)]

    def points(self, kind: int, points_xy: np.ndarray, colours: Sequence[Colour], thickness: float) -> Any:
        """points_xy: (P, 2) pixels; colours: one for all, or one for each point (POINTS) or segment (LINE_LIST)."""
        return self._make(
            "PointsAnnotation",
            timestamp=self._stamp,
            type=kind,
            points=[self._point(xy) for xy in points_xy],
            outline_color=self._colour(colours[0]),
            outline_colors=[self._colour(colour) for colour in colours] if kind != LINE_LOOP else [],
            fill_color=self._colour(colours[0], alpha=float(kind == POINTS)),
            thickness=float(thickness),
            metadata=[],
        )

    def text(self, text: str, corner_xy: np.ndarray, background: Colour) -> Any:
        """Black on a colour; corner_xy: lower left corner of the text."""
        return self._make(
            "TextAnnotation",
            timestamp=self._stamp,
            position=self._point(corner_xy),
            text=text,
            font_size=FONT_PX,
            text_color=self._colour(_NONE),
            background_color=self._colour(background),
            metadata=[],
        )

    def _point(self, xy: np.ndarray) -> Any:
        x, y = xy.tolist()
        return self._make("Point2", x=x + 0.5, y=y + 0.5)

    def _colour(self, rgb: Colour, *, alpha: float = 1.0) -> Any:
        red, green, blue = (value / 255 for value in rgb)
        return self._make("Color", r=red, g=green, b=blue, a=alpha)

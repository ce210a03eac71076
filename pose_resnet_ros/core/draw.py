# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""People and confidence maps drawn onto an image, in OpenPose's style."""

from __future__ import annotations

import cv2
import numpy as np

from pose_resnet_ros.core.skeletons import Colour, Skeleton
from pose_resnet_ros.core.types import People

_FRACTION_BITS = 3  # cv2 draws at 1/8 pixel
_FARTHEST_PX = 30_000.0  # cv2 draws with 32-bit integers: joints flung further out are drawn here, out of sight
_INVISIBLE = 5  # of 255: a confidence that would not show; most of a map lies under it
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_UNTRACKED_BGR = (200, 200, 200)


def draw_people(
    image: np.ndarray,
    people: People,
    skeleton: Skeleton,
    *,
    keypoint_threshold: float = 0.33,
    draw_skeletons: bool = True,
    draw_boxes: bool = True,
    draw_ids: bool = True,
    draw_scores: bool = False,
    in_place: bool = False,
) -> np.ndarray:
    """Limbs, joints, boxes and labels on a copy of the image, or on the image itself.

    image: (H, W, 3) uint8 BGR; people: with the joints of ``skeleton``. A joint is drawn when its score
    exceeds ``keypoint_threshold``, a limb when both its ends do. Lines grow with the person. ``draw_ids``
    shows the ids of tracked persons, ``draw_scores`` the persons' scores. Returns the image drawn on.
    """
    canvas = image if in_place else image.copy()
    order = np.argsort(people.boxes_xyxy[:, 3], kind="stable")  # the lowest in the image is nearest: on top
    visible = people.visible(keypoint_threshold)
    for person in order:
        box, track_id = people.boxes_xyxy[person], int(people.track_ids[person])
        thickness = line_width_px(box)
        if draw_boxes:
            _draw_box(canvas, box, colour_of_id(track_id), thickness)
        if draw_skeletons:
            _draw_skeleton(canvas, people.keypoints_xy[person], visible[person], skeleton, thickness)
        label = label_of(track_id, float(people.box_scores[person]), draw_ids, draw_scores)
        if label:
            _draw_label(canvas, label, box, colour_of_id(track_id))
    return canvas


def draw_heatmaps(
    image: np.ndarray,
    heatmaps: np.ndarray,
    image_from_crop: np.ndarray,
    *,
    input_wh: tuple[int, int],
    opacity: float = 0.75,
    in_place: bool = False,
) -> np.ndarray:
    """The confidence maps over the image, from blue to red: at each pixel the most certain joint of all persons.

    image: (H, W, 3) uint8 BGR; heatmaps: (N, K, Hh, Wh) raw; image_from_crop: (N, 2, 3) as in ``Crops``;
    input_wh: the crop's size. Values are clipped to 0..1; a pixel with value v is covered by v * opacity. Returns
    the image drawn on.
    """
    confidence = confidence_image(heatmaps, image_from_crop, input_wh=input_wh, size_hw=image.shape[:2])
    canvas = image if in_place else image.copy()
    visible = confidence > _INVISIBLE
    if visible.any():
        surest = confidence[visible]
        colours = cv2.applyColorMap(surest[:, None], cv2.COLORMAP_JET)[:, 0]
        weight = (surest * opacity).astype(np.uint16)[:, None]
        canvas[visible] = (canvas[visible] * (255 - weight) + colours * weight) // 255
    return canvas


def confidence_image(
    heatmaps: np.ndarray, image_from_crop: np.ndarray, *, input_wh: tuple[int, int], size_hw: tuple[int, int]
) -> np.ndarray:
    """Every person's maps warped back, the highest value of each pixel: (H, W) uint8 with 255 for 1.0."""
    height, width = size_hw
    canvas = np.zeros((height, width), np.uint8)
    cell_px = np.array([input_wh[0] / heatmaps.shape[3], input_wh[1] / heatmaps.shape[2]])
    for maps, affine in zip(heatmaps, image_from_crop, strict=True):
        surest = (np.clip(np.nan_to_num(maps.max(axis=0)), 0, 1) * 255).astype(np.uint8)
        image_from_map = np.column_stack([affine[:, :2] * cell_px, affine[:, 2]])
        corners = image_from_map @ [[0, surest.shape[1]], [0, surest.shape[0]], [1, 1]]
        # Of an image that was turned upright the map's first corner need not be the upper left one here.
        left, top = np.clip(np.floor(corners.min(axis=1)), 0, (width, height)).astype(int)
        right, bottom = np.clip(np.ceil(corners.max(axis=1)) + 1, 0, (width, height)).astype(int)
        if left < right and top < bottom:
            image_from_map[:, 2] -= (left, top)
            window = canvas[top:bottom, left:right]
            back = cv2.warpAffine(surest, image_from_map, (right - left, bottom - top), flags=cv2.INTER_LINEAR)
            np.maximum(window, back, out=window)
    return canvas


def colour_of_id(track_id: int) -> Colour:
    """A BGR colour that stays with the id and differs from its neighbours'; grey for -1, not tracked."""
    if track_id < 0:
        return _UNTRACKED_BGR
    hue = int(180 * (track_id * 0.61803398875 % 1))  # golden ratio: neighbours lie far apart
    blue, green, red = cv2.cvtColor(np.array([[[hue, 200, 255]]], np.uint8), cv2.COLOR_HSV2BGR)[0, 0].tolist()
    return blue, green, red


def line_width_px(box_xyxy: np.ndarray) -> int:
    """Width of a person's limbs in pixels: 1 for far persons, 2 for one 160 px high, 12 for one who fills 1080p."""
    longer_side = float(max(box_xyxy[2] - box_xyxy[0], box_xyxy[3] - box_xyxy[1]))
    return int(np.clip(round(longer_side / 80), 1, 12))


def _fixed_point(points_xy: np.ndarray) -> list[tuple[int, int]]:
    """cv2's fixed-point form of (K, 2) pixels."""
    limited = np.clip(points_xy, -_FARTHEST_PX, _FARTHEST_PX)
    return [(x, y) for x, y in np.rint(limited * (1 << _FRACTION_BITS)).astype(int).tolist()]


def _draw_skeleton(canvas: np.ndarray, points_xy: np.ndarray, visible: np.ndarray, skeleton: Skeleton, thickness: int) -> None:
    points = _fixed_point(points_xy)
    for (start, end), colour_rgb in zip(skeleton.edges, skeleton.edge_colours_rgb, strict=True):
        if visible[start] and visible[end]:
            cv2.line(canvas, points[start], points[end], colour_rgb[::-1], thickness, cv2.LINE_AA, _FRACTION_BITS)
    radius = round((0.5 + 0.75 * thickness) * (1 << _FRACTION_BITS))
    for joint in np.flatnonzero(visible):
        colour_bgr = skeleton.joint_colours_rgb[joint][::-1]
        cv2.circle(canvas, points[joint], radius, colour_bgr, -1, cv2.LINE_AA, _FRACTION_BITS)


def _draw_box(canvas: np.ndarray, box_xyxy: np.ndarray, colour_bgr: Colour, thickness: int) -> None:
    top_left, bottom_right = _fixed_point(box_xyxy.reshape(2, 2))
    width = max(1, thickness // 3)
    cv2.rectangle(canvas, top_left, bottom_right, colour_bgr, width, cv2.LINE_AA, _FRACTION_BITS)


def label_of(track_id: int, score: float, with_id: bool, with_score: bool) -> str:
    """What stands at a person's box; "" where there is nothing to say."""
    parts = [f"#{track_id}"] if with_id and track_id >= 0 else []
    return " ".join(parts + ([f"{score:.2f}"] if with_score else []))


def _draw_label(canvas: np.ndarray, label: str, box_xyxy: np.ndarray, colour_bgr: Colour) -> None:
    """Black on the person's colour, above the box's top-left corner, or where the image has room."""
    scale = 0.4 * max(1.0, min(canvas.shape[:2]) / 600)
    weight = max(1, round(scale * 2))
    (width, height), baseline = cv2.getTextSize(label, _FONT, scale, weight)
    limit = (max(0, canvas.shape[1] - width), max(0, canvas.shape[0]))
    left, bottom = np.clip(box_xyxy[:2], (0, height + baseline), limit).astype(int).tolist()
    cv2.rectangle(canvas, (left, bottom - height - baseline), (left + width, bottom), colour_bgr, -1)
    cv2.putText(canvas, label, (left, bottom - baseline // 2 - 1), _FONT, scale, (0, 0, 0), weight, cv2.LINE_AA)

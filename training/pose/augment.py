# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Random changes of a person crop: where it is taken (geometry), and how its pixels look.

Geometry is one affine per sample, from image pixels to crop pixels (pixel centres at whole numbers), applied to the image
and to the keypoints alike. Keypoints are the 17 of COCO.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import cv2
import numpy as np

from pose_resnet_ros.core.skeletons import COCO17

FLIPPED_ORDER = COCO17.flip_order()
UPPER_BODY = np.arange(11)
LOWER_BODY = np.arange(11, 17)
LEAST_LEFT = 4  # located joints that a truncated view must show
LEAST_VIEW_PX = 16
PADDING = 1.1
"""Of the crop around a box. The paper's 1.25 leaves a small input too few pixels of the person."""


@dataclass(frozen=True)
class AugmentSettings:
    """Chances are per sample, in 0..1."""

    flip_chance: float = 0.5
    rotation_chance: float = 0.6
    rotation_sigma_degrees: float = 30.0
    scale_sigma: float = 0.25
    shift_sigma: float = 0.06
    half_body_chance: float = 0.15
    truncate_chance: float = 0.35
    erase_chance: float = 0.4
    occlude_chance: float = 0.2
    low_resolution_chance: float = 0.3
    grey_chance: float = 0.1

    @classmethod
    def of_strength(cls, strength: float) -> AugmentSettings:
        """The defaults times ``strength``, the flip aside: a short run learns more from crops that are changed less."""
        scaled = {f.name: f.default * strength for f in fields(cls) if f.name != "flip_chance"}
        return cls(**scaled)


def crop_affine(
    box_xywh: np.ndarray,
    size_wh: tuple[int, int],
    *,
    padding: float = PADDING,
    scale: float = 1.0,
    rotation_degrees: float = 0.0,
    shift: tuple[float, float] = (0.0, 0.0),
    flip: bool = False,
) -> np.ndarray:
    """(2, 3) float64 affine from image pixels to crop pixels.

    Unless something is changed, this is the crop of microsoft/human-pose-estimation.pytorch (lib/utils/transforms.py), there
    with padding 1.25: the box, made as wide or tall as the crop's aspect asks, times the padding, its centre on
    (width/2, height/2). scale: the region grows by this factor; shift: of the region's centre, in parts of the region's size;
    flip: mirrors the crop.
    """
    width, height = size_wh
    x, y, box_width, box_height = (float(value) for value in box_xywh)
    region_width = max(box_width, box_height * width / height, 1.0) * padding * scale
    factor = width / region_width
    centre = np.array([x + box_width / 2, y + box_height / 2])
    centre += np.array(shift) * (region_width, region_width * height / width)
    angle = np.deg2rad(rotation_degrees)
    linear = factor * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    offset = np.array([width / 2, height / 2]) - linear @ centre
    affine = np.hstack([linear, offset[:, None]])
    if flip:
        affine[0] *= -1
        affine[0, 2] += width - 1
    return affine


def random_affine(
    box_xywh: np.ndarray, keypoints: np.ndarray, size_wh: tuple[int, int], settings: AugmentSettings, random: np.random.Generator
) -> tuple[np.ndarray, bool]:
    """(affine, flipped) of a training crop; keypoints: (17, 3) x, y, visibility in image pixels."""
    if random.random() < settings.half_body_chance:
        box_xywh = half_body_box(box_xywh, keypoints, random)
    flip = bool(random.random() < settings.flip_chance)
    rotation = 0.0
    if random.random() < settings.rotation_chance:
        rotation = float(np.clip(random.normal(), -2, 2) * settings.rotation_sigma_degrees)
    scale = float(np.exp(np.clip(random.normal(), -2, 2) * settings.scale_sigma))
    shift = tuple(np.clip(random.normal(size=2), -2, 2) * settings.shift_sigma)
    return crop_affine(box_xywh, size_wh, scale=scale, rotation_degrees=rotation, shift=shift, flip=flip), flip


def truncated_view(
    box_xywh: np.ndarray, located: np.ndarray, image_wh: tuple[int, int], random: np.random.Generator
) -> np.ndarray:
    """(4,) int x1, y1, x2, y2: the part of the image that a camera would see which cuts the person off, mostly below.

    located: (17, 3) x, y and 1 where a joint's place is known; at least LEAST_LEFT of them stay inside, or the view is the
    whole image.
    """
    x, y, width, height = (float(value) for value in box_xywh)
    whole = np.array([0, 0, *image_wh])
    view = whole.copy()
    kind = random.random()
    if kind < 0.7:
        view[3] = min(view[3], round(y + height * random.uniform(0.22, 0.85)))
    elif kind < 0.85:
        view[2] = min(view[2], round(x + width * random.uniform(0.45, 0.9)))
    else:
        view[0] = max(view[0], round(x + width * random.uniform(0.1, 0.55)))
    if random.random() < 0.15:
        view[1] = max(view[1], round(y + height * random.uniform(0.0, 0.15)))
    known = located[located[:, 2] > 0, :2]
    inside = ((known >= view[:2]) & (known < view[2:])).all(1).sum()
    large_enough = (view[2:] - view[:2]).min() >= LEAST_VIEW_PX
    return view if inside >= LEAST_LEFT and large_enough else whole


def clipped_box(box_xywh: np.ndarray, view: np.ndarray) -> np.ndarray:
    """The part of a box that lies in a view (x1, y1, x2, y2), in pixels of the view."""
    low = np.maximum(box_xywh[:2], view[:2])
    high = np.minimum(box_xywh[:2] + box_xywh[2:], view[2:])
    return np.concatenate([low - view[:2], np.maximum(high - low, 1)]).astype(np.float32)


def half_body_box(box_xywh: np.ndarray, keypoints: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A box round the upper or the lower half of the labelled joints; the given box where too few are labelled."""
    half = UPPER_BODY if random.random() < 0.6 else LOWER_BODY
    points = keypoints[half]
    points = points[points[:, 2] > 0, :2]
    if (keypoints[:, 2] > 0).sum() < 8 or len(points) < 4:
        return box_xywh
    corner, size = points.min(0), np.ptp(points, axis=0)
    margin = 0.25 * size.max() + 1
    return np.array([*(corner - margin), *(size + 2 * margin)], np.float32)


def transform_keypoints(keypoints: np.ndarray, affine: np.ndarray, *, flipped: bool) -> np.ndarray:
    """(17, 3) keypoints in crop pixels; left and right change their places where the crop is mirrored."""
    moved = keypoints.astype(np.float64)
    moved[:, :2] = moved[:, :2] @ affine[:, :2].T + affine[:, 2]
    return (moved[FLIPPED_ORDER] if flipped else moved).astype(np.float32)


def warp(image: np.ndarray, affine: np.ndarray, size_wh: tuple[int, int]) -> np.ndarray:
    """(h, w, 3) uint8 crop, black outside the image."""
    return cv2.warpAffine(image, affine, size_wh, flags=cv2.INTER_LINEAR)


def random_pixels(
    crop: np.ndarray, settings: AugmentSettings, random: np.random.Generator, *, foreground: np.ndarray | None = None
) -> np.ndarray:
    """The crop (h, w, 3) uint8 with other light and colour, less detail, or parts hidden.

    foreground: another picture, a piece of which may hide a part of the person; None: nothing but plain rectangles.
    """
    crop = _light(crop, random)
    if foreground is not None:
        _occlude(crop, foreground, random)
    if random.random() < settings.grey_chance:
        crop = cv2.cvtColor(cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    if random.random() < settings.low_resolution_chance:
        crop = _fewer_pixels(crop, float(random.uniform(1.2, 3.0)))
    if random.random() < settings.erase_chance:
        for _ in range(random.integers(1, 3)):
            _erase(crop, random)
    return crop


def _light(crop: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Contrast, brightness and gamma for all channels, and a gain for each."""
    gains = random.uniform(0.7, 1.3) * random.uniform(0.9, 1.1, 3)
    gamma = np.exp(random.uniform(-0.35, 0.35))
    ramp = (np.arange(256) / 255.0) ** gamma
    table = (ramp[:, None] * gains + random.uniform(-0.1, 0.1)) * 255
    return cv2.LUT(crop, np.clip(table, 0, 255).astype(np.uint8).reshape(256, 1, 3))


def _fewer_pixels(crop: np.ndarray, factor: float) -> np.ndarray:
    """As if the person had been seen from further away."""
    height, width = crop.shape[:2]
    small = cv2.resize(crop, (round(width / factor), round(height / factor)), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


def _erase(crop: np.ndarray, random: np.random.Generator) -> None:
    """Paint a rectangle of 2 to 12 % of the area in one random colour, in place."""
    height, width = crop.shape[:2]
    area, aspect = random.uniform(0.02, 0.12) * height * width, np.exp(random.uniform(-0.7, 0.7))
    erased_height, erased_width = int(np.sqrt(area * aspect)), int(np.sqrt(area / aspect))
    top, left = random.integers(0, height), random.integers(0, width)
    crop[top : top + erased_height, left : left + erased_width] = random.integers(0, 256, 3)


def _occlude(crop: np.ndarray, foreground: np.ndarray, random: np.random.Generator) -> None:
    """Put a piece of another picture over 4 to 20 % of the area, in place; its joints keep their labels, as COCO's do."""
    height, width = crop.shape[:2]
    area, aspect = random.uniform(0.04, 0.2) * height * width, np.exp(random.uniform(-0.9, 0.9))
    piece_height = min(int(np.sqrt(area * aspect)) + 1, height, foreground.shape[0])
    piece_width = min(int(np.sqrt(area / aspect)) + 1, width, foreground.shape[1])
    top, left = random.integers(0, height - piece_height + 1), random.integers(0, width - piece_width + 1)
    y = random.integers(0, foreground.shape[0] - piece_height + 1)
    x = random.integers(0, foreground.shape[1] - piece_width + 1)
    crop[top : top + piece_height, left : left + piece_width] = foreground[y : y + piece_height, x : x + piece_width]

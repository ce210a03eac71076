# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Drawing photographs and their person boxes onto a canvas.

Boxes are pixel-edge coordinates: a picture of width w spans x = 0 to w, so that scaling a picture scales its boxes by the
same factor, without half pixels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

Rect = tuple[int, int, int, int]  # x, y, width, height
Size = tuple[int, int]  # width, height

GRAY = 128
KEEP_VISIBLE = 0.3  # a person cut to less than this share of the box is no longer asked for ...
DROP_VISIBLE = 0.1  # ... and one cut to less than this is background
SMALLEST_PX = 14.0  # a person lower than this is less than a cell of stride 16: ignored


@dataclass(frozen=True, eq=False)
class Canvas:
    """image: (H, W, 3) uint8 BGR; boxes_xyxy: (P, 4) persons; ignore_xyxy: (Q, 4) neither person nor background."""

    image: np.ndarray
    boxes_xyxy: np.ndarray
    ignore_xyxy: np.ndarray


def blank(size: Size) -> Canvas:
    """A gray canvas without persons."""
    nobody = np.zeros((0, 4), np.float32)
    return Canvas(np.full((size[1], size[0], 3), GRAY, np.uint8), nobody, nobody)


def place(canvas: Canvas, tile: Rect, photo: Canvas, size: Size, corner: tuple[int, int]) -> Canvas:
    """Draw a photograph, resized to ``size`` with its top left at ``corner``, into a tile, and add its boxes, cut to the tile.

    photo: the photograph with its boxes. The image of ``canvas`` is written to.
    """
    x, y, width, height = tile
    left, top = max(x, corner[0]), max(y, corner[1])
    right, bottom = min(x + width, corner[0] + size[0]), min(y + height, corner[1] + size[1])
    source = resize(photo.image, size, enlarge=cv2.INTER_CUBIC)[
        top - corner[1] : bottom - corner[1], left - corner[0] : right - corner[0]
    ]
    canvas.image[top:bottom, left:right] = source
    scales = (size[0] / photo.image.shape[1], size[1] / photo.image.shape[0])
    persons, visible = clip_boxes(move_boxes(photo.boxes_xyxy, scales, corner), tile)
    doubtful, doubtful_visible = clip_boxes(move_boxes(photo.ignore_xyxy, scales, corner), tile)
    wanted = (visible >= KEEP_VISIBLE) & (persons[:, 3] - persons[:, 1] >= SMALLEST_PX)
    unsure = ~wanted & (visible >= DROP_VISIBLE)
    return replace(
        canvas,
        boxes_xyxy=np.concatenate([canvas.boxes_xyxy, persons[wanted]]),
        ignore_xyxy=np.concatenate([canvas.ignore_xyxy, persons[unsure], doubtful[doubtful_visible >= DROP_VISIBLE]]),
    )


def resize(image: np.ndarray, size: Size, *, enlarge: int = cv2.INTER_LINEAR) -> np.ndarray:
    """(H, W, 3) -> (size[1], size[0], 3), without aliasing when it shrinks; enlarge: OpenCV's way when it grows."""
    shrinks = size[0] < image.shape[1]
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA if shrinks else enlarge)


def blend(image: np.ndarray, patch: np.ndarray, alpha: np.ndarray, x: int, y: int) -> None:
    """Paste a patch (h, w, 3) with weights ``alpha`` (h, w) in 0..1, its top left corner at (x, y)."""
    height, width = alpha.shape
    region = image[y : y + height, x : x + width]
    region[:] = (alpha[..., None] * patch + (1 - alpha[..., None]) * region).astype(np.uint8)


def soft_rectangle(size: Size) -> np.ndarray:
    """Weights (h, w) for ``blend`` that fade out at the edges, so that the seam does not give the person away."""
    width, height = size
    ramp_x = np.minimum(np.arange(width) + 1, width - np.arange(width)) / (0.12 * width + 1)
    ramp_y = np.minimum(np.arange(height) + 1, height - np.arange(height)) / (0.06 * height + 1)
    return np.clip(np.minimum(ramp_x[None, :], ramp_y[:, None]), 0, 1).astype(np.float32)


def split_rect(rect: Rect, smallest: float, rng: np.random.Generator) -> list[Rect]:
    """Cut a rectangle at random, again and again, until a further cut would leave a side of about ``smallest``."""
    x, y, width, height = rect
    vertical = width > height if abs(width - height) > 0.3 * max(width, height) else rng.random() < 0.5
    length = width if vertical else height
    if length < 2 * smallest:
        return [rect]
    cut = int(length * rng.uniform(0.4, 0.6))
    if vertical:
        parts = ((x, y, cut, height), (x + cut, y, width - cut, height))
    else:
        parts = ((x, y, width, cut), (x, y + cut, width, height - cut))
    return [piece for part in parts for piece in split_rect(part, smallest, rng)]


def free_piece(size: Size, taken_xyxy: np.ndarray, aspect: float, rng: np.random.Generator) -> Rect | None:
    """A random piece of a picture, width = aspect * height, that touches none of the boxes; None if none was found."""
    tallest = min(size[1], size[0] / aspect)
    for share in (0.9, 0.6, 0.45, 0.3):
        height = int(tallest * share)
        width = int(height * aspect)
        if height < 24 or width < 24:
            return None
        x, y = int(rng.integers(size[0] - width + 1)), int(rng.integers(size[1] - height + 1))
        beside = (taken_xyxy[:, 0] > x + width) | (taken_xyxy[:, 2] < x)
        above_or_below = (taken_xyxy[:, 1] > y + height) | (taken_xyxy[:, 3] < y)
        if (beside | above_or_below).all():
            return x, y, width, height
    return None


def move_boxes(boxes_xyxy: np.ndarray, scales: tuple[float, float], offset: tuple[float, float]) -> np.ndarray:
    """Boxes after x' = x * scales[0] + offset[0] and y' = y * scales[1] + offset[1]."""
    return boxes_xyxy * np.array(scales * 2, np.float32) + np.array(offset * 2, np.float32)


def clip_boxes(boxes_xyxy: np.ndarray, rect: Rect) -> tuple[np.ndarray, np.ndarray]:
    """Boxes cut to a rectangle, and the share (P,) of each box's area that is left."""
    x, y, width, height = rect
    low, high = np.array([x, y] * 2, np.float32), np.array([x + width, y + height] * 2, np.float32)
    clipped = np.clip(boxes_xyxy, low, high)
    return clipped, area(clipped) / np.maximum(area(boxes_xyxy), 1e-6)


def area(boxes_xyxy: np.ndarray) -> np.ndarray:
    """(..., 4) -> (...)."""
    return (boxes_xyxy[..., 2] - boxes_xyxy[..., 0]) * (boxes_xyxy[..., 3] - boxes_xyxy[..., 1])


def hidden_share(box: np.ndarray, cover: np.ndarray) -> float:
    """The share of ``box`` (4,) that lies under ``cover`` (4,)."""
    common = np.clip(np.minimum(box[2:], cover[2:]) - np.maximum(box[:2], cover[:2]), 0, None).prod()
    return float(common / area(box))


def mirrored(canvas: Canvas) -> Canvas:
    """The canvas seen in a mirror: x becomes width - x."""
    width = canvas.image.shape[1]

    def flip(boxes: np.ndarray) -> np.ndarray:
        return np.stack([width - boxes[:, 2], boxes[:, 1], width - boxes[:, 0], boxes[:, 3]], axis=1)

    return Canvas(np.ascontiguousarray(canvas.image[:, ::-1]), flip(canvas.boxes_xyxy), flip(canvas.ignore_xyxy))


def recolour(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Random brightness, contrast, tint and saturation; sometimes gray, noisy or soft."""
    saturation = 0.0 if rng.random() < 0.12 else rng.uniform(0.4, 1.5)
    contrast, brightness = rng.uniform(0.6, 1.4), rng.uniform(-35, 35)
    gain = contrast * rng.uniform(0.88, 1.12, 3)
    mix = saturation * np.eye(3) + (1 - saturation) * np.array([[0.114, 0.587, 0.299]])
    shift = np.full((3, 1), brightness + 128 * (1 - contrast))
    result = cv2.transform(image, np.hstack([gain[:, None] * mix, shift]))
    if rng.random() < 0.15:
        noise = rng.normal(0, rng.uniform(2, 10), image.shape[:2])
        result = np.clip(result + noise[..., None], 0, 255).astype(np.uint8)
    chance = rng.random()
    if chance < 0.2:
        return _soften(result, rng.uniform(0.4, 0.8))
    return _sharpen(result, rng.uniform(0.3, 1.5)) if chance < 0.6 else result


def _sharpen(image: np.ndarray, amount: float) -> np.ndarray:
    """Add what a blur takes away: enlarged photographs are softer than a camera's picture of the same size."""
    return cv2.addWeighted(image, 1 + amount, cv2.GaussianBlur(image, (0, 0), 1.5), -amount, 0)


def _soften(image: np.ndarray, factor: float) -> np.ndarray:
    """Scale down and up again: the look of a cheap camera."""
    height, width = image.shape[:2]
    return resize(resize(image, (int(width * factor), int(height * factor))), (width, height))

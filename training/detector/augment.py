# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Training canvases for the detector, made from photographs of people and of none.

A robot sees people near and far, whole and cut off, and rooms without anybody. Five kinds of canvas bring the photographs
there: one letterboxed (as at inference), one seen closer, so that the canvas cuts its persons off, a patchwork of photographs
(many persons, many scales; after the mosaic of Bochkovskiy et al., 2020), persons pasted, small, onto person-free ground, and
nobody at all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from training.detector import canvas as draw
from training.detector.canvas import Canvas, Rect, Size
from training.detector.cutout import Cutout, cut_out
from training.detector.hard_negatives import HardNegative
from training.detector.labels import BoxLabels
from training.detector.posts import draw_posts
from training.images import ImageStore

GROUND_SHARE = 0.15  # of the patches show no person
UPRIGHT_ASPECT = 1.5  # height over width of a person who stands or walks
LOWEST_PASTED_PX = 40.0  # in the photograph; lower ones are a blur
RECTANGLE_REFUSED = 0.6  # of the persons whose outline was not found are not pasted
BESIDE_SHARE = 0.5  # of the pasted persons stand beside another one ...
HIDE_AT_MOST, HIDE_COMPANION_AT_MOST = 0.35, 0.55  # ... and hide at most this share of that one's box
POSTS_SHARE = 0.4  # of the canvases of pasted persons show posts or fences


@dataclass(frozen=True)
class Recipe:
    """Canvas size in pixels, and how often each kind of canvas is made (the rest is letterboxed photographs).

    empty canvases show hard negatives, where such are given, for the share ``hard``.
    """

    width: int
    height: int
    patchwork: float = 0.2
    pasted: float = 0.08
    close: float = 0.06
    empty: float = 0.2
    hard: float = 0.5

    @property
    def size(self) -> Size:
        return self.width, self.height


class CanvasMaker:
    """Draws training canvases; all chance comes from the generator given to ``make``.

    hard: pictures, with boxes that a detector took for persons where nobody is (``training.detector.mine``).
    """

    def __init__(
        self, images: ImageStore, labels: Sequence[BoxLabels], recipe: Recipe, *, hard: Sequence[HardNegative] = ()
    ) -> None:
        self._images = images
        self.labels = labels
        self.recipe = recipe
        self._hard = hard
        self._cutouts: dict[tuple[int, int], Cutout] = {}
        self._pasteable = [(index, row) for index, label in enumerate(labels) for row in _pasteable(label)]

    def make(self, index: int, rng: np.random.Generator) -> Canvas:
        """A canvas around photograph ``index`` (pasted persons and empty canvases come from anywhere)."""
        canvas = self._drawn(index, rng)
        if rng.random() < 0.5:
            canvas = draw.mirrored(canvas)
        return Canvas(draw.recolour(canvas.image, rng), canvas.boxes_xyxy, canvas.ignore_xyxy)

    def _drawn(self, index: int, rng: np.random.Generator) -> Canvas:
        recipe = self.recipe
        shares = (recipe.patchwork, recipe.pasted, recipe.close, recipe.empty)
        kind = int(np.searchsorted(np.cumsum(shares), rng.random(), side="right"))
        if kind == 0:
            return self._patchwork(index, rng)
        if kind == 1:
            return self._pasted(rng)
        if kind == 2:
            return self._close(index, rng)
        if kind == 3:
            return self._empty(rng)
        return self._letterboxed(index, rng)

    def _photo(self, index: int) -> Canvas:
        label = self.labels[index]
        return Canvas(self._images.read(label.file_name), label.boxes_xyxy, label.ignore_xyxy)

    def _any_photo(self, rng: np.random.Generator) -> Canvas:
        return self._photo(int(rng.integers(len(self.labels))))

    def _letterboxed(self, index: int, rng: np.random.Generator) -> Canvas:
        recipe, photo = self.recipe, self._photo(index)
        height, width = photo.image.shape[:2]
        scale = min(recipe.width / width, recipe.height / height) * rng.uniform(0.6, 1.3)
        size = (max(1, round(width * scale * rng.uniform(0.85, 1.18))), max(1, round(height * scale)))
        corner = (_slide(recipe.width - size[0], rng), _slide(recipe.height - size[1], rng))
        return draw.place(draw.blank(recipe.size), (0, 0, *recipe.size), photo, size, corner)

    def _close(self, index: int, rng: np.random.Generator) -> Canvas:
        """As if the camera had been nearer: a part of the photograph fills the canvas, round a person if there is one."""
        recipe, photo = self.recipe, self._photo(index)
        height, width = photo.image.shape[:2]
        scale = max(recipe.width / width, recipe.height / height) * math.exp(rng.uniform(0, 0.9))
        size = (math.ceil(width * scale * rng.uniform(0.9, 1.1)), math.ceil(height * scale))
        focus = np.array([0.5, 0.5])
        if len(photo.boxes_xyxy):
            box = photo.boxes_xyxy[rng.integers(len(photo.boxes_xyxy))]
            # Mostly the upper part: cameras on robots and people at tables show heads and chests rather than legs.
            focus = np.array([box[0] + box[2], 1.3 * box[1] + 0.7 * box[3]]) / 2 / (width, height)
        centre = focus + rng.normal(0, 0.12, 2)
        corner = [
            int(np.clip(round(whole / 2 - at * side), whole - side, 0))
            for whole, side, at in zip(recipe.size, size, centre, strict=True)
        ]
        return draw.place(draw.blank(recipe.size), (0, 0, *recipe.size), photo, size, (corner[0], corner[1]))

    def _empty(self, rng: np.random.Generator) -> Canvas:
        """Nobody: a patchwork of person-free ground, or something that was once taken for a person."""
        canvas = draw.blank(self.recipe.size)
        hard = self._hard and rng.random() < self.recipe.hard
        smallest = self.recipe.height * math.exp(rng.uniform(math.log(0.25), 0.0))
        for tile in draw.split_rect((0, 0, *self.recipe.size), smallest, rng):
            if hard and rng.random() < 0.7:
                self._fill_with_hard(canvas.image, tile, rng)
            else:
                self._fill_with_ground(canvas.image, tile, rng)
        return canvas

    def _fill_with_hard(self, image: np.ndarray, tile: Rect, rng: np.random.Generator) -> None:
        negative = self._hard[int(rng.integers(len(self._hard)))]
        photo = self._images.read(negative.file_name)
        left, top, right, bottom = negative.around(rng, photo.shape[1], photo.shape[0])
        x, y, width, height = tile
        image[y : y + height, x : x + width] = draw.resize(
            photo[top:bottom, left:right], (width, height), enlarge=cv2.INTER_CUBIC
        )

    def _patchwork(self, index: int, rng: np.random.Generator) -> Canvas:
        canvas = draw.blank(self.recipe.size)
        smallest = math.exp(rng.uniform(math.log(48), math.log(0.75 * self.recipe.height)))
        for number, tile in enumerate(draw.split_rect((0, 0, *self.recipe.size), smallest, rng)):
            if number and rng.random() < GROUND_SHARE:
                self._fill_with_ground(canvas.image, tile, rng)
            else:
                canvas = _cover(canvas, tile, self._any_photo(rng) if number else self._photo(index), rng)
        return canvas

    def _fill_with_ground(self, image: np.ndarray, tile: Rect, rng: np.random.Generator) -> None:
        """Fill a tile with a person-free piece of some photograph, at any scale; leave it as it is if none is found."""
        x, y, width, height = tile
        for _ in range(12):
            photo = self._any_photo(rng)
            taken = np.concatenate([photo.boxes_xyxy, photo.ignore_xyxy])
            piece = draw.free_piece((photo.image.shape[1], photo.image.shape[0]), taken, width / height, rng)
            if piece is not None:
                left, top, wide, high = piece
                source = photo.image[top : top + high, left : left + wide]
                image[y : y + height, x : x + width] = draw.resize(source, (width, height))
                return

    def _pasted(self, rng: np.random.Generator) -> Canvas:
        image = draw.blank(self.recipe.size).image
        for tile in draw.split_rect((0, 0, *self.recipe.size), rng.uniform(90, 400), rng):
            self._fill_with_ground(image, tile, rng)
        typical = math.exp(rng.uniform(math.log(24), math.log(0.45 * self.recipe.height)))
        if rng.random() < POSTS_SHARE:
            for _ in range(int(rng.integers(1, 5))):
                draw_posts(image, typical * rng.uniform(0.6, 1.6), rng)
        boxes: list[np.ndarray] = []
        for _ in range(int(rng.integers(3, 14))):
            boxes += self._paste_person(image, typical * rng.uniform(0.75, 1.35), boxes, rng)
        for _ in range(int(rng.integers(6))):
            self._paste_ground(image, typical, boxes, rng)
        found = np.array(boxes, np.float32).reshape(-1, 4)
        small = found[:, 3] - found[:, 1] < draw.SMALLEST_PX
        return Canvas(image, found[~small], found[small])

    def _paste_person(
        self, image: np.ndarray, height: float, others: list[np.ndarray], rng: np.random.Generator
    ) -> list[np.ndarray]:
        """Paste a random person, ``height`` pixels tall, where it hides little of the others: its box, or nothing."""
        person = self._cutout(rng)
        if person is None or (not person.has_outline and rng.random() < RECTANGLE_REFUSED):
            return []
        factor = height / float(person.box[3] - person.box[1])
        size = (max(4, round(person.image.shape[1] * factor)), max(4, round(person.image.shape[0] * factor)))
        person = person.resized(size)
        companion = others[-1] if others and rng.random() < BESIDE_SHARE else None
        hide_at_most = HIDE_AT_MOST if companion is None else HIDE_COMPANION_AT_MOST
        spot = _free_spot(image, size, person.box, others, rng, hide_at_most=hide_at_most, companion=companion)
        if spot is None:
            return []
        person.paste(image, *spot)
        return [draw.move_boxes(person.box, (1.0, 1.0), spot)]

    def _cutout(self, rng: np.random.Generator) -> Cutout | None:
        """A random person, cut out once and kept; None if no photograph has a suitable one."""
        if not self._pasteable:
            return None
        index, row = self._pasteable[int(rng.integers(len(self._pasteable)))]
        if (index, row) not in self._cutouts:
            photo = self._photo(index)
            self._cutouts[index, row] = cut_out(photo.image, photo.boxes_xyxy[row])
        return self._cutouts[index, row]

    def _paste_ground(self, image: np.ndarray, height: float, boxes: list[np.ndarray], rng: np.random.Generator) -> None:
        """Paste a person-free piece the way persons are pasted, lest the seams come to mean "person"."""
        size = (round(height * rng.uniform(0.35, 1.2)), round(height * rng.uniform(0.7, 1.4)))
        spot = _free_spot(image, size, [0, 0, *size], boxes, rng, hide_at_most=0.1)
        if spot is not None:
            patch = np.full((size[1], size[0], 3), draw.GRAY, np.uint8)
            self._fill_with_ground(patch, (0, 0, *size), rng)
            draw.blend(image, patch, draw.soft_rectangle(size), *spot)


def _cover(canvas: Canvas, tile: Rect, photo: Canvas, rng: np.random.Generator) -> Canvas:
    """Fill a tile with a photograph, a little larger than needed and a little stretched."""
    height, width = photo.image.shape[:2]
    scale = max(tile[2] / width, tile[3] / height) * rng.uniform(1.0, 1.3)
    stretch = rng.uniform(1.0, 1.15)
    wider, taller = (stretch, 1.0) if rng.random() < 0.5 else (1.0, stretch)
    size = (math.ceil(scale * width * wider), math.ceil(scale * height * taller))
    corner = (tile[0] + _slide(tile[2] - size[0], rng), tile[1] + _slide(tile[3] - size[1], rng))
    return draw.place(canvas, tile, photo, size, corner)


def _pasteable(label: BoxLabels) -> list[int]:
    """Rows of the persons that are upright, large enough to be pasted, and have nobody else in their box."""
    everybody = np.concatenate([label.boxes_xyxy, label.ignore_xyxy])
    rows = []
    for row, box in enumerate(label.boxes_xyxy):
        width, height = box[2:] - box[:2]
        if height >= max(LOWEST_PASTED_PX, UPRIGHT_ASPECT * width):
            others = np.delete(everybody, row, axis=0)
            rows += [row] if all(draw.hidden_share(box, other) < 0.1 for other in others) else []
    return rows


def _free_spot(
    image: np.ndarray,
    size: Size,
    cover: Sequence[float] | np.ndarray,
    others: list[np.ndarray],
    rng: np.random.Generator,
    *,
    hide_at_most: float,
    companion: np.ndarray | None = None,
) -> tuple[int, int] | None:
    """A place (x, y) for a patch, whose opaque part is the box ``cover``, that hides at most this share of each other box.

    companion: a box to stand beside, as people do who walk together; None: anywhere.
    """
    spare = np.array([image.shape[1] - size[0], image.shape[0] - size[1]])
    if spare.min() <= 0:
        return None
    box = np.asarray(cover, np.float32)
    for _ in range(6):
        spot = rng.integers(spare) if companion is None else _beside(companion, box, rng)
        placed = draw.move_boxes(box, (1.0, 1.0), tuple(spot))
        inside = (spot >= 0).all() and (spot < spare).all()
        if inside and all(draw.hidden_share(other, placed) <= hide_at_most for other in others):
            return int(spot[0]), int(spot[1])
    return None


def _beside(companion: np.ndarray, box: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Where to put ``box`` to the left or right of another one, feet about level, from well apart to half hidden."""
    distance = rng.uniform(0.4, 1.3) * 0.5 * (companion[2] - companion[0] + box[2] - box[0])
    centre = 0.5 * (companion[0] + companion[2]) + distance * rng.choice((-1, 1))
    feet = companion[3] + rng.uniform(-0.1, 0.1) * (companion[3] - companion[1])
    return np.array([centre - 0.5 * (box[0] + box[2]), feet - box[3]]).round().astype(int)


def _slide(spare: int, rng: np.random.Generator) -> int:
    """Where a length starts that leaves ``spare`` pixels over (or, if negative, sticks out by as many)."""
    return round(spare * rng.random())

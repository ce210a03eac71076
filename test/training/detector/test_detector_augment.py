# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Training canvases: boxes stay on the persons, cut persons are treated as promised."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")

from training.detector import canvas as draw
from training.detector.augment import CanvasMaker, Recipe
from training.detector.canvas import Canvas
from training.detector.data import MOST_BOXES, Canvases
from training.detector.hard_negatives import HardNegative, free_view
from training.detector.labels import BoxLabels
from training.images import ImageStore

NOBODY = np.zeros((0, 4), np.float32)


def _photo(box: tuple[float, float, float, float], *, width: int = 100, height: int = 80) -> Canvas:
    """A black photograph whose person is a white rectangle."""
    image = np.zeros((height, width, 3), np.uint8)
    x1, y1, x2, y2 = (int(v) for v in box)
    image[y1:y2, x1:x2] = 255
    return Canvas(image, np.array([box], np.float32), NOBODY)


def _extent(image: np.ndarray) -> list[float]:
    """Edges of the white area, to a fraction of a pixel, from its summed brightness through its middle."""
    bright = image[..., 0].astype(np.float64) / 255
    ys, xs = np.nonzero(bright > 0.5)
    row, column = bright[int(ys.mean())], bright[:, int(xs.mean())]
    left, top = np.argmax(row > 0.99), np.argmax(column > 0.99)
    right, bottom = len(row) - np.argmax(row[::-1] > 0.99), len(column) - np.argmax(column[::-1] > 0.99)
    return [left - row[:left].sum(), top - column[:top].sum(), right + row[right:].sum(), bottom + column[bottom:].sum()]


@pytest.mark.parametrize("size", [(150, 80), (200, 160), (50, 40), (75, 64)])
def test_placed_boxes_are_where_the_pixels_are(size: tuple[int, int]) -> None:
    canvas = draw.place(draw.blank((300, 200)), (0, 0, 300, 200), _photo((20, 10, 60, 70)), size, (30, 20))
    canvas.image[canvas.image == draw.GRAY] = 0
    np.testing.assert_allclose(canvas.boxes_xyxy[0], _extent(canvas.image), atol=0.03)  # brightness has 256 steps
    sx, sy = size[0] / 100, size[1] / 80
    expected = [30 + 20 * sx, 20 + 10 * sy, 30 + 60 * sx, 20 + 70 * sy]
    np.testing.assert_allclose(canvas.boxes_xyxy[0], expected, atol=0.01)


def test_mirrored_boxes_are_where_the_pixels_are() -> None:
    flipped = draw.mirrored(_photo((20, 10, 60, 70)))
    np.testing.assert_allclose(flipped.boxes_xyxy, [[40, 10, 80, 70]], atol=0.01)
    np.testing.assert_allclose(_extent(flipped.image), [40, 10, 80, 70], atol=0.01)


@pytest.mark.parametrize(
    ("tile_width", "persons", "ignored"),
    [(100, 1, 0), (33, 1, 0), (31, 0, 1), (25, 0, 1), (23, 0, 0)],  # the person spans x = 20 to 60
)
def test_cut_persons(tile_width: int, persons: int, ignored: int) -> None:
    canvas = draw.place(draw.blank((100, 80)), (0, 0, tile_width, 80), _photo((20, 10, 60, 70)), (100, 80), (0, 0))
    assert (len(canvas.boxes_xyxy), len(canvas.ignore_xyxy)) == (persons, ignored)
    if persons:
        np.testing.assert_allclose(canvas.boxes_xyxy, [[20, 10, min(60, tile_width), 70]], atol=0.01)


def test_tiny_persons_are_ignored() -> None:
    canvas = draw.place(draw.blank((50, 40)), (0, 0, 50, 40), _photo((20, 10, 60, 70)), (20, 16), (0, 0))  # 12 px tall
    assert (len(canvas.boxes_xyxy), len(canvas.ignore_xyxy)) == (0, 1)


def test_a_tile_leaves_the_rest_of_the_canvas_alone() -> None:
    canvas = draw.place(draw.blank((60, 60)), (10, 20, 30, 25), _photo((0, 0, 100, 80)), (100, 80), (-5, 0))
    assert (canvas.image[20:45, 10:40] == 255).all()
    canvas.image[20:45, 10:40] = draw.GRAY
    assert (canvas.image == draw.GRAY).all()


def test_split_covers_the_rectangle_once() -> None:
    for seed in range(20):
        covered = np.zeros((90, 130), int)
        for x, y, width, height in draw.split_rect((0, 0, 130, 90), 24, np.random.default_rng(seed)):
            covered[y : y + height, x : x + width] += 1
        assert (covered == 1).all()


def test_free_pieces_touch_nobody() -> None:
    taken = np.array([[40, 0, 60, 100], [70, 50, 100, 100]], np.float32)
    found = 0
    for seed in range(50):
        piece = draw.free_piece((100, 100), taken, 0.7, np.random.default_rng(seed))
        if piece is not None:
            found += 1
            x, y, width, height = piece
            assert 0 <= x <= x + width <= 100
            assert 0 <= y <= y + height <= 100
            assert all(draw.hidden_share(box, np.array([x, y, x + width, y + height])) == 0 for box in taken)
    assert found > 5
    everywhere = np.array([[0, 0, 100, 100]], np.float32)
    assert draw.free_piece((100, 100), everywhere, 1.0, np.random.default_rng(0)) is None


@pytest.fixture
def maker(tmp_path: Path) -> CanvasMaker:
    """Photographs with one person (a white bar), with two, and with nobody."""
    labels = []
    for number, boxes in enumerate([[[40, 20, 60, 70]], [[10, 10, 30, 60], [60, 20, 80, 75]], []]):
        image = np.full((90, 120, 3), 40, np.uint8)
        for x1, y1, x2, y2 in boxes:
            image[y1:y2, x1:x2] = 255
        cv2.imwrite(str(tmp_path / f"{number}.png"), image)
        labels.append(BoxLabels(f"{number}.png", np.array(boxes, np.float32).reshape(-1, 4), NOBODY))
    return CanvasMaker(ImageStore(tmp_path), labels, Recipe(128, 96))


NO_SHARES = {"patchwork": 0.0, "pasted": 0.0, "close": 0.0, "empty": 0.0}


@pytest.mark.parametrize("kind", ["patchwork", "pasted", "close", "letterboxed"])
def test_every_kind_of_canvas_has_sound_boxes_on_bright_pixels(maker: CanvasMaker, kind: str) -> None:
    shares = NO_SHARES | ({kind: 1.0} if kind in NO_SHARES else {})
    maker.recipe = Recipe(128, 96, **shares)
    persons = 0
    for seed in range(30):
        canvas = maker.make(seed % 3, np.random.default_rng(seed))
        assert canvas.image.shape == (96, 128, 3)
        assert canvas.image.dtype == np.uint8
        boxes = canvas.boxes_xyxy
        assert (boxes[:, :2] >= 0).all()
        assert (boxes[:, 2:] <= (128, 96)).all()
        assert (boxes[:, 3] - boxes[:, 1] >= draw.SMALLEST_PX - 0.01).all()
        for x1, y1, x2, y2 in boxes:
            middle = canvas.image[int((y1 + y2) / 2), int((x1 + x2) / 2)]
            assert middle.mean() > np.median(canvas.image) or middle.mean() > 140
        persons += len(boxes)
    assert persons > 15


def test_an_empty_canvas_shows_nobody_but_what_was_taken_for_somebody(tmp_path: Path, maker: CanvasMaker) -> None:
    image = np.full((60, 80, 3), 40, np.uint8)
    image[20:50, 30:45] = (0, 0, 255)
    cv2.imwrite(str(tmp_path / "coat.png"), image)
    coat = HardNegative("coat.png", (30, 20, 45, 50), (0, 0, 80, 60), 0.6)
    recipe = Recipe(128, 96, **(NO_SHARES | {"empty": 1.0}), hard=1.0)
    hard = CanvasMaker(ImageStore(tmp_path), maker.labels, recipe, hard=[coat])
    canvases = [hard._empty(np.random.default_rng(seed)) for seed in range(20)]
    assert not any(len(canvas.boxes_xyxy) for canvas in canvases)
    red = [(c.image[..., 2] > 200) & (c.image[..., 0] < 60) for c in canvases]
    assert sum(bool(mask.any()) for mask in red) > 10
    white = [(c.image > 250).all(-1).any() for c in canvases]
    assert not any(white)  # the persons of the photographs


def test_a_free_view_keeps_the_box_and_leaves_everybody_out() -> None:
    label = BoxLabels("", np.array([[60, 0, 80, 100], [0, 70, 20, 100]], np.float32), NOBODY)
    view = free_view(np.array([20.0, 20, 50, 60]), label, (100, 100))
    assert view is not None
    np.testing.assert_array_equal(view, [0, 0, 60, 70])
    assert free_view(np.array([50.0, 20, 70, 60]), label, (100, 100)) is None


def test_the_same_index_gives_the_same_canvas(maker: CanvasMaker) -> None:
    data = Canvases(maker, seed=3)
    first, again, other = data[(0, 1)], data[(0, 1)], data[(1, 1)]
    for one, two in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, two)
    assert first[0].tobytes() != other[0].tobytes()
    assert first[1].shape == (MOST_BOXES, 4)
    assert len(data) == 3

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Persons cut out of photographs, to be pasted elsewhere: along their outline where it can be found, else as a soft rectangle."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from training.detector import canvas as draw
from training.detector.canvas import Size

MARGIN = 0.08  # of the person's height, around the box
SEARCH_HEIGHT_PX = 64  # the outline is searched in a picture of at most this height
LEAST_HEIGHT, LEAST_WIDTH = 0.86, 0.8  # of the box, that a credible outline fills


@dataclass(frozen=True, eq=False)
class Cutout:
    """image: (h, w, 3) uint8 BGR; alpha: (h, w) float32, 1 on the person; box: (4,) corners of the person, pixel edges.

    has_outline: alpha follows the person's outline, not a rectangle.
    """

    image: np.ndarray
    alpha: np.ndarray
    box: np.ndarray
    has_outline: bool

    def resized(self, size: Size) -> Cutout:
        """The same at another size (width, height)."""
        height, width = self.alpha.shape
        scales = (size[0] / width, size[1] / height)
        alpha = draw.resize(self.alpha, size)
        return Cutout(draw.resize(self.image, size), alpha, draw.move_boxes(self.box, scales, (0, 0)), self.has_outline)

    def paste(self, image: np.ndarray, x: int, y: int) -> None:
        """Paste into a picture with the top left corner at (x, y)."""
        draw.blend(image, self.image, self.alpha, x, y)


def cut_out(photo: np.ndarray, box: np.ndarray) -> Cutout:
    """The person in a box (4,) of a photograph."""
    margin = MARGIN * float(box[3] - box[1])
    left, top = (int(max(0, v - margin)) for v in box[:2])
    image = np.ascontiguousarray(photo[top : int(box[3] + margin), left : int(box[2] + margin)])
    local = (box - np.array([left, top, left, top])).astype(np.float32)
    mask = _outline(image, local)
    if mask is None:
        return Cutout(image, draw.soft_rectangle((image.shape[1], image.shape[0])), local, has_outline=False)
    rows, columns = np.nonzero(mask.any(axis=1))[0], np.nonzero(mask.any(axis=0))[0]
    scales = (image.shape[1] / mask.shape[1], image.shape[0] / mask.shape[0])
    extent = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.float32)
    alpha = cv2.resize(mask.astype(np.float32), (image.shape[1], image.shape[0]), interpolation=cv2.INTER_LINEAR)
    return Cutout(image, alpha, draw.move_boxes(extent, scales, (0, 0)), has_outline=True)


def _outline(image: np.ndarray, box: np.ndarray) -> np.ndarray | None:
    """Mask (h', w') bool of the person, in a picture of at most SEARCH_HEIGHT_PX, by GrabCut (Rother et al., 2004).

    None where the result is smaller than a person of this box can be.
    """
    factor = min(1.0, SEARCH_HEIGHT_PX / image.shape[0])
    small = draw.resize(image, (max(8, round(image.shape[1] * factor)), max(8, round(image.shape[0] * factor))))
    x1, y1, x2, y2 = (box * factor).round().astype(int)
    width, height, middle = x2 - x1, y2 - y1, (x1 + x2) / 2
    mask = np.full(small.shape[:2], cv2.GC_BGD, np.uint8)
    mask[max(0, y1 - 1) : y2 + 1, max(0, x1 - 1) : x2 + 1] = cv2.GC_PR_FGD
    chest = slice(int(y1 + 0.2 * height), int(y1 + 0.55 * height))
    mask[chest, int(middle - 0.12 * width) : int(middle + 0.12 * width) + 1] = cv2.GC_FGD
    if not (mask == cv2.GC_BGD).any():
        return None  # the box fills the photograph: nothing shows what the background looks like
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)
    cv2.grabCut(small, mask, None, *models, 2, cv2.GC_INIT_WITH_MASK)
    person = (mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD)
    tall, wide = np.ptp(np.nonzero(person.any(axis=1))[0]) + 1, np.ptp(np.nonzero(person.any(axis=0))[0]) + 1
    return person if tall >= LEAST_HEIGHT * height and wide >= LEAST_WIDTH * width else None

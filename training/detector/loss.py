# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""What the detector's grids should say, and how far they are from it.

Boxes decode as in YOLOv3 (cell (i, j), anchor (aw, ah) in network pixels): centre x = (i + sigmoid(tx)) * stride, width =
exp(tw) * aw. Every anchor of a similar shape may answer for a person, in the cell of the centre and in direct neighbours
whose best reachable box still overlaps it well. Box loss: CIoU (Zheng et al., 2020). Objectness is taught the overlap it
reached, so that the score says how well the box fits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from training.detector.network import VALUES_PER_ANCHOR

SHAPE_RATIO = 2.5  # an anchor answers when neither side differs from the person's by more than this factor
REACHABLE_IOU = 0.7  # a neighbouring cell answers when the same box, moved into the cell, overlaps this much
DUPLICATE_IOU = 0.6  # an unassigned box over a person by this much is neither taught nor punished
BOX, OBJECTNESS, PERSON = 3.0, 2.0, 0.1  # weights of the parts of the loss
IGNORE_SHARE = 0.5  # a box with this share inside an ignore region likewise


@dataclass(frozen=True)
class Grid:
    """One output grid: stride in pixels and anchors (A, 2), width and height in network pixels."""

    stride: int
    anchors: Tensor


@dataclass(frozen=True)
class Assignment:
    """K answers on one grid: image, anchor, row and column (K,) and the person's box (K, 4), cx cy w h in pixels."""

    image: Tensor
    anchor: Tensor
    row: Tensor
    column: Tensor
    target: Tensor


def decode(raw: Tensor, grid: Grid) -> tuple[Tensor, Tensor, Tensor]:
    """(N, A*6, gh, gw) -> boxes (N, A, gh, gw, 4) as cx cy w h in pixels, objectness and person logits (N, A, gh, gw)."""
    count, _, rows, columns = raw.shape
    values = raw.view(count, -1, VALUES_PER_ANCHOR, rows, columns).permute(0, 1, 3, 4, 2)
    cells_x = torch.arange(columns, device=raw.device, dtype=values.dtype)
    cells_y = torch.arange(rows, device=raw.device, dtype=values.dtype)[:, None]
    centre_x = (cells_x + values[..., 0].sigmoid()) * grid.stride
    centre_y = (cells_y + values[..., 1].sigmoid()) * grid.stride
    anchors = grid.anchors.to(raw.device, values.dtype)[None, :, None, None, :]
    size = values[..., 2:4].clamp(-4, 4).exp() * anchors
    return torch.cat([centre_x[..., None], centre_y[..., None], size], dim=-1), values[..., 4], values[..., 5]


def assign(boxes: Tensor, image: Tensor, grid: Grid, *, rows: int, columns: int) -> Assignment:
    """Which cells and anchors answer for which person.

    boxes: (G, 4) cx cy w h in pixels; image: (G,) the image of the batch each belongs to.
    """
    centre, size = boxes[:, None, :2] / grid.stride, boxes[:, None, 2:] / grid.stride  # in cells
    steps = torch.tensor([[0, 0], [-1, 0], [1, 0], [0, -1], [0, 1]], device=boxes.device)
    cells = centre.floor().long() + steps  # (G, 5, 2)
    limit = torch.tensor([columns, rows], device=boxes.device)
    moved = (torch.maximum(torch.minimum(centre, cells + 1.0), cells.to(centre.dtype)) - centre).abs()
    # Exact, as a neighbouring cell moves the box along one axis only.
    overlap = ((size - moved) / (size + moved)).clamp(min=0).prod(dim=-1)
    reachable = (overlap >= REACHABLE_IOU) & (cells >= 0).all(-1) & (cells < limit).all(-1)
    reachable[:, 0] = (cells[:, 0] >= 0).all(-1) & (cells[:, 0] < limit).all(-1)
    ratio = boxes[:, None, 2:] / grid.anchors.to(boxes.device)[None]
    alike = torch.maximum(ratio, 1 / ratio).amax(dim=-1) <= SHAPE_RATIO  # (G, A)
    person, step, anchor = (reachable[:, :, None] & alike[:, None, :]).nonzero(as_tuple=True)
    cell = cells[person, step]
    return Assignment(image[person], anchor, cell[:, 1], cell[:, 0], boxes[person])


def ciou(boxes: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """(CIoU, IoU) of row-wise pairs of boxes, both (K, 4) as cx cy w h."""
    low_b, high_b = boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2
    low_t, high_t = targets[:, :2] - targets[:, 2:] / 2, targets[:, :2] + targets[:, 2:] / 2
    common = (torch.minimum(high_b, high_t) - torch.maximum(low_b, low_t)).clamp(min=0).prod(-1)
    union = boxes[:, 2:].prod(-1) + targets[:, 2:].prod(-1) - common
    iou = common / (union + 1e-7)
    hull = torch.maximum(high_b, high_t) - torch.minimum(low_b, low_t)
    distance = (boxes[:, :2] - targets[:, :2]).square().sum(-1) / (hull.square().sum(-1) + 1e-7)
    angle = torch.atan(targets[:, 2] / targets[:, 3]) - torch.atan(boxes[:, 2] / boxes[:, 3])
    shape = 4 / math.pi**2 * angle.square()
    with torch.no_grad():
        weight = shape / (1 - iou + shape + 1e-7)
    return iou - distance - weight * shape, iou


def detection_loss(outputs: Sequence[Tensor], grids: Sequence[Grid], persons: Tensor, ignored: Tensor) -> Tensor:
    """The loss of a batch, per answer asked for.

    outputs: the raw grids; persons, ignored: (N, P, 4) and (N, Q, 4) corners in network pixels, unused rows without area.
    """
    parts = [_grid_loss(raw.float(), grid, persons, ignored) for raw, grid in zip(outputs, grids, strict=True)]
    answers = sum(part.answers for part in parts)
    total = sum(BOX * part.box + OBJECTNESS * part.objectness + PERSON * part.person for part in parts)
    return total / max(answers, 1)  # type: ignore[return-value]


@dataclass(frozen=True)
class GridLoss:
    """Sums over one grid, and how many answers they are for."""

    box: Tensor
    objectness: Tensor
    person: Tensor
    answers: int


def _grid_loss(raw: Tensor, grid: Grid, persons: Tensor, ignored: Tensor) -> GridLoss:
    decoded, objectness, person = decode(raw, grid)
    image, row = _used(persons).nonzero(as_tuple=True)
    boxes = _centre_size(persons[image, row])
    found = assign(boxes, image, grid, rows=raw.shape[2], columns=raw.shape[3])
    at = (found.image, found.anchor, found.row, found.column)
    complete, overlap = ciou(decoded[at], found.target)
    target = _best_overlap(objectness.shape, at, overlap.detach())
    asked = _asked(decoded.detach(), persons, ignored)
    asked[at] = True
    losses = functional.binary_cross_entropy_with_logits(objectness, target, reduction="none")
    # Easy answers, most of the background, count a quarter (after Li et al., Generalized Focal Loss, 2020).
    focus = 0.25 + 0.75 * (target - objectness.detach().sigmoid()).abs()
    return GridLoss(
        box=(1 - complete).sum(),
        objectness=(losses * focus * asked).sum(),
        person=functional.softplus(-person[at]).sum(),
        answers=len(overlap),
    )


def _best_overlap(shape: torch.Size, at: tuple[Tensor, ...], overlap: Tensor) -> Tensor:
    """The target of objectness: zero, and at each answer the best overlap that one of its persons gets."""
    target = torch.zeros(shape, device=overlap.device)
    flat = ((at[0] * shape[1] + at[1]) * shape[2] + at[2]) * shape[3] + at[3]
    target.view(-1).scatter_reduce_(0, flat, overlap, reduce="amax")
    return target


def _asked(decoded: Tensor, persons: Tensor, ignored: Tensor) -> Tensor:
    """(N, A, gh, gw) bool: where an unassigned answer should say "nobody" (False: it is left alone)."""
    # Image by image: one has far fewer persons than the batch has room for.
    asked = [
        ~(_over_person(boxes, mine[_used(mine)]) | _in_ignored(boxes, quiet[_used(quiet)]))
        for boxes, mine, quiet in zip(decoded.flatten(1, -2), persons, ignored, strict=True)
    ]
    return torch.stack(asked).view(decoded.shape[:-1])


def _over_person(boxes: Tensor, persons: Tensor) -> Tensor:
    """(M,) bool: overlaps somebody by more than DUPLICATE_IOU. boxes: (M, 4) cx cy w h; persons: (P, 4) corners."""
    common, area, area_of_person = _pairwise(boxes, persons)
    return (common > DUPLICATE_IOU * (area + area_of_person - common)).any(-1)


def _in_ignored(boxes: Tensor, ignored: Tensor) -> Tensor:
    """(M,) bool: lies in a region to ignore. boxes: (M, 4) cx cy w h; ignored: (Q, 4) corners."""
    common, area, _ = _pairwise(boxes, ignored)
    return (common > IGNORE_SHARE * area).any(-1)


def _used(corners: Tensor) -> Tensor:
    """(N, P) bool: the rows that hold a box."""
    return (corners[..., 2] > corners[..., 0]) & (corners[..., 3] > corners[..., 1])


def _pairwise(boxes: Tensor, corners: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Common area (M, P) of (M, 4) cx cy w h with (P, 4) x1 y1 x2 y2, and both areas, (M, 1) and (P,)."""
    low, high = boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2
    common = torch.minimum(high[:, None], corners[:, 2:]) - torch.maximum(low[:, None], corners[:, :2])
    area = boxes[:, 2:].prod(-1)[:, None]
    return common.clamp(min=0).prod(-1), area, (corners[:, 2:] - corners[:, :2]).prod(-1)


def _centre_size(corners: Tensor) -> Tensor:
    return torch.cat([(corners[:, :2] + corners[:, 2:]) / 2, corners[:, 2:] - corners[:, :2]], dim=1)

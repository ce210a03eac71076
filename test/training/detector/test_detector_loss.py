# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Which cells answer for whom, and the loss of boxes and scores, checked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from pose_resnet_ros.core.detector_heads import decode_yolov3  # noqa: E402
from pose_resnet_ros.core.types import InputSpec, YoloScale  # noqa: E402
from pose_resnet_ros.models.spec import DetectorSpec  # noqa: E402
from training.detector.loss import Grid, assign, ciou, decode, detection_loss  # noqa: E402

GRID = Grid(16, torch.tensor([[16.0, 32.0], [64.0, 64.0]]))


def _answers(box: list[float]) -> set[tuple[int, int, int]]:
    """(anchor, row, column) that answer for a box (cx, cy, w, h) on a grid of 6 rows and 8 columns."""
    found = assign(torch.tensor([box]), torch.tensor([0]), GRID, rows=6, columns=8)
    return set(zip(found.anchor.tolist(), found.row.tolist(), found.column.tolist(), strict=True))


def test_the_cell_of_the_centre_answers_with_the_anchor_alike() -> None:
    # Centre (40, 40) lies in the middle of cell (2, 2). Moved half a cell (8 px) sideways, a 14 px wide box overlaps
    # (14 - 8) / (14 + 8) = 0.27, and 8 px up or down, a 30 px tall one 22 / 38 = 0.58: no neighbour answers.
    assert _answers([40, 40, 14, 30]) == {(0, 2, 2)}


def test_neighbours_answer_when_their_best_box_still_fits() -> None:
    # Centre (46, 40): 2 px from the cell to the right (12 / 16 = 0.75 fits), 14 px from the one on the left.
    assert _answers([46, 40, 14, 30]) == {(0, 2, 2), (0, 2, 3)}
    # 64 px: 8 px away, (64 - 8) / (64 + 8) = 0.78, in all four directions; the other anchor is 4 times narrower.
    assert _answers([40, 40, 64, 64]) == {(1, 2, 2), (1, 1, 2), (1, 3, 2), (1, 2, 1), (1, 2, 3)}


def test_both_anchors_may_answer() -> None:
    # 32 x 40 is within 2.5 times of 16 x 32 and of 64 x 64.
    assert {anchor for anchor, _, _ in _answers([40, 40, 32, 40])} == {0, 1}


def test_nobody_answers_outside_the_grid_or_for_another_shape() -> None:
    assert _answers([140, 40, 14, 30]) == set()  # 8 columns of 16 px end at 128, too far away
    assert _answers([40, 40, 200, 10]) == set()
    assert all(0 <= row < 6 and 0 <= column < 8 for _, row, column in _answers([2, 2, 64, 64]))


def test_no_persons_no_answers() -> None:
    found = assign(torch.zeros(0, 4), torch.zeros(0, dtype=torch.long), GRID, rows=6, columns=8)
    assert len(found.target) == 0


def test_ciou_by_hand() -> None:
    # Same box: 1. Shifted by half its width: IoU 1/3, centres 5 apart, hull 15 x 10 with diagonal^2 = 325.
    boxes = torch.tensor([[5.0, 5.0, 10.0, 10.0], [10.0, 5.0, 10.0, 10.0], [5.0, 5.0, 10.0, 20.0]])
    target = torch.tensor([[5.0, 5.0, 10.0, 10.0]]).expand(3, 4)
    complete, overlap = ciou(boxes, target)
    np.testing.assert_allclose(overlap, [1, 1 / 3, 0.5], atol=1e-5)
    shape = 4 / math.pi**2 * (math.atan(1) - math.atan(0.5)) ** 2
    weight = shape / (1 - 0.5 + shape)
    np.testing.assert_allclose(complete, [1, 1 / 3 - 25 / 325, 0.5 - weight * shape], atol=1e-5)


def test_training_decodes_as_the_package_does() -> None:
    raw = torch.from_numpy(np.random.default_rng(0).normal(size=(1, 12, 6, 8)).astype(np.float32))
    boxes, objectness, person = decode(raw, GRID)
    scores = (objectness.sigmoid() * person.sigmoid()).flatten()
    order = scores.argsort(descending=True)[:5]
    centre_size = boxes.reshape(-1, 4)[order]
    spec = DetectorSpec(
        name="x",
        input=InputSpec(width=128, height=96, channel_order="rgb", scale=1.0),
        letterbox="darknet",
        decoder="yolov3",
        scales=(YoloScale(16, ((16.0, 32.0), (64.0, 64.0))),),
    )
    found = decode_yolov3([raw.numpy()], spec=spec, threshold=0.0)
    best = np.argsort(-found.scores)[:5]
    np.testing.assert_allclose(found.scores[best], scores[order], atol=1e-5)
    half = centre_size[:, 2:] / 2
    corners = torch.cat([centre_size[:, :2] - half, centre_size[:, :2] + half], dim=1)
    np.testing.assert_allclose(found.boxes_xyxy[best], corners, atol=0.01)


def _raw(*, objectness: float) -> torch.Tensor:
    """Boxes of the anchors' size in the middle of each cell, all with this objectness logit, surely persons."""
    values = torch.zeros(1, 2, 6, 6, 8)
    values[:, :, 4], values[:, :, 5] = objectness, 20.0
    return values.reshape(1, 12, 6, 8)


def test_regions_to_ignore_are_not_background() -> None:
    nobody, everywhere = torch.zeros(1, 1, 4), torch.tensor([[[-200.0, -200.0, 400.0, 400.0]]])
    confident = _raw(objectness=4.0)
    assert float(detection_loss([confident], [GRID], nobody, nobody)) > 100
    assert float(detection_loss([confident], [GRID], nobody, everywhere)) == 0.0


def test_objectness_aims_at_the_overlap() -> None:
    # One person, exactly the box of anchor 1 in cell (2, 2): with everything else ignored, only the own cell and its four
    # neighbours count, whose boxes lie 16 px off: overlap (64 - 16) / (64 + 16) = 0.6.
    person, everywhere = (torch.tensor([[[8.0, 8.0, 72.0, 72.0]]]), torch.tensor([[[-200.0, -200.0, 400.0, 400.0]]]))

    def loss(own: float, neighbours: float) -> float:
        raw = _raw(objectness=-10.0).reshape(1, 2, 6, 6, 8)
        for row, column in ((1, 2), (3, 2), (2, 1), (2, 3)):
            raw[0, 1, 4, row, column] = neighbours
        raw[0, 1, 4, 2, 2] = own
        return float(detection_loss([raw.reshape(1, 12, 6, 8)], [GRID], person, everywhere))

    fitting = math.log(0.6 / 0.4)
    assert loss(8.0, fitting) < loss(0.0, fitting)
    assert loss(8.0, fitting) < loss(8.0, fitting + 1.0)
    assert loss(8.0, fitting) < loss(8.0, fitting - 1.0)


def test_a_person_on_no_grid_costs_nothing_more() -> None:
    thin, nobody = torch.tensor([[[0.0, 0.0, 100.0, 4.0]]]), torch.zeros(1, 1, 4)
    quiet = _raw(objectness=-5.0)
    assert float(detection_loss([quiet], [GRID], thin, nobody)) == float(detection_loss([quiet], [GRID], nobody, nobody))

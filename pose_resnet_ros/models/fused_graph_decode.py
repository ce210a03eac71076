# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The decoders of heatmaps as nodes of the fused graph; ``core.heatmaps`` stays the reference."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from pose_resnet_ros.core.heatmaps import DARK_KERNELS, longest_step, smoothing
from pose_resnet_ros.models.fused_graph_nodes import Nodes
from pose_resnet_ros.models.spec import PoseSpec

# Places in the 5 x 5 cells around a peak, in reading order: each pair is what belongs to x and to y.
_CENTRE, _NEXT, _PREVIOUS, _SECOND_NEXT, _SECOND_PREVIOUS = (12, 12), (13, 17), (11, 7), (14, 22), (10, 2)
_SAME_SIGNS, _OTHER_SIGNS = (18, 6), (8, 16)  # lower right and upper left; upper right and lower left


def decoded(g: Nodes, spec: PoseSpec, heatmaps: str, heatmap_shape: tuple[int, int, int], *, scores_name: str) -> str:
    """(N, K, 2) points in crop pixels; the scores (N, K) become the output of that name.

    heatmaps: name of (N, K, Hh, Wh); heatmap_shape: K, Hh, Wh.

    ArgMax and TopK guarantee no order of equal values on every provider: the first peak in reading order is the one with the
    largest number when cells are numbered backwards.
    """
    _, height, width = heatmap_shape
    cells = width * height
    peak = g.add("GlobalMaxPool", heatmaps)
    backwards = g.floats(cells - np.arange(cells).reshape(1, 1, height, width))
    lower = g.add("Less", heatmaps, peak)  # never so for NaN: some cell is always chosen
    chosen = g.add("GlobalMaxPool", g.add("Where", lower, g.floats(0), backwards))
    place = g.add("Reshape", g.add("Sub", g.floats(cells), chosen), g.integers([0, 0, 1]))
    row = g.add("Floor", g.add("Div", g.add("Add", place, g.floats(0.5)), g.floats(width)))
    column = g.add("Sub", place, g.add("Mul", row, g.floats(width)))
    cell = g.add("Concat", column, row, axis=2)
    if spec.decoder in DARK_KERNELS:
        step = _dark_steps(g, DARK_KERNELS[spec.decoder], heatmaps, cell, (width, height))
    else:
        step = _quarter_steps(g, spec.decoder, heatmaps, place, cell, (width, height))
    shifted = g.add("Add", cell, step)
    scores = g.add("Reshape", peak, g.integers([0, -1]))
    g.add("Where", g.add("IsNaN", scores), g.floats(0), scores, output=scores_name)
    return g.add("Mul", shifted, g.floats([spec.input.width / width, spec.input.height / height]))


def _quarter_steps(g: Nodes, decoder: str, heatmaps: str, place: str, cell: str, heatmap_wh: tuple[int, int]) -> str:
    """(N, K, 2): ``core.heatmaps.microsoft_offsets`` or ``mmpose_offsets``."""
    width, height = heatmap_wh
    flat = g.add("Reshape", heatmaps, g.integers([0, 0, -1]))
    beside = g.add("Add", place, g.floats([1, width, -1, -width]))  # right, below, left, above
    # Kept in the map; where that changes a neighbour, its slope is not used.
    beside = g.add("Max", g.add("Min", beside, g.floats(width * height - 1)), g.floats(0))
    values = g.add("GatherElements", flat, g.add("Cast", beside, to=TensorProto.INT64), axis=2)
    higher, lower = g.gather(values, (0, 1), axis=2), g.gather(values, (2, 3), axis=2)
    uphill, downhill = g.add("Greater", higher, lower), g.add("Less", higher, lower)  # neither, for NaN
    swapped = _swapped(g, cell)
    last = g.floats([width - 1, height - 1])
    inside = g.add("And", g.add("Greater", cell, g.floats(1)), g.add("Less", cell, last))
    if decoder == "microsoft":
        other = g.add("Less", swapped, g.floats([height - 1, width - 1]))
        other = g.add("And", other, g.add("Greater", swapped, g.floats(1)))
    else:
        other = g.add("Greater", swapped, g.floats(0))
    inside = g.add("And", inside, other)
    up, down = (g.add("Cast", g.add("And", way, inside), to=TensorProto.FLOAT) for way in (uphill, downhill))
    return g.add("Mul", g.add("Sub", up, down), g.floats(0.25))


def _dark_steps(g: Nodes, kernel: int, heatmaps: str, cell: str, heatmap_wh: tuple[int, int]) -> str:
    """(N, K, 2): ``core.heatmaps.dark_offsets``.

    Where the smoothed map is not positive, its log makes the step NaN or infinite.
    """
    log = g.add("Log", _smoothed(g, kernel, heatmaps, cell, heatmap_wh))
    slope = g.add("Sub", g.gather(log, _NEXT, axis=2), g.gather(log, _PREVIOUS, axis=2))
    slope = g.add("Mul", slope, g.floats(0.5))
    around = g.add("Add", g.gather(log, _SECOND_NEXT, axis=2), g.gather(log, _SECOND_PREVIOUS, axis=2))
    centre = g.add("Mul", g.gather(log, _CENTRE, axis=2), g.floats(0.5))
    curvature = g.add("Sub", g.add("Mul", around, g.floats(0.25)), centre)
    half = g.add("Sub", g.gather(log, _SAME_SIGNS, axis=2), g.gather(log, _OTHER_SIGNS, axis=2))
    mixed = g.add("Mul", g.add("Add", half, _swapped(g, half)), g.floats(0.25))  # the same for x and y
    other_curvature = _swapped(g, curvature)
    determinant = g.add("Sub", g.add("Mul", curvature, other_curvature), g.add("Mul", mixed, mixed))
    adjugate = g.add("Sub", g.add("Mul", mixed, _swapped(g, slope)), g.add("Mul", other_curvature, slope))
    step = g.add("Div", adjugate, determinant)
    allowed = g.add("And", _short(g, step, longest_step(kernel)), _inside(g, cell, heatmap_wh))
    return g.add("Where", allowed, step, g.floats(0))


def _smoothed(g: Nodes, kernel: int, heatmaps: str, cell: str, heatmap_wh: tuple[int, int]) -> str:
    """(N, K, 25): the smoothed map at the 5 x 5 cells around each peak."""
    column, row = (
        g.add("Cast", g.add("Reshape", g.gather(cell, (axis,), axis=2), g.integers([0, -1])), to=TensorProto.INT64)
        for axis in (0, 1)
    )
    across = smoothing(heatmap_wh[0], kernel).swapaxes(1, 2)
    rows = g.add("MatMul", g.add("Gather", g.floats(smoothing(heatmap_wh[1], kernel)), row, axis=0), heatmaps)
    near = g.add("MatMul", rows, g.add("Gather", g.floats(across), column, axis=0))
    return g.add("Reshape", near, g.integers([0, 0, 25]))


def _short(g: Nodes, step: str, limit: float) -> str:
    """(N, K, 2) bool: the step's length is below the limit; never so for NaN."""
    squares = g.add("Mul", step, step)
    return g.add("Less", g.add("Add", squares, _swapped(g, squares)), g.floats(limit**2))


def _inside(g: Nodes, cell: str, heatmap_wh: tuple[int, int]) -> str:
    """(N, K, 2) bool: at least two cells from the border, along both axes."""
    last = g.floats([heatmap_wh[0] - 2, heatmap_wh[1] - 2])
    room = g.add("Min", g.add("Sub", cell, g.floats(1)), g.add("Sub", last, cell))
    return g.add("Greater", g.add("Min", room, _swapped(g, room)), g.floats(0))


def _swapped(g: Nodes, pairs: str) -> str:
    """(N, K, 2) with x and y exchanged."""
    return g.gather(pairs, (1, 0), axis=2)

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Composes crops, pose network and decoding into one ONNX graph: frame and boxes in, keypoints out.

The rules are those of ``core.crops.topdown``, ``core.heatmaps`` and ``core.crops.to_image``, which stay the reference; the
only difference is that crops are not rounded to whole grey levels. Only operators that onnxruntime's CUDA provider has for
uint8 or float32 are used (1.23 has no RoiAlign of opset 16), and no shape is computed: a shape lives in host memory, and one
copy back to the device forbids CUDA graphs. So the frame's size comes in as an input of its own.

Imported only when a graph is composed: the onnx package is optional.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import TensorProto, compose, helper, version_converter

from pose_resnet_ros.models.fused_graph_decode import decoded
from pose_resnet_ros.models.fused_graph_nodes import Nodes
from pose_resnet_ros.models.spec import PoseSpec

FRAME, FRAME_WH, BOXES = "frame", "frame_wh", "boxes_xyxy"
KEYPOINTS, SCORES = "keypoints_xy", "scores"
NETWORK_PREFIX = "network."
# GridSample exists since 16. onnxruntime's CUDA provider has no kernel for that of 20 (1.23), and none for MaxPool of 22 (1.31).
_OPSETS = range(16, 20)
_OPSET = 17  # others are converted to it
_OLDEST_IR = 8


def compose_fused_graph(
    network: onnx.ModelProto, spec: PoseSpec, *, heatmap_shape: tuple[int, int, int], flip_order: Sequence[int] | None = None
) -> onnx.ModelProto:
    """The whole path as one model.

    network: one input (N, 3, h, w), its first output the heatmaps (N, K, Hh, Wh), N free; spec: with a decoder of
    ``fused_graph.DECODERS`` and crop ``topdown``; heatmap_shape: K, Hh, Wh; flip_order: the skeleton's, for the flip test.
    Inputs: ``frame`` (H, W, 3) uint8 BGR, ``frame_wh`` (2,) float32 (W, H), ``boxes_xyxy`` (N, 4) float32, valid, N >= 1.
    Outputs: ``keypoints_xy`` (N, K, 2) float32 in image pixels, ``scores`` (N, K) float32.
    """
    network = _prepared(network)
    heatmaps = network.graph.output[0].name
    g = Nodes()
    origin, step = _view(g, spec)
    crops = _crops(g, spec, origin, step)
    if flip_order is not None:
        crops = g.add("Concat", crops, g.gather(crops, range(spec.input.width)[::-1], axis=3), axis=0)
    g.add("Identity", crops, output=network.graph.input[0].name)
    before = g.taken()
    if flip_order is not None:
        heatmaps = _merged(g, heatmaps, flip_order, heatmap_shape)
    points = decoded(g, spec, heatmaps, heatmap_shape, scores_name=SCORES)
    _to_image(g, points, origin, step)
    return _assembled(network, before, g, joints=heatmap_shape[0])


def _view(g: Nodes, spec: PoseSpec) -> tuple[str, str]:
    """Position in the image of crop pixel (0, 0), (N, 2), and image pixels per crop pixel, (N, 1)."""
    width, height = spec.input.width, spec.input.height
    corner, other = g.gather(BOXES, (0, 1), axis=1), g.gather(BOXES, (2, 3), axis=1)
    sides = g.add("Sub", other, corner)
    centre = g.add("Mul", g.add("Add", corner, other), g.floats(0.5))
    across, down = g.gather(sides, (0,), axis=1), g.gather(sides, (1,), axis=1)
    view_width = g.add("Max", across, g.add("Mul", down, g.floats(width / height)))
    step = g.add("Mul", view_width, g.floats(spec.padding / width))
    return g.add("Sub", centre, g.add("Mul", step, g.floats([[width / 2, height / 2]]))), step


def _crops(g: Nodes, spec: PoseSpec, origin: str, step: str) -> str:
    """(N, 3, h, w) normalised crops. The frame is scaled before, the mean subtracted after, so that pixels outside are black.

    GridSample needs one image per grid: all persons' grids are stacked into one tall grid for the frame.
    """
    width, height = spec.input.width, spec.input.height
    std, mean = np.array(spec.input.std), np.array(spec.input.mean)
    planes = g.add("Transpose", FRAME, perm=[2, 0, 1])
    if spec.input.channel_order == "rgb":
        planes = g.gather(planes, (2, 1, 0), axis=0)
    gain = g.floats((spec.input.scale / std).reshape(1, 3, 1, 1))
    pixels = g.add("Mul", g.add("Cast", planes, to=TensorProto.FLOAT), gain)
    grid = g.add("Reshape", _grid(g, origin, step, width, height), g.integers([1, -1, width, 2]))
    tall = g.add("GridSample", pixels, grid, padding_mode="zeros", align_corners=0)
    by_channel = g.add("Reshape", tall, g.integers([3, -1, height, width]))
    crops = g.add("Transpose", by_channel, perm=[1, 0, 2, 3])
    return g.add("Sub", crops, g.floats((mean / std).reshape(1, 3, 1, 1))) if mean.any() else crops


def _grid(g: Nodes, origin: str, step: str, width: int, height: int) -> str:
    """(N, h, w, 2) positions in the frame as GridSample counts them: pixel centre x lies at (2x + 1) / W - 1."""
    columns, rows = np.zeros((1, 1, width, 2)), np.zeros((1, height, 1, 2))
    columns[0, 0, :, 0], rows[0, :, 0, 1] = np.arange(width), np.arange(height)
    origin = g.add("Reshape", origin, g.integers([-1, 1, 1, 2]))
    step = g.add("Reshape", step, g.integers([-1, 1, 1, 1]))
    unit = g.add("Div", g.floats(2), FRAME_WH)
    along = g.add("Add", g.add("Mul", step, g.floats(columns)), g.add("Add", origin, g.floats(0.5)))
    along = g.add("Sub", g.add("Mul", along, unit), g.floats(1))
    down = g.add("Mul", g.add("Mul", step, g.floats(rows)), unit)
    return g.add("Add", along, down)


def _merged(g: Nodes, heatmaps: str, flip_order: Sequence[int], heatmap_shape: tuple[int, int, int]) -> str:
    """``core.heatmaps.merge_flipped`` of the two halves of a doubled batch."""
    width = heatmap_shape[2]
    halves = g.add("Reshape", heatmaps, g.integers([2, -1, *heatmap_shape]))
    plain, flipped = g.add("Gather", halves, g.integers(0)), g.add("Gather", halves, g.integers(1))
    swapped = g.gather(flipped, flip_order, axis=1)
    # Mirrored back and moved one column to the right; column 0 keeps its value.
    back = g.gather(swapped, [width - 1, *range(width - 1, 0, -1)], axis=3)
    return g.add("Mul", g.add("Add", plain, back), g.floats(0.5))


def _to_image(g: Nodes, points: str, origin: str, step: str) -> None:
    step = g.add("Reshape", step, g.integers([-1, 1, 1]))
    origin = g.add("Reshape", origin, g.integers([-1, 1, 2]))
    g.add("Add", g.add("Mul", points, step), origin, output=KEYPOINTS)


def _prepared(network: onnx.ModelProto) -> onnx.ModelProto:
    """A copy at an opset that runs on CUDA as a whole, with a prefix on its names."""
    opset = next(entry.version for entry in network.opset_import if entry.domain in ("", "ai.onnx"))
    if opset not in _OPSETS:
        network = version_converter.convert_version(network, _OPSET)
    return compose.add_prefix(network, NETWORK_PREFIX)


def _assembled(network: onnx.ModelProto, before: Sequence[onnx.NodeProto], after: Nodes, *, joints: int) -> onnx.ModelProto:
    """``network`` with our nodes before and after; its recorded shapes are removed, since its batch may be doubled."""
    graph = network.graph
    nodes = [*before, *graph.node, *after.taken()]
    for field in ("node", "input", "output", "value_info"):
        graph.ClearField(field)
    graph.node.extend(nodes)
    graph.initializer.extend(after.constants)
    graph.input.append(helper.make_tensor_value_info(FRAME, TensorProto.UINT8, ["height", "width", 3]))
    graph.input.append(helper.make_tensor_value_info(FRAME_WH, TensorProto.FLOAT, [2]))
    graph.input.append(helper.make_tensor_value_info(BOXES, TensorProto.FLOAT, ["persons", 4]))
    graph.output.append(helper.make_tensor_value_info(KEYPOINTS, TensorProto.FLOAT, ["persons", joints, 2]))
    graph.output.append(helper.make_tensor_value_info(SCORES, TensorProto.FLOAT, ["persons", joints]))
    network.ir_version = max(network.ir_version, _OLDEST_IR)
    return network

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""ONNX files with known answers: heatmaps with given peaks, grids with given persons, and networks that misbehave."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from pose_resnet_ros.core.types import InputSpec, YoloScale
from pose_resnet_ros.models.spec import METADATA_KEY, DetectorSpec, PoseSpec, Spec, spec_to_json

PIXELS_256X192 = InputSpec(192, 256, "rgb", 1 / 255)
POSE_SPEC = PoseSpec("known_pose", PIXELS_256X192, decoder="microsoft", skeleton="coco17")
# One anchor for each grid; the input is square and small.
DETECTOR_SPEC = DetectorSpec(
    "known_detector",
    InputSpec(64, 64, "rgb", 1 / 255),
    letterbox="darknet",
    decoder="yolov3",
    scales=(YoloScale(32, ((32.0, 48.0),)), YoloScale(16, ((16.0, 24.0),))),
)


def save(
    path: Path,
    nodes: Sequence[onnx.NodeProto],
    *,
    inputs: dict[str, Sequence[int | str]],
    outputs: Sequence[str],
    constants: dict[str, np.ndarray] | None = None,
    spec: Spec | None = None,
    types: dict[str, int] | None = None,
) -> Path:
    """Write a graph; a size given as a text is free. The outputs' shapes are left open. types: of what is not float32."""

    def value(name: str, shape: Sequence[int | str] | None) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, (types or {}).get(name, TensorProto.FLOAT), shape)

    graph = helper.make_graph(
        list(nodes),
        "known",
        [value(name, shape) for name, shape in inputs.items()],
        [value(name, None) for name in outputs],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in (constants or {}).items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    if spec is not None:
        helper.set_model_props(model, {METADATA_KEY: spec_to_json(spec)})
    onnx.save(model, path)
    return path


def constant_answers(
    path: Path, answers: dict[str, np.ndarray], *, spec: Spec | None, wh: tuple[int, int] | None = None, batch: int | str = "n"
) -> Path:
    """A network that gives (1, ...) ``answers`` for each input, whatever is in it (its mean times zero is added).

    wh: the input's size, where it is not to be the spec's.
    """
    nodes = [
        helper.make_node("ReduceMean", ["input"], ["mean"], axes=[1, 2, 3], keepdims=1),
        helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
    ]
    constants: dict[str, np.ndarray] = {"zero": np.zeros(1, np.float32)}
    for name, answer in answers.items():
        # The mean has four axes; an answer of three loses one of them first.
        source = "nothing"
        if answer.ndim == 3:
            source = f"nothing_{name}"
            constants[f"axes_{name}"] = np.array([3])
            nodes.append(helper.make_node("Squeeze", ["nothing", f"axes_{name}"], [source]))
        constants[f"answer_{name}"] = answer.astype(np.float32)
        nodes.append(helper.make_node("Add", [f"answer_{name}", source], [name]))
    width, height = wh or ((spec.input.width, spec.input.height) if spec else (8, 8))
    inputs = {"input": (batch, 3, height, width)}
    return save(path, nodes, inputs=inputs, outputs=list(answers), constants=constants, spec=spec)


def heatmaps_with_peaks(
    peaks_xy: Sequence[tuple[int, int]], *, width: int = 48, height: int = 64, score: float = 0.9
) -> np.ndarray:
    """(1, K, height, width): ``score`` at each peak, half of it on the cell to its right and on the one below."""
    heatmaps = np.zeros((1, len(peaks_xy), height, width), np.float32)
    for joint, (x, y) in enumerate(peaks_xy):
        heatmaps[0, joint, y, x] = score
        heatmaps[0, joint, y, x + 1] = heatmaps[0, joint, y + 1, x] = score / 2
    return heatmaps


# Joint k has its peak at cell (10 + k, 30 + k): decoded, with the quarter cell towards the higher neighbours, 0.25 further.
PEAKS_XY = [(10 + joint, 30 + joint) for joint in range(17)]


def pose_net(path: Path, *, spec: PoseSpec = POSE_SPEC, batch: int | str = "n", score: float = 0.9) -> Path:
    """A pose network whose every heatmap peaks at ``PEAKS_XY``."""
    return constant_answers(path, {"heatmaps": heatmaps_with_peaks(PEAKS_XY, score=score)}, spec=spec, batch=batch)


def yolo_grids(objects: Sequence[tuple[int, int, int, float]], *, spec: DetectorSpec = DETECTOR_SPEC) -> dict[str, np.ndarray]:
    """Raw grids with persons (scale, column, row, objectness logit), each centred in its cell and as large as the anchor."""
    grids = {}
    for index, scale in enumerate(spec.scales):
        shape = (1, 6, spec.input.height // scale.stride, spec.input.width // scale.stride)
        grid = np.zeros(shape, np.float32)
        grid[:, 4] = -20.0
        grid[:, 5] = 20.0  # sure that it is a person, if it is anything
        for at, column, row, logit in objects:
            if at == index:
                grid[0, 4, row, column] = logit
        grids[f"grid{index}"] = grid
    return grids


def detector(path: Path, objects: Sequence[tuple[int, int, int, float]], *, spec: DetectorSpec = DETECTOR_SPEC) -> Path:
    """A detector that always finds ``objects`` (see ``yolo_grids``)."""
    return constant_answers(path, yolo_grids(objects, spec=spec), spec=spec)


# Two persons who overlap for the most part, and another class over the whole image: label, score, box as shares of the image.
RTDETR_FOUND = ((0, 0.9, (0.25, 0.25, 0.5, 0.75)), (0, 0.8, (0.25, 0.25, 0.5, 0.75)), (5, 0.99, (0.0, 0.0, 1.0, 1.0)))


def rtdetr(path: Path, *, side: int = 64, spec: DetectorSpec | None = None) -> Path:
    """A detector with the inputs and outputs of RT-DETR's own export, which always finds ``RTDETR_FOUND``."""
    labels, scores, shares = (np.array(column)[None] for column in zip(*RTDETR_FOUND, strict=True))
    constants = {
        "found_labels": labels, "found_scores": scores.astype(np.float32), "shares": shares.astype(np.float32),
        "zero": np.zeros(1, np.float32), "twice": np.array([1, 2]), "axis": np.array([1]),
    }  # fmt: skip
    nodes = [
        helper.make_node("ReduceMean", ["images"], ["mean"], axes=[2, 3], keepdims=0),
        helper.make_node("ReduceMean", ["mean"], ["grey"], axes=[1], keepdims=1),
        helper.make_node("Mul", ["grey", "zero"], ["nothing"]),
        helper.make_node("Cast", ["nothing"], ["nothing_whole"], to=TensorProto.INT64),
        helper.make_node("Add", ["found_labels", "nothing_whole"], ["labels"]),
        helper.make_node("Add", ["found_scores", "nothing"], ["scores"]),
        helper.make_node("Cast", ["orig_target_sizes"], ["wh"], to=TensorProto.FLOAT),
        helper.make_node("Tile", ["wh", "twice"], ["whwh"]),
        helper.make_node("Unsqueeze", ["whwh", "axis"], ["each"]),
        helper.make_node("Mul", ["shares", "each"], ["boxes"]),
    ]
    return save(
        path,
        nodes,
        inputs={"images": ("N", 3, side, side), "orig_target_sizes": ("N", 2)},
        outputs=["labels", "boxes", "scores"],
        constants=constants,
        spec=spec,
        types={"orig_target_sizes": TensorProto.INT64, "labels": TensorProto.INT64},
    )


def blob_finder(path: Path, *, spec: PoseSpec = POSE_SPEC) -> Path:
    """A pose network whose 17 heatmaps are the first tensor channel, averaged over 4x4 pixels: they peak on a bright spot."""
    kernel = np.zeros((17, 3, 4, 4), np.float32)
    kernel[:, 0] = 1 / 16
    node = helper.make_node("Conv", ["input", "kernel"], ["heatmaps"], strides=[4, 4])
    inputs = {"input": ("n", 3, spec.input.height, spec.input.width)}
    return save(path, [node], inputs=inputs, outputs=["heatmaps"], constants={"kernel": kernel}, spec=spec)


def slow(path: Path, *, steps: int) -> Path:
    """(n, 3, 8, 8) through ``steps`` matrix products one after the other: a tenth of a second each."""
    big = np.full((1500, 1500), 1 / 1500, np.float32)
    nodes = [
        helper.make_node("ReduceMean", ["input"], ["mean"], axes=[1, 2, 3], keepdims=1),
        helper.make_node("Add", ["mean", "big"], ["x0"]),
    ]
    nodes += [helper.make_node("MatMul", [f"x{step}", "big"], [f"x{step + 1}"]) for step in range(steps)]
    return save(path, nodes, inputs={"input": ("n", 3, 8, 8)}, outputs=[f"x{steps}"], constants={"big": big})

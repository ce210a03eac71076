# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""From a detector's raw outputs to people: the named decoders.

Boxes are in **network input pixels**: not yet mapped back to the image (``letterbox.Letterboxed``) and not yet suppressed
(``boxes.nms``). Only the scores of the person class are read, so that a confident dog never suppresses a person. Scores must
exceed the threshold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pose_resnet_ros.core.boxes import xyxy_from_centre_size
from pose_resnet_ros.core.errors import ModelError
from pose_resnet_ros.core.types import Detections, InputSpec, YoloScale


class HeadSpec(Protocol):
    """What a decoder must know of its detector; ``models.spec.DetectorSpec`` is one."""

    @property
    def input(self) -> InputSpec: ...
    @property
    def scales(self) -> tuple[YoloScale, ...]: ...
    @property
    def class_count(self) -> int: ...
    @property
    def person_class(self) -> int: ...


Shape = tuple[int | None, ...]


def _nothing(pixels: InputSpec) -> tuple[tuple[int, ...], ...]:
    return ()


def _unknown(shapes: Sequence[Shape], spec: HeadSpec) -> int | None:
    return None


@dataclass(frozen=True)
class DetectorDecoder:
    """How to read the outputs of a detector, and what it needs beside the image.

    decode: (outputs for one image, spec=, threshold=) -> Detections in network input pixels; raises ModelError, IndexError or
    ValueError for outputs that do not fit the description.
    further_inputs: from the network input's description to the values of each input after the image, for one image; they are
    passed in the type that the file declares.
    class_count: (the outputs' declared shapes, with None for a free size; the description) -> the number of classes, or None if
    the shapes do not show it.
    needs_nms: the outputs can hold several boxes of one person.
    """

    decode: Callable[..., Detections]
    further_inputs: Callable[[InputSpec], tuple[tuple[int, ...], ...]] = _nothing
    class_count: Callable[[Sequence[Shape], HeadSpec], int | None] = _unknown
    needs_nms: bool = True


def decode_yolov3(outputs: Sequence[np.ndarray], *, spec: HeadSpec, threshold: float) -> Detections:
    """Darknet's YOLOv3 layers before any activation.

    outputs: one (1, A * (5 + C), gh, gw) grid for each of ``spec.scales``, with the channels a * (5 + C) + {0: x, 1: y, 2: w,
    3: h, 4: objectness, 5...: classes}. Cells whose objectness is not above the threshold are skipped first.
    Source: darknet, src/yolo_layer.c. Raises ModelError if the outputs are not those of ``spec.scales``.
    """
    if len(outputs) != len(spec.scales):
        raise ModelError(f"yolov3: expected {len(spec.scales)} output grids, the model gave {len(outputs)}")
    grids = [_yolov3_grid(grid, scale, spec, threshold) for grid, scale in zip(outputs, spec.scales, strict=True)]
    raw, place = (np.concatenate(rows) for rows in zip(*grids, strict=True))
    scores = _sigmoid(raw[:, 4]) * _sigmoid(raw[:, 5 + spec.person_class])
    kept = scores > threshold
    raw, place = raw[kept], place[kept]
    centres = (place[:, :2] + _sigmoid(raw[:, :2])) * place[:, 2:3]
    sizes = _exp(raw[:, 2:4]) * place[:, 3:]
    return _detections(xyxy_from_centre_size(np.concatenate([centres, sizes], axis=1)), scores[kept])


def decode_yolox(outputs: Sequence[np.ndarray], *, spec: HeadSpec, threshold: float) -> Detections:
    """YOLOX's single output (1, A, 5 + C): raw boxes, activated objectness and classes.

    The cells are in reading order, for the strides 8, 16 and 32. Source: YOLOX, yolox/utils/demo_utils.py. Raises ModelError if A
    is not the number of cells at this input size.
    """
    rows = outputs[0][0]
    cells_xy, strides = _yolox_cells(spec.input)
    if rows.shape != (len(strides), 5 + spec.class_count):
        raise ModelError(
            f"yolox: expected output rows of shape {(len(strides), 5 + spec.class_count)} for an input of "
            f"{spec.input.width}x{spec.input.height} pixels, the model gave {rows.shape}"
        )
    scores = rows[:, 4] * rows[:, 5 + spec.person_class]
    kept = np.flatnonzero(scores > threshold)
    centres = (rows[kept, :2] + cells_xy[kept]) * strides[kept, None]
    sizes = _exp(rows[kept, 2:4]) * strides[kept, None]
    return _detections(xyxy_from_centre_size(np.concatenate([centres, sizes], axis=1)), scores[kept])


def decode_yolox_nms(outputs: Sequence[np.ndarray], *, spec: HeadSpec, threshold: float) -> Detections:
    """YOLOX or RTMDet exported with suppression: boxes and scores (1, n, 5) as x1, y1, x2, y2, score; then labels (1, n).

    The labels are only read if the detector has more than one class. Source: rtmlib, object_detection/yolox.py.
    """
    rows = outputs[0][0]
    wanted = rows[:, 4] > threshold
    if spec.class_count > 1 and len(outputs) > 1:
        wanted &= outputs[1][0] == spec.person_class
    return _detections(rows[wanted, :4], rows[wanted, 4])


def decode_onnx_zoo(outputs: Sequence[np.ndarray], *, spec: HeadSpec, threshold: float) -> Detections:
    """The ONNX Model Zoo's YOLOv3 with suppression in the graph: boxes (1, n, 4), scores (1, C, n), indices (m, 3) or (1, m, 3).

    Boxes are y1, x1, y2, x2 in an image of the size (h, w) that the second network input ``image_shape`` states: with the network
    input's own size, they are network input pixels. Rows of indices are (batch, class, box); a negative row ends the list.
    """
    boxes_yxyx, scores = outputs[0][0], outputs[1][0]
    indices = outputs[2].reshape(-1, 3).astype(np.int64)
    ends = np.flatnonzero((indices < 0).any(axis=1))
    if len(ends):
        indices = indices[: ends[0]]
    picked = indices[indices[:, 1] == spec.person_class, 2]
    person_scores = scores[spec.person_class, picked]
    wanted = person_scores > threshold
    return _detections(boxes_yxyx[picked[wanted]][:, [1, 0, 3, 2]], person_scores[wanted])


def decode_rtdetr(outputs: Sequence[np.ndarray], *, spec: HeadSpec, threshold: float) -> Detections:
    """RT-DETR's own export: labels (1, n) integer, boxes (1, n, 4), scores (1, n).

    Boxes are x1, y1, x2, y2 in an image of the size (w, h) that the second network input ``orig_target_sizes`` states: with the
    network input's own size, they are network input pixels. Source: lyuwenyu/RT-DETR, rtdetrv2_pytorch/tools/export_onnx.py and
    src/zoo/rtdetr/rtdetr_postprocessor.py. Raises ModelError for outputs of other shapes.
    """
    shapes = [output.shape for output in outputs]
    if len(shapes) != 3 or shapes[0] != shapes[2] or shapes[1] != (*shapes[2], 4) or outputs[0].dtype.kind not in "iu":
        raise ModelError(f"rtdetr: expected labels (1, n) integer, boxes (1, n, 4), scores (1, n), got {_described(outputs)}")
    labels, boxes, scores = outputs
    wanted = (labels[0] == spec.person_class) & (scores[0] > threshold)
    return _detections(boxes[0][wanted], scores[0][wanted])


def decode_rtdetr_logits(outputs: Sequence[np.ndarray], *, spec: HeadSpec, threshold: float) -> Detections:
    """RT-DETR without its post-processing: logits (1, n, C), boxes (1, n, 4).

    Boxes are centre x, centre y, width and height as fractions of the input. Source: the post-processing named at
    ``decode_rtdetr``; exports of Hugging Face transformers have this form. Raises ModelError for outputs of other shapes.
    """
    shapes = [output.shape for output in outputs[:2]]
    if len(shapes) != 2 or shapes != [(*shapes[1][:2], spec.class_count), (*shapes[0][:2], 4)]:
        expected = f"logits (1, n, {spec.class_count}), boxes (1, n, 4)"
        raise ModelError(f"rtdetr_logits: expected {expected}, got {_described(outputs)}")
    logits, boxes = outputs[:2]
    scores = logits[0, :, spec.person_class].astype(np.float64)
    wanted = scores > _logit(threshold)
    size = (spec.input.width, spec.input.height) * 2
    return _detections(xyxy_from_centre_size(boxes[0][wanted] * size), _sigmoid(scores[wanted]))


def _width_height(pixels: InputSpec) -> tuple[tuple[int, ...], ...]:
    return ((pixels.width, pixels.height),)


def _height_width(pixels: InputSpec) -> tuple[tuple[int, ...], ...]:
    return ((pixels.height, pixels.width),)


def _yolov3_classes(shapes: Sequence[Shape], spec: HeadSpec) -> int | None:
    channels = shapes[0][1] if len(shapes[0]) == 4 and spec.scales else None
    return None if channels is None else channels // len(spec.scales[0].anchors) - 5


def _last_axis(shapes: Sequence[Shape], spec: HeadSpec) -> int | None:
    return shapes[0][2] if len(shapes[0]) == 3 else None


def _yolox_classes(shapes: Sequence[Shape], spec: HeadSpec) -> int | None:
    columns = _last_axis(shapes, spec)
    return None if columns is None else columns - 5


DECODERS: dict[str, DetectorDecoder] = {
    "yolov3": DetectorDecoder(decode_yolov3, class_count=_yolov3_classes),
    "yolox": DetectorDecoder(decode_yolox, class_count=_yolox_classes),
    "yolox_nms": DetectorDecoder(decode_yolox_nms),
    "onnx_zoo": DetectorDecoder(decode_onnx_zoo, further_inputs=_height_width),
    "rtdetr": DetectorDecoder(decode_rtdetr, further_inputs=_width_height, needs_nms=False),
    "rtdetr_logits": DetectorDecoder(decode_rtdetr_logits, further_inputs=_width_height, class_count=_last_axis, needs_nms=False),
}


def _yolov3_grid(grid: np.ndarray, scale: YoloScale, spec: HeadSpec, threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """The M cells above the threshold in objectness: raw (M, 5 + C), and column, row, stride, anchor (M, 5); float64."""
    anchors, channels = np.array(scale.anchors, np.float64), 5 + spec.class_count
    expected = (1, len(anchors) * channels, spec.input.height // scale.stride, spec.input.width // scale.stride)
    if grid.shape != expected:
        raise ModelError(f"yolov3: expected an output of shape {expected} at stride {scale.stride}, got {grid.shape}")
    cells = grid.reshape(len(anchors), channels, *expected[2:])
    anchor, row, column = np.nonzero(cells[:, 4] > _logit(threshold))
    place = np.empty((len(anchor), 5))
    place[:, 0], place[:, 1], place[:, 2], place[:, 3:] = column, row, scale.stride, anchors[anchor]
    return cells[anchor, :, row, column].astype(np.float64), place


def _yolox_cells(spec: InputSpec) -> tuple[np.ndarray, np.ndarray]:
    """Column and row (A, 2) and stride (A,) of every cell, in the order of the output."""
    cells, strides = [], []
    for stride in (8, 16, 32):
        rows, columns = np.mgrid[: spec.height // stride, : spec.width // stride]
        cells.append(np.stack([columns.ravel(), rows.ravel()], axis=1))
        strides.append(np.full(rows.size, stride))
    return np.concatenate(cells), np.concatenate(strides)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def _exp(log_size: np.ndarray) -> np.ndarray:
    """exp, capped where only a broken network goes, so that the area of the box stays finite in float32."""
    return np.exp(np.minimum(log_size.astype(np.float64), 20.0))


def _logit(probability: float) -> float:
    """The raw value whose sigmoid is ``probability``; minus infinity at 0, infinity at 1."""
    with np.errstate(divide="ignore"):
        return float(np.log(np.float64(probability)) - np.log1p(-np.float64(probability)))


def _detections(boxes_xyxy: np.ndarray, scores: np.ndarray) -> Detections:
    return Detections(boxes_xyxy.astype(np.float32), scores.astype(np.float32))


def _described(outputs: Sequence[np.ndarray]) -> str:
    return ", ".join(f"{output.shape} {output.dtype}" for output in outputs)

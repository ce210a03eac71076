# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Device buffers for a graph from frame to keypoints, kept from frame to frame.

The number of persons is padded to a bucket, so that onnxruntime can record a CUDA graph for each bucket and replay it:
a recording is bound to shapes and addresses.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime as ort

from pose_resnet_ros.core.errors import PoseError
from pose_resnet_ros.core.heatmaps import Points
from pose_resnet_ros.models.runtime import Canceller, guarded_run

BUCKETS = (1, 2, 4, 8, 16, 32, 64)
# Each recording keeps device memory, so only the first frame sizes are recorded. Two of them are those of the
# checks when the model is loaded.
MAX_RECORDED_SIZES = 5


def buckets_for(max_batch: int) -> tuple[int, ...]:
    """The batch sizes for runs of at most ``max_batch`` persons."""
    largest = min(max_batch, BUCKETS[-1])
    return (*(size for size in BUCKETS if size < largest), largest)


@dataclass(frozen=True)
class Device:
    """The device of the buffers; name: ``cpu`` or ``cuda``."""

    name: str
    number: int

    def buffer(self, shape: Sequence[int], dtype: type[np.generic]) -> ort.OrtValue:
        number = self.number if self.name == "cuda" else 0
        return ort.OrtValue.ortvalue_from_shape_and_type(list(shape), dtype, self.name, number)


@dataclass(frozen=True)
class _Bound:
    """Bound buffers for one bucket; recording: the number of its CUDA graph, -1 for none."""

    binding: ort.IOBinding
    boxes: ort.OrtValue
    outputs: tuple[ort.OrtValue, ort.OrtValue]
    recording: int


class BoundSession:
    """One composed session and its buffers, which are kept while the frame's size stays. Use it from one thread.

    recorded: it keeps CUDA graphs, and replays them.
    """

    def __init__(
        self,
        session: ort.InferenceSession,
        *,
        path: Path,
        device: Device,
        joints: int,
        buckets: tuple[int, ...],
        canceller: Canceller,
        recorded: bool,
    ) -> None:
        """session: of a graph by ``fused_graph_compose``; recorded: it was opened with CUDA graphs, one for each bucket."""
        self._session, self._path, self._canceller = session, path, canceller
        self._device, self._joints, self._buckets, self.recorded = device, joints, buckets, recorded
        self._numbers: Iterator[int] = itertools.count(1)
        self._sizes = 0  # frame sizes so far, counted again when one comes back
        self._frame_shape: tuple[int, ...] = ()

    def run(self, image: np.ndarray, boxes_xyxy: np.ndarray) -> Points:
        """As ``FusedGraph.run``."""
        self._take(image)
        largest = self._buckets[-1]
        starts = range(0, len(boxes_xyxy), largest)
        parts = [self._run_bucket(boxes_xyxy[start : start + largest]) for start in starts]
        keypoints, scores = (np.concatenate(rows) for rows in zip(*parts, strict=True))
        return keypoints, scores

    def _take(self, image: np.ndarray) -> None:
        """Copy the frame to the device; a new size gets new buffers."""
        if image.shape != self._frame_shape:
            self._frame_shape = image.shape
            self._frame = self._device.buffer(image.shape, np.uint8)
            self._frame_wh = self._device.buffer((2,), np.float32)
            self._frame_wh.update_inplace(np.array(image.shape[1::-1], np.float32))
            self._bound: dict[int, _Bound] = {}
            self._sizes += 1
        self._frame.update_inplace(np.ascontiguousarray(image))

    def _run_bucket(self, boxes_xyxy: np.ndarray) -> Points:
        count = len(boxes_xyxy)
        size = next(bucket for bucket in self._buckets if bucket >= count)
        if size not in self._bound:
            self._bound[size] = self._bind(size)
        bound = self._bound[size]
        rows = np.minimum(np.arange(size), count - 1)  # repeat the last one to fill the bucket
        bound.boxes.update_inplace(np.ascontiguousarray(boxes_xyxy[rows], np.float32))
        try:
            with guarded_run(self._path, self._canceller) as options:
                if self.recorded:
                    options.add_run_config_entry("gpu_graph_id", str(bound.recording))
                self._session.run_with_iobinding(bound.binding, options)
        except PoseError:
            # onnxruntime 1.23 keeps an incomplete recording as if it were complete: the next run gets another number.
            del self._bound[size]
            raise
        keypoints, scores = (np.array(output.numpy()[:count]) for output in bound.outputs)
        return keypoints, scores

    def _bind(self, size: int) -> _Bound:
        boxes = self._device.buffer((size, 4), np.float32)
        outputs = (
            self._device.buffer((size, self._joints, 2), np.float32),
            self._device.buffer((size, self._joints), np.float32),
        )
        binding = self._session.io_binding()
        for name, value in (("frame", self._frame), ("frame_wh", self._frame_wh), ("boxes_xyxy", boxes)):
            binding.bind_ortvalue_input(name, value)
        for name, value in zip(("keypoints_xy", "scores"), outputs, strict=True):
            binding.bind_ortvalue_output(name, value)
        record = self.recorded and self._sizes <= MAX_RECORDED_SIZES
        return _Bound(binding, boxes, outputs, recording=next(self._numbers) if record else -1)

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The pose network's fast path on a GPU: the frame goes to the device once, keypoints come back.

The graph is composed when the model is loaded (``one_trip_graph.py``), in memory: any file can be used, whoever exported it,
a changed description counts at once, and no second copy on the disk can grow stale. Composing takes a second for 136 MB.

Device buffers are kept from frame to frame, and the number of persons is filled up to a bucket, so that onnxruntime can
record a CUDA graph for each and replay it: a recording is bound to shapes and addresses.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime as ort

from pose_resnet_ros.core.errors import BackendError, ModelError
from pose_resnet_ros.core.heatmaps import Points
from pose_resnet_ros.models.backends import open_composed
from pose_resnet_ros.models.cancel import Canceller
from pose_resnet_ros.models.runtime import OnnxModel, RunOn, guarded_run
from pose_resnet_ros.models.spec import PoseSpec

_log = logging.getLogger(__name__)

BUCKETS = (1, 2, 4, 8, 16, 32, 64)
DECODERS = ("microsoft", "mmpose")
_DEVICES = {"cuda": "cuda", "tensorrt": "cuda"}  # by backend; the others' buffers lie in host memory
# Every recorded graph keeps device memory, so a folder with pictures of many sizes does not have all of them recorded. The
# first size is that of the trial when the model is loaded.
MAX_RECORDED_SIZES = 4


def buckets_for(max_batch: int) -> tuple[int, ...]:
    """The batch sizes that are run when at most ``max_batch`` persons may be run at once."""
    largest = min(max_batch, BUCKETS[-1])
    return (*(size for size in BUCKETS if size < largest), largest)


def obstacle(spec: PoseSpec, network: OnnxModel) -> str | None:
    """Why the network cannot take this path; None where it can."""
    if spec.decoder not in DECODERS:
        return f"decoder '{spec.decoder}' is not in the graph"
    if spec.crop != "topdown":
        return f"crop '{spec.crop}' is not in the graph"
    if network.fixed_batch is not None or len(network.inputs) != 1:
        return "the file has a fixed batch, or more than one input"
    return None


def open_one_trip(
    network: OnnxModel, spec: PoseSpec, *, output: np.ndarray, flip_order: Sequence[int], run_on: RunOn
) -> OneTrip | None:
    """The fast path for an opened network, on the same backend; None, with the reason in the log, where it cannot be had.

    output: what the network gave once, for its shape; flip_order: ``Skeleton.flip_order``.
    """
    reason = obstacle(spec, network)
    if reason is None:
        _, joints, height, width = output.shape
        shape = (joints, height, width)
        try:
            return OneTrip(network, spec, heatmap_shape=shape, flip_order=flip_order, run_on=run_on)
        except ImportError:
            reason = "the onnx package is missing (pip install onnx; the extra [gpu] has it)"
        except (ModelError, BackendError) as error:
            reason = str(error)
    _log.warning("%s: crops and decoding stay on the CPU: %s", network.path.name, reason)
    return None


class OneTrip:
    """Frame and boxes to keypoints in one run. Use it from one thread."""

    def __init__(
        self,
        network: OnnxModel,
        spec: PoseSpec,
        *,
        heatmap_shape: tuple[int, int, int],
        flip_order: Sequence[int],
        run_on: RunOn,
        provider_options: Mapping[str, str] | None = None,
    ) -> None:
        """Compose, open and run it once; arguments as for ``open_one_trip``, provider_options: onnxruntime's, on top of ours.

        Raises ImportError without the onnx package, ModelError and BackendError.
        """
        self._network, self._spec, self._run_on = network, spec, run_on
        self._provider_options = dict(provider_options or {})
        self._heatmap_shape, self._flip_order = heatmap_shape, list(flip_order)
        self._trips = {False: self._open(flip_test=False)}

    def run(self, image: np.ndarray, boxes_xyxy: np.ndarray, *, flip_test: bool = False) -> Points:
        """Keypoints (N, K, 2) float32 in image pixels and scores (N, K) float32.

        image: (H, W, 3) uint8 BGR; boxes_xyxy: (N, 4), sound, N >= 1; the first flip test opens a second session.
        Raises InferenceCancelled, and ModelError where onnxruntime refuses.
        """
        if flip_test not in self._trips:
            self._trips[flip_test] = self._open(flip_test=flip_test)
        return self._trips[flip_test].run(image, boxes_xyxy)

    def close(self) -> None:
        """Free the sessions; it cannot run afterwards."""
        self._trips.clear()

    def _open(self, *, flip_test: bool) -> _Trip:
        model = self._composed(flip_test=flip_test)
        if self._network.grant.backend == "cuda":
            try:
                return self._tried(model, recorded=True)
            except (ModelError, BackendError) as error:
                _log.warning("%s: runs without CUDA graphs: %s", self._network.path.name, error)
        return self._tried(model, recorded=False)

    def _composed(self, *, flip_test: bool) -> bytes:
        import onnx

        from pose_resnet_ros.models.one_trip_graph import compose_one_trip

        order = self._flip_order if flip_test else None
        try:
            network = onnx.load(str(self._network.path))
            model = compose_one_trip(network, self._spec, heatmap_shape=self._heatmap_shape, flip_order=order)
            return model.SerializeToString()
        except Exception as error:  # those of onnx and protobuf share no base class below Exception
            raise ModelError(f"the graph cannot be composed: {str(error).splitlines()[0]}") from error

    def _tried(self, model: bytes, *, recorded: bool) -> _Trip:
        """Opened, and run once on a black picture: what cannot run shall be known now."""
        backend, run_on = self._network.grant.backend, self._run_on
        session = open_composed(
            model,
            path=self._network.path,
            backend=backend,
            device_id=run_on.device_id,
            threads=run_on.threads,
            more={**self._provider_options, **({"enable_cuda_graph": "1"} if recorded else {})},
        )
        device = _Device(_DEVICES.get(backend, "cpu"), run_on.device_id)
        trip = _Trip(
            session,
            path=self._network.path,
            device=device,
            joints=self._heatmap_shape[0],
            buckets=buckets_for(run_on.max_batch),
            canceller=run_on.canceller,
            recorded=recorded,
        )
        trip.run(np.zeros((8, 8, 3), np.uint8), np.array([[1, 1, 7, 7]], np.float32))
        return trip


@dataclass(frozen=True)
class _Device:
    """Where buffers lie; name: cpu or cuda."""

    name: str
    number: int

    def buffer(self, shape: Sequence[int], dtype: type[np.generic]) -> ort.OrtValue:
        number = self.number if self.name == "cuda" else 0
        return ort.OrtValue.ortvalue_from_shape_and_type(list(shape), dtype, self.name, number)


@dataclass(frozen=True)
class _Bound:
    """Buffers for one number of persons, bound; recording: the number of its CUDA graph, -1 for none."""

    binding: ort.IOBinding
    boxes: ort.OrtValue
    outputs: tuple[ort.OrtValue, ort.OrtValue]
    recording: int


class _Trip:
    """One composed session and its buffers, which are kept while the frame's size stays."""

    def __init__(
        self,
        session: ort.InferenceSession,
        *,
        path: Path,
        device: _Device,
        joints: int,
        buckets: tuple[int, ...],
        canceller: Canceller,
        recorded: bool,
    ) -> None:
        self._session, self._path, self._canceller = session, path, canceller
        self._device, self._joints, self._buckets, self._recorded = device, joints, buckets, recorded
        self._numbers: Iterator[int] = itertools.count(1)
        self._sizes = 0  # frame sizes so far, counted again when one comes back
        self._frame_shape: tuple[int, ...] = ()

    def run(self, image: np.ndarray, boxes_xyxy: np.ndarray) -> Points:
        self._take(image)
        largest = self._buckets[-1]
        starts = range(0, len(boxes_xyxy), largest)
        parts = [self._run_bucket(boxes_xyxy[start : start + largest]) for start in starts]
        keypoints, scores = (np.concatenate(rows) for rows in zip(*parts, strict=True))
        return keypoints, scores

    def _take(self, image: np.ndarray) -> None:
        """Bring the frame to the device; another size has new buffers."""
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
        rows = np.minimum(np.arange(size), count - 1)  # the last one again fills the bucket up
        bound.boxes.update_inplace(np.ascontiguousarray(boxes_xyxy[rows], np.float32))
        with guarded_run(self._path, self._canceller) as options:
            if self._recorded:
                options.add_run_config_entry("gpu_graph_id", str(bound.recording))
            self._session.run_with_iobinding(bound.binding, options)
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
        record = self._recorded and self._sizes <= MAX_RECORDED_SIZES
        return _Bound(binding, boxes, outputs, recording=next(self._numbers) if record else -1)

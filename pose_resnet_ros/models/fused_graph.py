# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The pose network's fast path on a GPU: the frame goes to the device once, keypoints come back.

The graph is composed in memory when the model is loaded (``fused_graph_compose.py``), so it works with any file and can never be
outdated. Composing takes a second for 136 MB.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import onnxruntime as ort

from pose_resnet_ros.core.errors import BackendError, ModelError, PoseError
from pose_resnet_ros.core.heatmaps import DARK_KERNELS, Points
from pose_resnet_ros.core.library_setup import logger_of
from pose_resnet_ros.models.backends import open_composed
from pose_resnet_ros.models.fused_graph_buffers import BoundSession, Device, buckets_for
from pose_resnet_ros.models.runtime import OnnxModel, RunOn
from pose_resnet_ros.models.spec import PoseSpec

_log = logger_of(__name__)

# An image and boxes (N, 4) to the persons' keypoints (N, K, 2).
Reference = Callable[[np.ndarray, np.ndarray], np.ndarray]

DECODERS = ("microsoft", "mmpose", *DARK_KERNELS)
_DEVICES = {"cpu": "cpu", "cuda": "cuda"}  # by backend, the device of its buffers
# Older versions keep one recording per session, and replay it for any number of persons.
_FIRST_WITH_RECORDINGS = (1, 18)
_AGREE_PX = 1.0  # for half of the joints: rounding moves few of them, a wrong crop nearly all


def obstacle(spec: PoseSpec, network: OnnxModel) -> str | None:
    """Why the network cannot use this path; None if it can."""
    if network.selected_provider.backend not in _DEVICES:
        # TensorRT, for example, would build an engine for each frame size.
        return f"backend '{network.selected_provider.backend}' runs only the network itself"
    if spec.decoder not in DECODERS:
        return f"decoder '{spec.decoder}' has no version inside a graph"
    if spec.crop != "topdown":
        return f"crop '{spec.crop}' has no version inside a graph"
    if network.fixed_batch is not None or len(network.inputs) != 1:
        return "the file has a fixed batch, or more than one input"
    return None


def open_fused_graph(
    network: OnnxModel, spec: PoseSpec, *, output: np.ndarray, flip_order: Sequence[int], run_on: RunOn, reference: Reference
) -> FusedGraph | None:
    """The fast path for an opened network, on the same backend; None, with the reason in the log, if it cannot be used.

    output: an output of the network, for its shape; flip_order: ``Skeleton.flip_order``; reference: the standard path, with
    which it must agree.
    """
    reason = obstacle(spec, network)
    if reason is None:
        _, joints, height, width = output.shape
        shape = (joints, height, width)
        try:
            fused_graph = FusedGraph(network, spec, heatmap_shape=shape, flip_order=flip_order, run_on=run_on)
            _require_agreement(fused_graph, reference)
            return fused_graph
        except ImportError:
            reason = "the onnx package is missing (pip install onnx; the extra [gpu] has it)"
        except (ModelError, BackendError) as error:
            reason = str(error)
    _log.warning("%s: crops and decoding stay on the CPU: %s", network.path.name, reason)
    return None


class FusedGraph:
    """Frame and boxes to keypoints in one run. Runs from several threads follow one another: they share the buffers."""

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
        """Compose, open and run it once; arguments as for ``open_fused_graph``, provider_options: onnxruntime's, on top of ours.

        Raises ImportError without the onnx package, ModelError and BackendError.
        """
        self._network, self._spec, self._run_on = network, spec, run_on
        self._provider_options = dict(provider_options or {})
        self._heatmap_shape, self._flip_order = heatmap_shape, list(flip_order)
        self._recording = network.selected_provider.backend == "cuda" and _version() >= _FIRST_WITH_RECORDINGS
        self._lock = threading.Lock()
        self._sessions = {False: self._open(flip_test=False)}

    def run(self, image: np.ndarray, boxes_xyxy: np.ndarray, *, flip_test: bool = False) -> Points:
        """Keypoints (N, K, 2) float32 in image pixels and scores (N, K) float32.

        image: (H, W, 3) uint8 BGR; boxes_xyxy: (N, 4), valid, N >= 1; the first flip test opens a second session.
        Raises InferenceCancelled, and ModelError where onnxruntime refuses.
        """
        with self._lock:
            return self._run(image, boxes_xyxy, flip_test)

    def _run(self, image: np.ndarray, boxes_xyxy: np.ndarray, flip_test: bool) -> Points:
        if flip_test not in self._sessions:
            self._sessions[flip_test] = self._open(flip_test=flip_test)
        try:
            return self._sessions[flip_test].run(image, boxes_xyxy)
        except ModelError as error:
            if not self._sessions[flip_test].recorded:
                raise
            self._stop_recording(error)
            self._sessions[flip_test] = self._open(flip_test=flip_test)
        return self._sessions[flip_test].run(image, boxes_xyxy)

    def close(self) -> None:
        """Free the sessions; it cannot run afterwards."""
        self._sessions.clear()

    def _open(self, *, flip_test: bool) -> BoundSession:
        model = self._composed(flip_test=flip_test)
        if self._recording:
            try:
                return self._tried(model, recorded=True)
            except (ModelError, BackendError) as error:
                self._stop_recording(error)
        return self._tried(model, recorded=False)

    def _stop_recording(self, error: PoseError) -> None:
        """Recording is not tried again: another frame size or number of persons would fail as well."""
        self._recording = False
        _log.warning("%s: runs without CUDA graphs: %s", self._network.path.name, error)

    def _composed(self, *, flip_test: bool) -> bytes:
        import onnx

        from pose_resnet_ros.models.fused_graph_compose import compose_fused_graph

        order = self._flip_order if flip_test else None
        try:
            network = onnx.load(str(self._network.path))
            model = compose_fused_graph(network, self._spec, heatmap_shape=self._heatmap_shape, flip_order=order)
            return bytes(model.SerializeToString())
        except Exception as error:  # those of onnx and protobuf share no base class below Exception
            raise ModelError(f"the graph cannot be composed: {str(error).splitlines()[0]}") from error

    def _tried(self, model: bytes, *, recorded: bool) -> BoundSession:
        """Open it and run it once on a black image, so that a failure shows now."""
        backend, run_on = self._network.selected_provider.backend, self._run_on
        session = open_composed(
            model,
            path=self._network.path,
            backend=backend,
            device_id=run_on.device_id,
            threads=run_on.threads,
            more={**self._provider_options, **({"enable_cuda_graph": "1"} if recorded else {})},
        )
        device = Device(_DEVICES[backend], run_on.device_id)
        bound = BoundSession(
            session,
            path=self._network.path,
            device=device,
            joints=self._heatmap_shape[0],
            buckets=buckets_for(run_on.max_batch),
            canceller=run_on.canceller,
            recorded=recorded,
        )
        bound.run(np.zeros((8, 8, 3), np.uint8), np.array([[1, 1, 7, 7]], np.float32))
        return bound


def _require_agreement(fused_graph: FusedGraph, reference: Reference) -> None:
    """Raises ModelError unless most keypoints of two images in a row agree with the standard path's.

    This was never run on a GPU here, so it is checked where it runs: a kernel that computes something else, or a recording
    replayed with an older frame, would give wrong keypoints at full speed.
    """
    boxes_xyxy = np.array([[20, 10, 120, 180], [-30, 40, 90, 260], [100, 30, 240, 150]], np.float32)
    for seed in (0, 1):
        squares = np.random.default_rng(seed).integers(0, 256, (12, 16, 3), np.uint8)
        image = squares.repeat(16, axis=0).repeat(16, axis=1)
        expected = reference(image, boxes_xyxy)
        keypoints_xy, _ = fused_graph.run(image, boxes_xyxy)
        apart_px = float(np.median(np.abs(keypoints_xy - expected).max(axis=2)))
        if not apart_px < _AGREE_PX:
            raise ModelError(f"its keypoints lie {apart_px:.1f} px from the standard path's (median)")


def _version() -> tuple[int, ...]:
    return tuple(int(part) for part in ort.__version__.split(".")[:2])

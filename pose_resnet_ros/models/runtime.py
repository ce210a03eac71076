# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""A loaded ONNX file: arrays in, arrays out, in batches; another thread can cancel a run."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnxruntime as ort

from pose_resnet_ros.core.errors import InferenceCancelled, ModelError, PoseError
from pose_resnet_ros.core.library_setup import logger_of
from pose_resnet_ros.models.backends import first_line, open_session
from pose_resnet_ros.models.hardware import LOG_SEVERITY_FATAL

_log = logger_of(__name__)

MAX_FIXED_BATCH = 256  # each run is padded to it


class Canceller:
    """One switch for all networks of a pipeline. Cancelled stays cancelled until ``resume``, so no request is ever lost."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._active: list[ort.RunOptions] = []
        self._cancelled = False

    @property
    def cancelled(self) -> bool:
        return self._cancelled

    def cancel(self) -> None:
        """End runs in progress within one operator of the network and refuse new ones; both raise InferenceCancelled."""
        with self._lock:
            self._cancelled = True
            for options in self._active:
                options.terminate = True

    def resume(self) -> None:
        """Allow runs again."""
        with self._lock:
            self._cancelled = False

    @contextmanager
    def run_options(self) -> Iterator[ort.RunOptions]:
        """Options for one onnxruntime run; what the run raises once cancelled becomes InferenceCancelled."""
        options = ort.RunOptions()
        options.log_severity_level = LOG_SEVERITY_FATAL
        with self._lock:
            self._raise_if_cancelled()
            self._active.append(options)
        try:
            yield options
        except Exception as error:
            if options.terminate:
                raise InferenceCancelled("inference was cancelled") from error
            raise
        finally:
            with self._lock:
                self._active.remove(options)
        self._raise_if_cancelled()

    def _raise_if_cancelled(self) -> None:
        if self._cancelled:
            raise InferenceCancelled("inference was cancelled; resume() allows it again")


@dataclass(frozen=True)
class RunOn:
    """Where and how networks run; values as in ``settings.LoadSettings``. One canceller stops all networks that share it."""

    backend: str = "auto"
    device_id: int = 0
    threads: int = 0
    max_batch: int = 32
    canceller: Canceller = field(default_factory=Canceller)


@dataclass(frozen=True)
class TensorInfo:
    """What an ONNX file declares of an input or output; a free size is None. dtype: onnxruntime's name, e.g. tensor(float)."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str

    @property
    def numpy_dtype(self) -> np.dtype:
        """The same type in NumPy. Raises ModelError for strings and types that NumPy does not have."""
        name = self.dtype.removeprefix("tensor(").removesuffix(")")
        try:
            return np.dtype({"float": "float32", "double": "float64"}.get(name, name))
        except TypeError as error:
            raise ModelError(f"expected an input of numbers, the file has {self}") from error

    def __str__(self) -> str:
        sizes = ", ".join("any" if size is None else str(size) for size in self.shape)
        return f"'{self.name}' ({sizes}) {self.dtype}"


class OnnxModel:
    """A network on one backend.

    inputs, outputs: as the file declares them; metadata: its entries; selected_provider: what it runs on, and why;
    fixed_batch: the only batch size that the file allows, or None.
    """

    def __init__(self, path: Path, *, run_on: RunOn | None = None, path_on_cpu: Path | None = None) -> None:
        """Open the file; on the CPU ``path_on_cpu`` instead (None: the same).

        Raises ModelError if it cannot be used, BackendError if the backend is not available.
        """
        run_on = run_on or RunOn()
        self._canceller = run_on.canceller
        self._session, self.selected_provider = open_session(
            path, backend=run_on.backend, device_id=run_on.device_id, threads=run_on.threads, path_on_cpu=path_on_cpu
        )
        self.path = path_on_cpu if path_on_cpu and self.selected_provider.backend == "cpu" else path
        try:
            self.inputs = tuple(_info(node) for node in self._session.get_inputs())
            self.outputs = tuple(_info(node) for node in self._session.get_outputs())
            self.metadata: dict[str, str] = dict(self._session.get_modelmeta().custom_metadata_map)
        except UnicodeDecodeError as error:
            raise ModelError(
                f"{path}: expected names and metadata in UTF-8, they are damaged ({error}); fetch or export it again"
            ) from error
        if others := [info for info in self.outputs if not info.dtype.startswith("tensor(")]:
            raise ModelError(f"{path}: expected outputs that are tensors, the file has {others[0]}")
        self.fixed_batch = self.inputs[0].shape[0] if self.inputs and self.inputs[0].shape else None
        if self.fixed_batch and self.fixed_batch > MAX_FIXED_BATCH:
            raise ModelError(
                f"{path} has a fixed batch of {self.fixed_batch}; expected at most {MAX_FIXED_BATCH}: export it with a free one"
            )
        self._batch = self.fixed_batch or run_on.max_batch
        self._max_batch, self._warned = run_on.max_batch, False

    @property
    def providers(self) -> tuple[str, ...]:
        """onnxruntime's providers of this session, the preferred one first."""
        return tuple(self._session.get_providers())

    def run(self, tensor: np.ndarray, **others: np.ndarray) -> list[np.ndarray]:
        """All outputs for N inputs, in batches of at most ``max_batch``.

        tensor: (N, ...) float32 for the first input, N >= 1; others: further inputs by name, each (N, ...).
        Returns the outputs in the file's order, joined along their first axis.
        Raises InferenceCancelled, and ModelError where onnxruntime refuses.
        """
        if self.fixed_batch and min(len(tensor), self._max_batch) > self.fixed_batch and not self._warned:
            self._warned = True
            _log.warning(
                "%s has a fixed batch of %d: larger batches take several runs; an export with a free batch axis is faster",
                self.path.name,
                self.fixed_batch,
            )
        feeds = {self.inputs[0].name: tensor, **others}
        starts = range(0, len(tensor), self._batch)
        parts = [self._run_batch({name: array[i : i + self._batch] for name, array in feeds.items()}) for i in starts]
        return parts[0] if len(parts) == 1 else [np.concatenate(output) for output in zip(*parts, strict=True)]

    def close(self) -> None:
        """Free the session; the model cannot run afterwards."""
        del self._session

    def _run_batch(self, feeds: dict[str, np.ndarray]) -> list[np.ndarray]:
        count = len(next(iter(feeds.values())))
        missing = max(0, (self.fixed_batch or 0) - count)
        if missing:
            feeds = {name: np.concatenate([array, np.repeat(array[-1:], missing, axis=0)]) for name, array in feeds.items()}
        with guarded_run(self.path, self._canceller) as options:
            outputs = self._session.run(None, feeds, options)
        if any(output.ndim == 0 for output in outputs):
            raise ModelError(f"{self.path}: expected outputs with a batch axis, the network gave a single number")
        return [output[:count] for output in outputs] if missing else outputs


@contextmanager
def guarded_run(path: Path, canceller: Canceller) -> Iterator[ort.RunOptions]:
    """Options for one run that ``canceller`` can end. Raises InferenceCancelled, and ModelError where onnxruntime refuses."""
    try:
        with canceller.run_options() as options:
            yield options
    except PoseError:
        raise
    except Exception as error:  # onnxruntime's exceptions share no base class below Exception
        raise ModelError(f"{path}: onnxruntime could not run the network: {first_line(error)}") from error


def _info(node: ort.NodeArg) -> TensorInfo:
    return TensorInfo(node.name, tuple(size if isinstance(size, int) else None for size in node.shape), node.type)

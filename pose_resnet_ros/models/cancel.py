# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Stopping an inference from another thread (shutdown must not wait for a slow network)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import onnxruntime as ort

from pose_resnet_ros.core.errors import InferenceCancelled

# onnxruntime prints what it also raises; 4 (fatal) keeps its C++ lines off the terminal.
LOG_SEVERITY_FATAL = 4


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

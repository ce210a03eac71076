# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""One process at a time changes the model folder: two nodes that want the same model fetch it once."""

from __future__ import annotations

import contextlib
import fcntl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from pose_resnet_ros.core.errors import InferenceCancelled
from pose_resnet_ros.core.log import logger_of

LOCK_FILE = ".lock"
_POLL_S = 0.1
_log = logger_of(__name__)
_of_this_process = threading.RLock()
_held: set[Path] = set()


def never() -> bool:
    """The default answer to "has somebody asked to stop?"."""
    return False


@contextlib.contextmanager
def folder_lock(folder: Path, *, cancelled: Callable[[], bool] = never) -> Iterator[None]:
    """Hold the folder, which must be there; waits for another process, and says so in the log. The same thread may nest it.

    Raises InferenceCancelled once ``cancelled()`` says so. The kernel frees the lock of a process that dies. On a file system
    without locks nothing is held.
    """
    with _of_this_process:
        if folder in _held:
            yield
            return
        with (folder / LOCK_FILE).open("a") as file:
            _wait(file, folder, cancelled)
            _held.add(folder)
            try:
                yield
            finally:
                _held.remove(folder)


def _wait(file: IO[str], folder: Path, cancelled: Callable[[], bool]) -> None:
    told = False
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if not told:
                _log.info("another process is fetching models into %s: waiting for it", folder)
            told = True
        except OSError as error:
            _log.warning("%s cannot be locked (%s): start one process at a time", folder, error.strerror)
            return
        if cancelled():
            raise InferenceCancelled("stopped while another process was fetching models")
        time.sleep(_POLL_S)

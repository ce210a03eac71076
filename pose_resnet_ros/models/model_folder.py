# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The folder of fetched and added models: where it is, its lock, and the record of its files' digests.

Where no digest was published, the first one seen is written into ``digests.json`` in the folder, and the file is verified against
it from then on. To change a file on purpose, delete its line there first.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from pose_resnet_ros.core.errors import DownloadError, InferenceCancelled, ModelError
from pose_resnet_ros.core.library_setup import logger_of
from pose_resnet_ros.core.whole_file import whole_file
from pose_resnet_ros.models.spec import Digest

HOME_VARIABLE = "POSE_RESNET_ROS_HOME"
LOCK_FILE = ".lock"
RECORD = "digests.json"
LEFT_OVER_S = 3600.0
_POLL_S = 0.1
_log = logger_of(__name__)
_of_this_process = threading.RLock()
_held: set[Path] = set()


def models_folder() -> Path:
    """Where fetched and added models lie: ``POSE_RESNET_ROS_HOME``, else this platform's cache folder. It need not exist.

    Raises ModelError for a user without a home folder.
    """
    home = os.environ.get(HOME_VARIABLE)
    if home:
        return Path(os.path.expanduser(home))
    if sys.platform != "darwin" and os.environ.get("XDG_CACHE_HOME"):
        return Path(os.environ["XDG_CACHE_HOME"]) / "pose_resnet_ros"
    try:
        cache = Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache")
    except RuntimeError as error:  # a container's user without an entry and without HOME
        raise ModelError(f"there is no home folder to keep models in; set {HOME_VARIABLE} to a folder") from error
    return cache / "pose_resnet_ros"


def never() -> bool:
    """The default of ``cancelled``: do not stop."""
    return False


@contextlib.contextmanager
def writable_folder(cancelled: Callable[[], bool] = never) -> Iterator[Path]:
    """The model folder, created if needed and locked. Raises DownloadError for what the disk refuses inside the block.

    Removes what killed processes left behind. Otherwise as ``folder_lock``.
    """
    folder = models_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with folder_lock(folder, cancelled=cancelled):
            for old in folder.glob(".[0-9]*.part"):  # of core.whole_file
                if time.time() - old.stat().st_mtime > LEFT_OVER_S:
                    old.unlink(missing_ok=True)
            yield folder
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DownloadError(f"the disk of {folder} is full; free space, or set {HOME_VARIABLE} to another folder") from error
        raise DownloadError(f"cannot write to {folder} ({error.strerror}); set {HOME_VARIABLE} to another folder") from error


@contextlib.contextmanager
def folder_lock(folder: Path, *, cancelled: Callable[[], bool] = never) -> Iterator[None]:
    """Lock an existing folder: two nodes that need the same model fetch it once. The same thread may nest it.

    Waits for another process, and logs that it does. The kernel frees the lock of a process that dies; on a file system without
    locks, a warning is logged and nothing is locked. Raises InferenceCancelled once ``cancelled()`` is true.
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


def digest_of(path: Path, algorithm: str = "sha256") -> str:
    """Hex digest of a file."""
    # md5 and sha1 only tell files apart here, where nothing better was published.
    state = hashlib.new(algorithm, usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            state.update(block)
    return state.hexdigest()


def check_digest(path: Path, name: str, digest: Digest, origin: str) -> None:
    """Raises DownloadError, with the file's ``name`` and the ``origin`` of the expected digest, where the file has another."""
    found = digest_of(path, digest.algorithm)
    if not found.startswith(digest.hex_digits):
        raise DownloadError(
            f"{name}: wrong digest, {digest.algorithm} is {found}, {origin} is {digest.hex_digits};"
            " the file is damaged, or not the one described"
        )


def check_recorded(path: Path, *, stored_name: str = "", name: str = "") -> bool:
    """Compare a file with its recorded digest; False where none is recorded. Raises DownloadError.

    stored_name: what the record has it under, name: what errors call it; the file's own name where empty.
    """
    recorded = recorded_digests().get(stored_name or path.name)
    if recorded is not None:
        check_digest(path, name or path.name, Digest("sha256", recorded), f"recorded in {models_folder() / RECORD}")
    return recorded is not None


def recorded_digests() -> dict[str, str]:
    """sha256 by file name, as first seen on this machine. Raises DownloadError if the record is damaged."""
    path = models_folder() / RECORD
    if not path.exists():
        return {}
    try:
        digests = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(digests, dict) or not all(isinstance(digest, str) for digest in digests.values()):
            raise ValueError("expected an object with strings")
    except (ValueError, OSError, RecursionError) as error:
        raise DownloadError(f"{path} cannot be read ({error}); repair it, or delete it to record anew") from error
    return digests


def record_digest(path: Path) -> str:
    """Write the sha256 of a file in the model folder into the record, and return it."""
    with folder_lock(path.parent):
        digests = recorded_digests() | {path.name: digest_of(path)}
        _write_record(path.parent / RECORD, digests)
    return digests[path.name]


def forget_digest(path: Path) -> None:
    """Remove a file's line from the record."""
    with folder_lock(path.parent):
        digests = recorded_digests()
        if digests.pop(path.name, None) is not None:
            _write_record(path.parent / RECORD, digests)


def _write_record(target: Path, digests: dict[str, str]) -> None:
    with whole_file(target) as part:
        part.write_text(json.dumps(digests, indent=1, sort_keys=True) + "\n", encoding="utf-8")

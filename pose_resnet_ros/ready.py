# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""From a name in the model table to a model that runs: download, digest, conversion."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from pose_resnet_ros.core.errors import DownloadError, InferenceCancelled, ModelError
from pose_resnet_ros.core.library_setup import logger_of
from pose_resnet_ros.models.download import check_published, fetch, take_in
from pose_resnet_ros.models.model_folder import (
    check_recorded,
    forget_digest,
    models_folder,
    never,
    record_digest,
    writable_folder,
)
from pose_resnet_ros.models.registry import entry_path, find_entry, how_to_get_all
from pose_resnet_ros.models.spec import ModelEntry
from pose_resnet_ros.models.transfer import Report

_log = logger_of(__name__)
PROGRESS_S = 5.0
Say = Callable[[str], None]


def absent_entries(names: Iterable[str | os.PathLike[str]]) -> list[ModelEntry]:
    """The rows of those models of the table whose files are not on this machine."""
    entries = [find_entry(os.fspath(name)) for name in names]
    found = {entry.name: entry for entry in entries if entry and not entry_path(entry).is_file()}
    return list(found.values())


def require_present(names: Iterable[str | os.PathLike[str]]) -> None:
    """Raises ModelError if several models of the table are missing, with the command that fetches them all."""
    absent = absent_entries(names)
    if len(absent) > 1:  # a single missing one is reported when it is opened
        raise ModelError(
            f"the models {' and '.join(repr(entry.name) for entry in absent)} are not on this machine ({models_folder()});"
            f" {how_to_get_all(absent)}"
        )


def make_all_ready(names: Iterable[str | os.PathLike[str]], *, cancelled: Callable[[], bool] = never) -> None:
    """Fetch and convert the missing ones of these models; progress goes to the log.

    Tries all, then raises one DownloadError or ModelError for all failures; InferenceCancelled once ``cancelled()`` is true.
    """
    make_each_ready(absent_entries(names), lambda entry: make_ready(entry, say=_log.info, cancelled=cancelled))


def make_each_ready(entries: Iterable[ModelEntry], make: Callable[[ModelEntry], object]) -> None:
    """Try all of them, then raise what failed as one error."""
    failures = [error for entry in entries if (error := _failure(entry, make)) is not None]
    if len(failures) == 1:
        raise failures[0]
    if failures:
        raise DownloadError("\n".join(map(str, failures)))


def _failure(entry: ModelEntry, make: Callable[[ModelEntry], object]) -> ModelError | None:
    try:
        make(entry)
    except ModelError as error:
        return error
    return None


def make_ready(
    entry: ModelEntry,
    *,
    say: Say,
    report: Report | None = None,
    from_folder: Path | None = None,
    cancelled: Callable[[], bool] = never,
) -> Path:
    """The row's ONNX file, fetched (or taken from a folder that holds its published file), checked and converted if need be.

    say: called with a sentence for each step; report: the download's progress, None: a sentence every few seconds.
    A valid file is kept, also if another process fetches it in the meantime.
    """
    if entry.bundled:
        return entry_path(entry)
    with writable_folder(cancelled):
        if not _is_here(entry, say):
            _get(entry, say, report or _SaidProgress(entry.name, say), from_folder, cancelled)
        if entry.checkpoint and not entry_path(entry).is_file():
            convert(entry, say)
    return entry_path(entry)


def _get(entry: ModelEntry, say: Say, report: Report, from_folder: Path | None, cancelled: Callable[[], bool]) -> None:
    def watched(done: int, total: int | None) -> None:
        if cancelled():
            raise InferenceCancelled(f"stopped while '{entry.name}' was being fetched")
        report(done, total)

    if from_folder is not None:
        take_in(from_folder / entry.published_file, entry)
    else:
        fetch(entry, report=watched, cancelled=cancelled)
    say(digest_text(entry))


def digest_text(entry: ModelEntry) -> str:
    """How the file that was just checked was verified."""
    if entry.digest is None:
        return f"{entry.name}: no published checksum: recorded this one, and will verify against it from now on"
    return f"{entry.name}: {entry.digest} verified"


def _is_here(entry: ModelEntry, say: Say) -> bool:
    """Whether the published file, or the model made from it, is on this machine and valid."""
    model, published = entry_path(entry), models_folder() / entry.stored_file
    if model.is_file() and not _is_valid(model, entry, say):
        model.unlink()  # damaged: made or fetched again
    return model.is_file() or (published.is_file() and _is_valid(published, entry, say))


def _is_valid(path: Path, entry: ModelEntry, say: Say) -> bool:
    try:
        if not check_recorded(path) and path.name == entry.stored_file:
            check_published(path, entry)
    except DownloadError as error:
        say(f"{error}; fetching it again")
        return False
    return True


def convert(entry: ModelEntry, say: Say) -> Path:
    """Turn the row's checkpoint, which is in the model folder, into its ONNX file.

    Raises ModelError. A checkpoint that cannot be read is deleted, so that the next try fetches it again.
    """
    try:
        from pose_resnet_ros.export import conversion
    except ModuleNotFoundError as error:
        raise ModelError(
            f"'{entry.name}' is published as a checkpoint, and turning it into a model needs {error.name}, which is not"
            f" installed; pip install {error.name}, then: pose_resnet_ros export {entry.name}"
        ) from error
    path, target = models_folder() / entry.stored_file, entry_path(entry)
    spec = conversion.described(entry, source=path)
    try:
        source = conversion.open_source(path, spec)
    except ModelError:
        path.unlink(missing_ok=True)
        forget_digest(path)
        raise
    conversion.save(conversion.export(source, spec, conversion.ExportOptions()), target)
    record_digest(target)
    say(f"{entry.name}: converted from {path.name} ({target.stat().st_size / 1e6:.1f} MB)")
    return target


class _SaidProgress:
    def __init__(self, name: str, say: Say) -> None:
        self._name, self._say = name, say
        self._next_s = 0.0

    def __call__(self, done: int, total: int | None) -> None:
        now = time.monotonic()
        if now < self._next_s and done != total:
            return
        self._next_s = now + PROGRESS_S
        of = f" of {total / 1e6:.1f} MB ({100 * done // max(total, 1)} %)" if total else " MB"
        self._say(f"fetching {self._name}: {done / 1e6:.1f}{of}")

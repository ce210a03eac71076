# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Bringing published model files into the model folder: whole and checked, or not at all.

A file is written beside its target under a passing name, checked, and only then moved to its place, so that a killed download
never leaves a half-written model.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from pose_resnet_ros.core.errors import DownloadError
from pose_resnet_ros.models.digests import check_content, check_published, record_digest
from pose_resnet_ros.models.entry import ModelEntry
from pose_resnet_ros.models.files import HOME_VARIABLE, entry_path, models_folder
from pose_resnet_ros.models.folder_lock import folder_lock, never
from pose_resnet_ros.models.transfer import Report, discard, download

MIRROR_VARIABLE = "POSE_RESNET_ROS_MIRROR"
LEFT_OVER_S = 3600.0


def addresses(entry: ModelEntry) -> tuple[str, ...]:
    """Where the row's published file may be had, in the order in which it is tried.

    ``POSE_RESNET_ROS_MIRROR`` comes first: an https folder of one's own that holds published files under their names.
    """
    mirror = os.environ.get(MIRROR_VARIABLE)
    own = (f"{mirror.rstrip('/')}/{entry.published_file}",) if mirror else ()
    return own + entry.urls


def fetch(entry: ModelEntry, *, report: Report, cancelled: Callable[[], bool] = never) -> Path:
    """The row's published file, downloaded, checked, and unpacked if it is a zip.

    Returns the path of the ONNX model, or of the checkpoint that must be exported first. Raises DownloadError, which tells
    what failed at each address. What did not pass is not left behind; a transfer that broke off is, where the server lets the
    next one go on.
    """
    urls = addresses(entry)
    if not urls:
        raise DownloadError(how_to_get_by_hand(entry))
    failures = []
    for url in urls:
        outcome = _try(entry, url, report, cancelled)
        if isinstance(outcome, Path):
            return outcome
        failures.append(f"  {url}: {outcome}")
    way_out = how_to_get_by_hand(entry) if entry.manual_page else how_to_take_in(entry)
    raise DownloadError("\n".join([f"'{entry.name}' could not be fetched:", *failures, way_out]))


def _try(entry: ModelEntry, url: str, report: Report, cancelled: Callable[[], bool]) -> Path | DownloadError:
    try:
        with writable_folder(cancelled) as folder:
            part = folder / f".{entry.published_file}.part"
            download(url, part, report)
            try:
                return _install(part, entry)
            finally:
                discard(part)
    except DownloadError as error:
        return error


def take_in(path: Path, entry: ModelEntry) -> Path:
    """Like ``fetch``, from a published file that is on this machine already."""
    if not path.is_file():
        raise DownloadError(f"{path} is not there; expected the published file of '{entry.name}'")
    with writable_folder() as folder, part_file(folder, entry.published_file) as part:
        shutil.copyfile(path, part)
        return _install(part, entry)


def how_to_get_by_hand(entry: ModelEntry) -> str:
    """What to do about a row that no program can fetch."""
    file = entry.published_file
    return (
        f"to get '{entry.name}' by hand (its makers' page is not made for programs): download {file} from\n"
        f"  {entry.manual_page}\n  ({entry.note})\n"
        f"then: python3 -m pose_resnet_ros models add {file} --as {entry.name}"
    )


def how_to_take_in(entry: ModelEntry) -> str:
    """What to do about a row whose addresses this machine cannot reach."""
    return (
        f"without a network here: fetch {entry.published_file} on another machine, then:"
        f" python3 -m pose_resnet_ros models fetch {entry.name} --from FOLDER"
    )


def _install(part: Path, entry: ModelEntry) -> Path:
    """Check, move, record; then unpack."""
    check_published(part, entry)
    target = models_folder() / entry.stored_file
    part.replace(target)
    record_digest(target)
    return _unpack(entry, target) if entry.zip_member else target


def _unpack(entry: ModelEntry, archive_path: Path) -> Path:
    with zipfile.ZipFile(archive_path) as archive, part_file(archive_path.parent, entry.file) as part:
        members = [name for name in archive.namelist() if Path(name).name == entry.zip_member]
        if len(members) != 1:
            raise DownloadError(f"{archive_path.name}: expected one '{entry.zip_member}' in it, found {len(members)}")
        with archive.open(members[0]) as packed, part.open("wb") as unpacked:
            shutil.copyfileobj(packed, unpacked)
        check_content(part, entry.file)
        part.replace(entry_path(entry))
    archive_path.unlink()
    record_digest(entry_path(entry))
    return entry_path(entry)


@contextlib.contextmanager
def writable_folder(cancelled: Callable[[], bool] = never) -> Iterator[Path]:
    """The model folder, made if need be and held (``folder_lock``); what the disk refuses inside becomes a DownloadError."""
    folder = models_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with folder_lock(folder, cancelled=cancelled):
            yield folder
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DownloadError(f"the disk of {folder} is full; free space, or set {HOME_VARIABLE} to another folder") from error
        raise DownloadError(f"cannot write to {folder} ({error.strerror}); set {HOME_VARIABLE} to another folder") from error


@contextlib.contextmanager
def part_file(folder: Path, name: str) -> Iterator[Path]:
    """A passing name in ``folder``, gone afterwards; removes what killed downloads of the same file left."""
    for old in folder.glob(f".{name}.*.part"):
        if time.time() - old.stat().st_mtime > LEFT_OVER_S:
            old.unlink(missing_ok=True)
    part = folder / f".{name}.{os.getpid()}.part"
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)

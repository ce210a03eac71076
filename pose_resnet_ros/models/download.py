# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Brings published model files into the model folder: whole and verified, or not at all.

A file is downloaded under a temporary name, verified, and only then renamed, so that a killed download never leaves half a model.
"""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

from pose_resnet_ros.core.errors import DownloadError
from pose_resnet_ros.core.whole_file import whole_file
from pose_resnet_ros.models.model_folder import check_digest, check_recorded, never, record_digest, writable_folder
from pose_resnet_ros.models.registry import entry_path
from pose_resnet_ros.models.spec import ModelEntry
from pose_resnet_ros.models.transfer import Report, discard, download

MIRROR_VARIABLE = "POSE_RESNET_ROS_MIRROR"
MOST_UNPACKED = 20  # times the zip file
_HTML = (b"<!doctype", b"<html", b"<?xml")
_BEGINNINGS = {".zip": (b"PK",), ".pth": (b"PK", b"\x80"), ".tar": (b"PK", b"\x80"), ".onnx": (b"\x08",)}


def addresses(entry: ModelEntry) -> tuple[str, ...]:
    """Where to download the row's published file, in the order in which they are tried.

    ``POSE_RESNET_ROS_MIRROR`` comes first: an https folder of one's own that holds published files under their names.
    """
    mirror = os.environ.get(MIRROR_VARIABLE)
    own = (f"{mirror.rstrip('/')}/{entry.published_file}",) if mirror else ()
    return own + entry.urls


def fetch(entry: ModelEntry, *, report: Report, cancelled: Callable[[], bool] = never) -> Path:
    """The row's published file, downloaded, verified, and unpacked if it is a zip.

    Returns the path of the ONNX model, or of the checkpoint that must be exported first. Raises DownloadError with what failed at
    each address. A file that fails its checks is deleted; an interrupted transfer is kept where the server can resume it.
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
                check_published(part, entry)
                part.replace(folder / entry.stored_file)
            finally:
                discard(part)
            return _recorded(entry, folder)
    except DownloadError as error:
        return error


def take_in(path: Path, entry: ModelEntry) -> Path:
    """Like ``fetch``, from a published file that is on this machine already."""
    if not path.is_file():
        raise DownloadError(f"{path} is not there; expected the published file of '{entry.name}'")
    with writable_folder() as folder:
        with whole_file(folder / entry.stored_file) as part:
            shutil.copyfile(path, part)
            check_published(part, entry)
        return _recorded(entry, folder)


def how_to_get_by_hand(entry: ModelEntry) -> str:
    """What to do about a row that no program can fetch."""
    file = entry.published_file
    return (
        f"'{entry.name}' cannot be downloaded by a program: get {file} from\n"
        f"  {entry.manual_page}\n  ({entry.note})\n"
        f"then: pose_resnet_ros models add {file} --as {entry.name}"
    )


def how_to_take_in(entry: ModelEntry) -> str:
    """What to do about a row whose addresses this machine cannot reach."""
    return (
        f"without a network here: fetch {entry.published_file} on another machine, then:"
        f" pose_resnet_ros models fetch {entry.name} --from FOLDER"
    )


def _recorded(entry: ModelEntry, folder: Path) -> Path:
    """The published file, in its place: its digest is recorded, and a zip unpacked."""
    stored = folder / entry.stored_file
    record_digest(stored)
    return _unpack(entry, stored) if entry.zip_member else stored


def _unpack(entry: ModelEntry, archive_path: Path) -> Path:
    target = entry_path(entry)
    with zipfile.ZipFile(archive_path) as archive, whole_file(target) as part:
        members = [name for name in archive.namelist() if Path(name).name == entry.zip_member]
        if len(members) != 1:
            raise DownloadError(f"{archive_path.name}: expected one '{entry.zip_member}' in it, found {len(members)}")
        with archive.open(members[0]) as packed, part.open("wb") as unpacked:
            shutil.copyfileobj(packed, unpacked)
        _check_beginning(part, entry.file)
    archive_path.unlink()
    record_digest(target)
    return target


def check_published(path: Path, entry: ModelEntry) -> None:
    """Compare a file with what is known of the row's published file. Raises DownloadError, which says what differs."""
    name, size = entry.published_file, path.stat().st_size
    _check_beginning(path, name)
    if entry.size is not None and size != entry.size:
        raise DownloadError(f"{name}: expected {entry.size} bytes, got {size}; it is truncated, or another file")
    if entry.digest is not None:
        check_digest(path, name, entry.digest, "published")
    check_recorded(path, stored_name=entry.stored_file, name=name)
    if Path(name).suffix == ".zip":
        _check_zip(path, name)


def _check_beginning(path: Path, name: str) -> None:
    """Refuse an HTML page, and a file that does not begin as its suffix says."""
    with path.open("rb") as file:
        start = file.read(256)
    if start.lstrip().lower().startswith(_HTML):
        raise DownloadError(f"{name}: an HTML page came in place of the model; open the address in a browser to see why")
    allowed = _BEGINNINGS.get(Path(name).suffix)
    if not start or (allowed and not start.startswith(allowed)):
        raise DownloadError(f"{name}: not a {Path(name).suffix} file, it begins with {start[:8]!r}")


def _check_zip(path: Path, name: str) -> None:
    """Unpack everything once, to nowhere. Weights hardly compress: a zip that claims to hold much more is refused first."""
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
            if unpacked > MOST_UNPACKED * path.stat().st_size:
                raise DownloadError(f"{name}: refused, the zip file would unpack to {unpacked} bytes")
            damaged = archive.testzip()
    except DownloadError:
        raise
    except Exception as error:  # zipfile's own, or what its decompressors and its parsing of damaged headers raise
        raise DownloadError(f"{name}: truncated or not a zip file ({error})") from error
    if damaged:
        raise DownloadError(f"{name}: '{damaged}' in the zip file is damaged")

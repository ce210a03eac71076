# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Bringing published model files into the model folder: whole and checked, or not at all.

A file is written beside its target under a passing name, checked, and only then moved to its place, so that a killed download
never leaves a half-written model. pooch does the transfer.
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
from typing import Any
from urllib.parse import urljoin, urlsplit

from pose_resnet_ros.core.errors import DownloadError
from pose_resnet_ros.models.digests import check_content, check_published, record_digest
from pose_resnet_ros.models.entry import ModelEntry
from pose_resnet_ros.models.files import HOME_VARIABLE, entry_path, models_folder

TIMEOUT_S = 30.0
LEFT_OVER_S = 3600.0
Transfer = Callable[[str, Path], object]


def fetch(entry: ModelEntry, *, from_folder: Path | None = None, progress: bool = False) -> Path:
    """The row's published file, downloaded or copied from a folder, checked, and unpacked if it is a zip.

    Returns the path of the ONNX model, or of the checkpoint that must be exported first. Raises DownloadError, which tells
    what failed at each address; nothing that did not pass is left behind.
    """
    if from_folder is not None:
        return take_in(from_folder / entry.published_file, entry)
    if not entry.urls:
        raise DownloadError(how_to_get_by_hand(entry))
    failures = []
    for url in entry.urls:
        outcome = _try(entry, url, progress=progress)
        if isinstance(outcome, Path):
            return outcome
        failures.append(f"  {url}: {outcome}")
    way_out = how_to_get_by_hand(entry) if entry.manual_page else how_to_take_in(entry)
    raise DownloadError("\n".join([f"'{entry.name}' could not be fetched:", *failures, way_out]))


def _try(entry: ModelEntry, url: str, *, progress: bool) -> Path | DownloadError:
    try:
        return _install(entry, url, lambda source, part: download(source, part, progress=progress))
    except DownloadError as error:
        return error


def take_in(path: Path, entry: ModelEntry) -> Path:
    """Like ``fetch``, from a published file that is on this machine already."""
    if not path.is_file():
        raise DownloadError(f"{path} is not there; expected the published file of '{entry.name}'")
    return _install(entry, str(path), lambda source, part: shutil.copyfile(source, part))


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


def download(url: str, target: Path, *, progress: bool) -> None:
    """One https download. Raises DownloadError for another scheme, a failed or a short transfer."""
    _require_https(url)
    try:
        import pooch
        import requests
    except ImportError as error:
        raise DownloadError(
            "downloading needs pooch: pip install pooch tqdm, or use --from FOLDER"
        ) from error
    watch = _Watch()
    fetcher = pooch.HTTPDownloader(
        progressbar=progress, chunk_size=1 << 16, timeout=TIMEOUT_S, hooks={"response": watch.response}
    )
    try:
        fetcher(url, str(target), None)  # type: ignore[arg-type]  # the third is not used here
    except requests.exceptions.RequestException as error:
        raise DownloadError(_reason(error)) from error
    got = target.stat().st_size
    if watch.expected not in (None, got):
        raise DownloadError(f"the transfer ended after {got} of {watch.expected} bytes; try again")


class _Watch:
    """Sees every response of a download: refuses a redirection away from https, notes the announced size."""

    def __init__(self) -> None:
        self.expected: int | None = None

    def response(self, response: Any, *_: Any, **__: Any) -> None:
        if response.is_redirect:
            _require_https(urljoin(response.url, response.headers["location"]))
        elif "content-encoding" not in response.headers and "content-length" in response.headers:
            self.expected = int(response.headers["content-length"])


def _reason(error: Exception) -> str:
    """The innermost cause: the outer layers only repeat the address."""
    causes = [error]
    while isinstance(getattr(causes[-1], "reason", None), Exception) or (
        causes[-1].args and isinstance(causes[-1].args[0], Exception)
    ):
        reason = getattr(causes[-1], "reason", None)
        causes.append(reason if isinstance(reason, Exception) else causes[-1].args[0])
    return f"{type(error).__name__}: {causes[-1]}"


def _require_https(url: str) -> None:
    if urlsplit(url).scheme != "https":
        raise DownloadError(f"refused: {url} is not https")


def _install(entry: ModelEntry, source: str, transfer: Transfer) -> Path:
    """Transfer, check, move, record; then unpack."""
    with writable_folder() as folder, part_file(folder, entry.published_file) as part:
        transfer(source, part)
        check_published(part, entry)
        target = folder / entry.stored_file
        part.replace(target)
        record_digest(target)
        return _unpack(entry, target) if entry.zip_member else target


def _unpack(entry: ModelEntry, archive_path: Path) -> Path:
    with zipfile.ZipFile(archive_path) as archive, part_file(archive_path.parent, entry.file) as part:
        members = [name for name in archive.namelist() if Path(name).name == entry.zip_member]
        if len(members) != 1:
            raise DownloadError(
                f"{archive_path.name}: expected one '{entry.zip_member}' in it, found {len(members)}"
            )
        with archive.open(members[0]) as packed, part.open("wb") as unpacked:
            shutil.copyfileobj(packed, unpacked)
        check_content(part, entry.file)
        part.replace(entry_path(entry))
    archive_path.unlink()
    record_digest(entry_path(entry))
    return entry_path(entry)


@contextlib.contextmanager
def writable_folder() -> Iterator[Path]:
    """The model folder, made if need be; what the disk refuses inside becomes a DownloadError."""
    folder = models_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DownloadError(
                f"the disk of {folder} is full; free space, or set {HOME_VARIABLE} to another folder"
            ) from error
        raise DownloadError(
            f"cannot write to {folder} ({error.strerror}); set {HOME_VARIABLE} to another folder"
        ) from error


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

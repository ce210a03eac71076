# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Is a model file the one that it should be? Its size, its digest, and what it begins with.

Where nobody published a digest, the first one seen is written into ``digests.json`` in the model folder and holds from then
on; a file that a user changes on purpose loses its line there first.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from pathlib import Path

from pose_resnet_ros.core.errors import DownloadError
from pose_resnet_ros.models.entry import Digest, ModelEntry
from pose_resnet_ros.models.files import models_folder
from pose_resnet_ros.models.folder_lock import folder_lock

RECORD = "digests.json"
MOST_UNPACKED = 20  # times the zip file
_HTML = (b"<!doctype", b"<html", b"<?xml")
_BEGINNINGS = {".zip": (b"PK",), ".pth": (b"PK", b"\x80"), ".tar": (b"PK", b"\x80"), ".onnx": (b"\x08",)}


def digest_of(path: Path, algorithm: str = "sha256") -> str:
    """Hex digest of a file."""
    # md5 and sha1 only tell files apart here, where nothing better was published.
    state = hashlib.new(algorithm, usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            state.update(block)
    return state.hexdigest()


def recorded_digests() -> dict[str, str]:
    """sha256 by file name, as first seen on this machine. Raises DownloadError if the record is damaged."""
    path = models_folder() / RECORD
    if not path.exists():
        return {}
    try:
        digests = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(digests, dict) or not all(isinstance(digest, str) for digest in digests.values()):
            raise ValueError("expected an object with texts")
    except (ValueError, OSError, RecursionError) as error:
        raise DownloadError(f"{path} cannot be read ({error}); repair it, or delete it to record anew") from error
    return digests


def record_digest(path: Path) -> str:
    """Write a file's sha256 into the record of its folder, and return it."""
    with folder_lock(path.parent):
        digests = recorded_digests() | {path.name: digest_of(path)}
        _write_record(path.parent / RECORD, digests)
    return digests[path.name]


def forget_digest(path: Path) -> None:
    """Take a file's line out of the record of its folder."""
    with folder_lock(path.parent):
        digests = recorded_digests()
        if digests.pop(path.name, None) is not None:
            _write_record(path.parent / RECORD, digests)


def _write_record(target: Path, digests: dict[str, str]) -> None:
    part = target.with_name(f".{RECORD}.{os.getpid()}")
    part.write_text(json.dumps(digests, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    part.replace(target)


def check_published(path: Path, entry: ModelEntry) -> None:
    """Compare a file with what is known of the row's published file. Raises DownloadError, which says what differs."""
    name = entry.published_file
    check_content(path, name)
    size = path.stat().st_size
    if entry.size is not None and size != entry.size:
        raise DownloadError(f"{name}: expected {entry.size} bytes, got {size}; it is truncated, or another file")
    if entry.digest is not None:
        _check_digest(path, name, entry.digest, "published")
    recorded = recorded_digests().get(entry.stored_file)
    if recorded is not None:
        _check_digest(path, name, Digest("sha256", recorded), f"recorded in {models_folder() / RECORD}")
    if Path(name).suffix == ".zip":
        _check_zip(path, name)


def check_unchanged(path: Path) -> bool:
    """Compare a file in the model folder with the record; False where nothing is recorded. Raises DownloadError."""
    recorded = recorded_digests().get(path.name)
    if recorded is None:
        return False
    _check_digest(path, path.name, Digest("sha256", recorded), f"recorded in {path.parent / RECORD}")
    return True


def check_content(path: Path, name: str) -> None:
    """Refuse an HTML page, and a file that does not begin as its suffix says. Raises DownloadError."""
    with path.open("rb") as file:
        start = file.read(256)
    if start.lstrip().lower().startswith(_HTML):
        raise DownloadError(f"{name}: an HTML page came in place of the model; open the address in a browser to see why")
    allowed = _BEGINNINGS.get(Path(name).suffix)
    if not start or (allowed and not start.startswith(allowed)):
        raise DownloadError(f"{name}: not such a file, it begins with {start[:8]!r}")


def _check_zip(path: Path, name: str) -> None:
    """Unpacks everything once, to nowhere; weights hardly get smaller in a zip, so what says otherwise is refused before."""
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


def _check_digest(path: Path, name: str, digest: Digest, origin: str) -> None:
    found = digest_of(path, digest.algorithm)
    if not found.startswith(digest.hex_digits):
        raise DownloadError(
            f"{name}: wrong digest, {digest.algorithm} is {found}, {origin} is {digest.hex_digits};"
            " it is damaged, or another file than the one that was described"
        )

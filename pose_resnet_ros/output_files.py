# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Files that a command writes: never over an input, and whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

from pose_resnet_ros.core.errors import SettingsError
from pose_resnet_ros.core.whole_file import whole_file

_Identity = tuple[int, int] | str


class OutputGuard:
    """Refuses outputs that are inputs or are written twice; compares device and inode, so also through links."""

    def __init__(self, inputs: Iterable[Path] = ()) -> None:
        """inputs: files, and folders for the files in them; missing ones are ignored."""
        self._paths = inputs
        self._claimed: dict[_Identity, str] = {}

    def claim(self, name: str, path: Path) -> None:
        """name: the option that asks for this output. Raises SettingsError under that name."""
        identity = _identity(path)
        if path.exists() and identity in self._inputs:
            raise SettingsError(
                f"{name}: {path} is the input {self._inputs[identity]}, which would be overwritten; name another"
                f" {'folder' if name == 'output' else 'file'}"
            )
        if self._claimed.setdefault(identity, name) != name:
            raise SettingsError(f"{name}: {path} is also written by {self._claimed[identity]}; name another file")

    @cached_property
    def _inputs(self) -> dict[_Identity, Path]:
        return {_identity(file): file for path in self._paths for file in _files_of(path)}


def write_whole(path: Path, data: bytes, *, name: str) -> None:
    """Write a file whole or not at all; a link stays a link, and a device is written to.

    name: what errors begin with. Raises SettingsError where the disk refuses.
    """
    try:
        if path.exists() and not path.is_file():  # /dev/stdout
            _write_to_device(path, data)
            return
        with whole_file(Path(os.path.realpath(path))) as part:
            part.write_bytes(data)
    except OSError as error:
        raise SettingsError(f"{name}: cannot write {path}: {error.strerror}") from error


def write_json(path: Path, data: Any, *, name: str = "json") -> None:
    """As ``write_whole``: the data as indented JSON."""
    write_whole(path, f"{json.dumps(data, indent=1)}\n".encode(), name=name)


def _write_to_device(path: Path, data: bytes) -> None:
    """Without blocking: a pipe that nobody reads raises OSError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    os.set_blocking(descriptor, True)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)


def _identity(path: Path) -> _Identity:
    try:
        status = path.stat()
    except (OSError, ValueError):
        return os.path.realpath(path)
    return status.st_dev, status.st_ino


def _files_of(path: Path) -> list[Path]:
    try:
        return [path, *(file for file in path.iterdir() if file.is_file())] if path.is_dir() else [path]
    except OSError:
        return [path]

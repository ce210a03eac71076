# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Settings as ``--options`` of a command line: the names, defaults and ranges are the node's parameters."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable
from pathlib import Path

from pose_resnet_ros.core.errors import SettingsError
from pose_resnet_ros.settings import Setting, Value


def add_options(parser: argparse.ArgumentParser, rows: Iterable[Setting]) -> None:
    """``--detection-threshold 0.4`` and the like for each setting; a switch is ``--flip-test`` or ``--no-flip-test``."""
    group = parser.add_argument_group("settings (the node's parameters have the same names)")
    for row in rows:
        text = help_text(row)
        if row.type is bool:
            group.add_argument(flag(row), dest=row.name, default=row.default, action=argparse.BooleanOptionalAction, help=text)
        else:
            group.add_argument(
                flag(row), dest=row.name, default=row.default, type=parser_of(row), metavar=_metavar(row), help=text
            )


def flag(row: Setting) -> str:
    """The setting as an option's name."""
    return "--" + row.name.replace("_", "-")


def help_text(row: Setting) -> str:
    """Description, range and default."""
    allowed = "" if row.choices or row.type in (bool, str) else f"{row.allowed}; "
    return f"{row.description} ({allowed}default: {row.text(row.default) or 'empty'})".replace("%", "%%")


def parser_of(row: Setting) -> Callable[[str], Value]:
    """The ``type`` of an argparse argument that takes this setting's values."""

    def parse(text: str) -> Value:
        try:
            return row.parse(text)
        except SettingsError as error:
            raise argparse.ArgumentTypeError(f"expected {row.allowed}, got '{text}'") from error

    return parse


def integer(least: int) -> Callable[[str], int]:
    """The ``type`` of an argument that is a count."""

    def parse(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"expected an integer of at least {least}, got '{text}'")
        return int(text)

    return parse


def file_path(text: str) -> Path:
    """The ``type`` of an argument that is a path: ``--json=~/x.json`` too, where the shell leaves the ~ as it is."""
    return Path(os.path.expanduser(text))


def require_writable(name: str, path: Path) -> None:
    """Make the folder of a file that is written at the end. Raises SettingsError, under that name, if it could not be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"{name}: cannot make the folder {path.parent}: {error.strerror}") from error
    if path.is_dir():
        raise SettingsError(f"{name}: expected the name of a file to write, got the folder {path}")
    if not os.access(path.parent, os.W_OK):
        raise SettingsError(f"{name}: no permission to write into {path.parent.resolve()}; choose another place")


def _metavar(row: Setting) -> str:
    if row.choices:
        return "|".join(row.choices)
    return {int: "N", float: "X", str: "NAME" if row.default else "TEXT", tuple: "LIST"}[row.type]

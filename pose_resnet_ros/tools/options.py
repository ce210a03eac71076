# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The table of options as ``--options`` of a command line: the names, defaults and ranges are the node's parameters."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from pose_resnet_ros.core.errors import SettingsError
from pose_resnet_ros.options import LOAD_NAMES, PIPELINE_OPTIONS, Option, Value
from pose_resnet_ros.settings import PipelineSettings


def add_options(parser: argparse.ArgumentParser, options: Iterable[Option] = PIPELINE_OPTIONS) -> None:
    """``--detection-threshold 0.4`` and the like for each row; a switch is ``--flip-test`` or ``--no-flip-test``."""
    group = parser.add_argument_group("settings (the node's parameters have the same names)")
    for option in options:
        flag = "--" + option.name.replace("_", "-")
        text = f"{option.description} ({_range(option)}{_default(option)})".replace("%", "%%")
        if option.type is bool:
            group.add_argument(flag, dest=option.name, default=option.default, action=argparse.BooleanOptionalAction, help=text)
        else:
            group.add_argument(
                flag, dest=option.name, default=option.default, type=parser_of(option), metavar=_metavar(option), help=text
            )


def load_arguments(values: Mapping[str, Any]) -> dict[str, Any]:
    """What ``load_pipeline`` takes, out of the values of all options."""
    return {name: values[name] for name in LOAD_NAMES}


def frame_settings(values: Mapping[str, Any]) -> PipelineSettings:
    """What ``PosePipeline.run`` takes, out of the values of all options."""
    return PipelineSettings(**{name: values[name] for name in PipelineSettings.__dataclass_fields__})


def draw_arguments(values: Mapping[str, Any]) -> dict[str, bool]:
    """The ``draw_*`` options, which ``core.draw.draw_people`` takes."""
    return {name: value for name, value in values.items() if name.startswith("draw_")}


def parser_of(option: Option) -> Callable[[str], Value]:
    """The ``type`` of an argparse argument that takes this option's values."""

    def parse(text: str) -> Value:
        try:
            return option.parse(text)
        except SettingsError as error:
            raise argparse.ArgumentTypeError(f"expected {option.allowed}, got '{text}'") from error

    return parse


def whole_number(least: int) -> Callable[[str], int]:
    """The ``type`` of an argument that is a count."""

    def parse(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"expected a whole number of at least {least}, got '{text}'")
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


def _range(option: Option) -> str:
    return "" if option.choices or option.type in (bool, str) else f"{option.allowed}; "


def _default(option: Option) -> str:
    shown = str(option.default).lower() if option.type is bool else str(option.default)
    return f"default {shown}" if shown else "default: empty"


def _metavar(option: Option) -> str:
    if option.choices:
        return "|".join(option.choices)
    return {int: "N", float: "X", str: "NAME" if option.default else "TEXT"}[option.type]

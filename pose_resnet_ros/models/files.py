# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""From a model's name or path to its file on this machine. Nothing here uses the network."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pose_resnet_ros.core.errors import ModelError
from pose_resnet_ros.models.entry import Kind, ModelEntry
from pose_resnet_ros.models.registry import find_entry, model_names, unknown_model

HOME_VARIABLE = "POSE_RESNET_ROS_HOME"
WEIGHTS_FOLDER = Path(__file__).resolve().parent.parent / "weights"


@dataclass(frozen=True)
class ModelFile:
    """A file that is there; entry: its table row, None for a file known by its path or added by the user."""

    path: Path
    entry: ModelEntry | None = None


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


def entry_path(entry: ModelEntry) -> Path:
    """Where a table row's file lies, or would lie."""
    return (WEIGHTS_FOLDER if entry.bundled else models_folder()) / entry.file


def added_models() -> tuple[str, ...]:
    """Names of the user's own models: ONNX files in the model folder that are in no row of the table."""
    known = {entry.file for name in model_names() if (entry := find_entry(name))}
    return tuple(sorted(path.stem for path in models_folder().glob("*.onnx") if path.name not in known))


def find_model(name_or_path: str | os.PathLike[str], *, kind: Kind | None = None) -> ModelFile:
    """The local file of a model.

    name_or_path: a name from the table, the name of an added model, or the path of an ONNX file (anything with a folder or
    the suffix .onnx, or a file that is there). kind: only for the names that the error proposes. Raises ModelError, which says
    how to get an absent model.
    """
    text = os.fspath(name_or_path)
    entry = find_entry(text)
    if entry is not None:
        return ModelFile(_require_entry_file(entry), entry)
    if os.sep in text or text.endswith(".onnx"):
        return ModelFile(_require_path(Path(os.path.expanduser(text))))
    if text in added_models():
        return ModelFile(models_folder() / f"{text}.onnx")
    if os.path.isfile(text):  # unlike Path.is_file, of no name an error: too long, or in a folder that is closed to us
        return ModelFile(Path(text))
    raise unknown_model(text, model_names(kind) + added_models(), "the path of an ONNX file, or one of the names")


def of_precision(file: ModelFile, precision: str) -> ModelFile:
    """The file that ``export`` made of this one in that precision: beside it, or in the model folder; auto and fp32: itself.

    Of a model of the table the user's own export comes before the one that is part of the package.
    Raises ModelError, which says how to make an absent one.
    """
    if precision in ("auto", "fp32"):
        return file
    name = f"{file.path.stem}.{precision}.onnx"
    beside_first = (file.path.parent, models_folder())
    for folder in beside_first[::-1] if file.entry else beside_first:
        if (folder / name).is_file():
            return replace(file, path=folder / name)
    raise ModelError(
        f"{file.path.name} in {precision} is not on this machine (looked for {name} beside it and in {models_folder()});"
        f" make it with: {how_to_make(file, precision)}"
    )


def measured_in_8_bits(file: ModelFile) -> Path | None:
    """The 8-bit file in the package of a bundled model, whose accuracy is known to be the same; None for any other."""
    if file.entry is None or not file.entry.bundled:
        return None
    return file.path.with_name(f"{file.path.stem}.int8.onnx")


def own_precision(name_or_path: str | os.PathLike[str]) -> str:
    """The precision to ask for to get a model as it is: a row of the table in fp32, a file in whatever it was made in."""
    return "auto" if find_entry(os.fspath(name_or_path)) is None else "fp32"


def how_to_make(file: ModelFile, precision: str) -> str:
    """The command that makes ``file`` in another precision, where ``of_precision`` finds it."""
    calibration = " --calibration PICTURES_OR_VIDEO" if precision == "int8" else ""
    source = file.entry.name if file.entry else shlex.quote(str(file.path))
    return f"python3 -m pose_resnet_ros export {source} --{precision}{calibration}"


def how_to_get(entry: ModelEntry) -> str:
    """One sentence that brings an absent model to this machine."""
    if entry.bundled:
        return "it is part of this package: install the package again"
    if entry.checkpoint and (models_folder() / entry.checkpoint).is_file():
        return f"its checkpoint is here, turn it into the model with: python3 -m pose_resnet_ros export {entry.name}"
    return f"get it with: python3 -m pose_resnet_ros models fetch {entry.name}"


def how_to_get_all(entries: Sequence[ModelEntry]) -> str:
    """One sentence that brings several absent models to this machine."""
    names = " ".join(entry.name for entry in entries)
    return f"get them with: python3 -m pose_resnet_ros models fetch {names} (with allow_download: true the node does it itself)"


def _require_entry_file(entry: ModelEntry) -> Path:
    path = entry_path(entry)
    if not path.is_file():
        raise ModelError(f"the model '{entry.name}' is not on this machine ({path}); {how_to_get(entry)}")
    return path


def _require_path(path: Path) -> Path:
    if not os.path.isfile(path):
        what = "is a folder" if os.path.isdir(path) else "does not exist, or cannot be reached"
        raise ModelError(
            f"model file {path} {what}; expected an ONNX file, or a name from: python3 -m pose_resnet_ros models list"
        )
    try:
        str(path.absolute()).encode()
    except UnicodeEncodeError as error:
        raise ModelError(f"model file {path}: its path is not UTF-8, which onnxruntime cannot open; rename it") from error
    return path

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""From a model's name to its row in the table and to its file on this machine. Nothing here uses the network.

A model that is not in the table is used by its path, if its file describes itself (``spec.METADATA_KEY``).
"""

from __future__ import annotations

import difflib
import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pose_resnet_ros.core.errors import ModelError
from pose_resnet_ros.core.types import names_of
from pose_resnet_ros.models.model_folder import models_folder
from pose_resnet_ros.models.spec import Kind, ModelEntry
from pose_resnet_ros.models.table_detectors import DETECTORS
from pose_resnet_ros.models.table_pose import POSE_NETS

FULL_FRAME = "full_frame"  # in place of a detector: the whole image is one person
TABLE: tuple[ModelEntry, ...] = POSE_NETS + DETECTORS
WEIGHTS_FOLDER = Path(__file__).resolve().parent.parent / "weights"


@dataclass(frozen=True)
class ModelFile:
    """An existing file; entry: its row in the table, None for a file given by its path or added by the user."""

    path: Path
    entry: ModelEntry | None = None


def model_names(kind: Kind | None = None) -> tuple[str, ...]:
    """Names in the table, of one kind or of all."""
    return tuple(row.name for row in TABLE if kind in (None, row.kind))


def find_entry(name: str) -> ModelEntry | None:
    """The row of that name, or None."""
    return next((row for row in TABLE if row.name == name), None)


def get_entry(name: str) -> ModelEntry:
    """The row of that name. Raises ModelError, which says where the names are listed."""
    entry = find_entry(name)
    if entry is None:
        raise unknown_model(name, model_names(), "one of the names")
    return entry


def unknown_model(name: str, names: Sequence[str], expected: str) -> ModelError:
    """The error for an unknown name: what was expected, where the names are listed, and the closest ones."""
    alike = difflib.get_close_matches(name, names, n=5)
    perhaps = f"; did you mean {names_of(alike)}?" if alike else ""
    return ModelError(f"there is no model named '{name}'; expected {expected} that `pose_resnet_ros models list` prints{perhaps}")


def entry_path(entry: ModelEntry) -> Path:
    """Where the row's ONNX file is, or would be."""
    return (WEIGHTS_FOLDER if entry.bundled else models_folder()) / entry.file


def added_models() -> tuple[str, ...]:
    """Names of the user's own models: ONNX files in the model folder that are in no row of the table."""
    known = {entry.file for name in model_names() if (entry := find_entry(name))}
    return tuple(sorted(path.stem for path in models_folder().glob("*.onnx") if path.name not in known))


def find_model(name_or_path: str | os.PathLike[str], *, kind: Kind | None = None) -> ModelFile:
    """The local file of a model.

    name_or_path: a name in the table, the name of an added model, or the path of an ONNX file (anything with a folder or the
    suffix .onnx, or an existing file). kind: of the names that the error suggests. Raises ModelError, which says how to get a
    missing model.
    """
    text = os.fspath(name_or_path)
    entry = find_entry(text)
    if entry is not None:
        return ModelFile(_require_entry_file(entry), entry)
    if os.sep in text or text.endswith(".onnx"):
        return ModelFile(_require_path(Path(os.path.expanduser(text))))
    if text in added_models():
        return ModelFile(models_folder() / f"{text}.onnx")
    if os.path.isfile(text):  # unlike Path.is_file, no error for a name that is too long or in a closed folder
        return ModelFile(Path(text))
    raise unknown_model(text, model_names(kind) + added_models(), "the path of an ONNX file, or one of the names")


def of_precision(file: ModelFile, precision: str) -> ModelFile:
    """The file that ``export`` made from this one in that precision, beside it or in the model folder; itself for auto and fp32.

    A user's export of a bundled model is preferred to the bundled one. Raises ModelError, which says how to make a missing file.
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


def bundled_int8(file: ModelFile) -> Path | None:
    """The int8 file of a bundled model, whose accuracy was measured; None for any other model."""
    if file.entry is None or not file.entry.bundled:
        return None
    return file.path.with_name(f"{file.path.stem}.int8.onnx")


def own_precision(name_or_path: str | os.PathLike[str]) -> str:
    """The precision that opens a model as it is: fp32 for a row of the table, auto for a file."""
    return "auto" if find_entry(os.fspath(name_or_path)) is None else "fp32"


def how_to_make(file: ModelFile, precision: str) -> str:
    """The command that makes ``file`` in another precision, where ``of_precision`` finds it."""
    calibration = " --calibration IMAGES_OR_VIDEO" if precision == "int8" else ""
    source = file.entry.name if file.entry else shlex.quote(str(file.path))
    return f"pose_resnet_ros export {source} --{precision}{calibration}"


def how_to_get(entry: ModelEntry) -> str:
    """One sentence that says how to get a missing model."""
    if entry.bundled:
        return "it is part of this package: install the package again"
    if entry.checkpoint and (models_folder() / entry.checkpoint).is_file():
        return f"its checkpoint is here, turn it into the model with: pose_resnet_ros export {entry.name}"
    return f"get it with: pose_resnet_ros models fetch {entry.name}"


def how_to_get_all(entries: Sequence[ModelEntry]) -> str:
    """One sentence that says how to get several missing models."""
    names = " ".join(entry.name for entry in entries)
    return f"get them with: pose_resnet_ros models fetch {names} (with allow_download: true the node does it itself)"


def _require_entry_file(entry: ModelEntry) -> Path:
    path = entry_path(entry)
    if not path.is_file():
        raise ModelError(f"the model '{entry.name}' is not on this machine ({path}); {how_to_get(entry)}")
    return path


def _require_path(path: Path) -> Path:
    if not os.path.isfile(path):
        what = "is a folder" if os.path.isdir(path) else "does not exist, or cannot be reached"
        raise ModelError(f"model file {path} {what}; expected an ONNX file, or a name from: pose_resnet_ros models list")
    try:
        str(path.absolute()).encode()
    except UnicodeEncodeError as error:
        raise ModelError(f"model file {path}: its path is not UTF-8, which onnxruntime cannot open; rename it") from error
    return path

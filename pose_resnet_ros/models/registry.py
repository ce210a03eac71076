# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The model table: one frozen row for each model that has a name.

A model that is not in the table is used by its path, if its file describes itself (``spec.METADATA_KEY``).
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from pose_resnet_ros.core.errors import ModelError
from pose_resnet_ros.core.types import names_of
from pose_resnet_ros.models.entry import Kind, ModelEntry
from pose_resnet_ros.models.table_detectors import DETECTORS
from pose_resnet_ros.models.table_pose import POSE_NETS

FULL_FRAME = "full_frame"  # stands for a detector: the whole image is one person


BUNDLED: tuple[ModelEntry, ...] = (
    ModelEntry(
        name="pose_resnet_lite",
        kind="pose",
        file="pose_resnet_lite.onnx",
        source="trained by training/ of this package",
        licence="Apache-2.0",
        data="LSP-extended photographs (Johnson and Everingham, CVPR 2011), partly machine-labelled",
        bundled=True,
    ),
    ModelEntry(
        name="person_lite",
        kind="detector",
        file="person_lite.onnx",
        source="trained by training/ of this package",
        licence="Apache-2.0",
        data="LSP-extended photographs (Johnson and Everingham, CVPR 2011), boxes by a COCO-trained detector",
        bundled=True,
    ),
)

TABLE: tuple[ModelEntry, ...] = BUNDLED + POSE_NETS + DETECTORS


def model_names(kind: Kind | None = None) -> tuple[str, ...]:
    """Names in the table, of one kind or of all."""
    return tuple(row.name for row in TABLE if kind in (None, row.kind))


def find_entry(name: str) -> ModelEntry | None:
    """The row of that name, or None."""
    return next((row for row in TABLE if row.name == name), None)


def get_entry(name: str) -> ModelEntry:
    """The row of that name.

    Raises ModelError, which says where the names are listed.
    """
    entry = find_entry(name)
    if entry is None:
        raise unknown_model(name, model_names(), "one of the names")
    return entry


def unknown_model(name: str, names: Sequence[str], expected: str) -> ModelError:
    """The error for a name that is none of ``names``: what was expected, where the names are listed, and those most like it."""
    alike = difflib.get_close_matches(name, names, n=5)
    perhaps = f"; did you mean {names_of(alike)}?" if alike else ""
    return ModelError(
        f"there is no model named '{name}'; expected {expected} that `python3 -m pose_resnet_ros models list` prints{perhaps}"
    )

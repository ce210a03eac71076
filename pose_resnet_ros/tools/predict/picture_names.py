# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""What a picture is called in results: its path from the deepest folder that holds all inputs, so that no two are alike."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path


class PictureNames:
    """Of ``predict holiday`` it is ``a.jpg``; of ``predict summer winter`` it is ``summer/a.jpg``."""

    def __init__(self, inputs: Iterable[str]) -> None:
        """inputs: as given; webcams and addresses among them keep their names."""
        paths = [os.path.abspath(text) for text in inputs if os.path.exists(text)]
        folders = [path if os.path.isdir(path) else os.path.dirname(path) for path in paths]
        self._root = os.path.commonpath(folders) if folders else ""

    def of(self, path: Path) -> str:
        """For the path of a ``Picture``."""
        return Path(os.path.relpath(path, self._root)).as_posix() if path.exists() else str(path)

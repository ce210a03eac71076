# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Photographs by file name, from a folder or a tar archive, decoded once while memory allows."""

from __future__ import annotations

import tarfile
from pathlib import Path

import cv2
import numpy as np


class ImageStore:
    """Decoded images by file name.

    source: a folder, or a ``.tar`` whose members carry the file names; cache_bytes: decoded images are kept up to this
    total. Each loader process has its own cache, so use few processes or a small cache with a large data set.
    """

    def __init__(self, source: Path, *, cache_bytes: int = 0) -> None:
        self._source = Path(source)
        self._cache: dict[str, np.ndarray] = {}
        self._room = cache_bytes
        self._members: dict[str, tuple[int, int]] = {}
        if self._source.suffix == ".tar":
            with tarfile.open(self._source) as archive:
                self._members = {Path(m.name).name: (m.offset_data, m.size) for m in archive if m.isfile()}
        elif not self._source.is_dir():
            raise FileNotFoundError(f"{source}: expected a folder of images or a .tar archive")

    def read(self, file_name: str) -> np.ndarray:
        """(H, W, 3) uint8 BGR; not to be written to. Raises ValueError if the file is no image."""
        if file_name in self._cache:
            return self._cache[file_name]
        image = cv2.imdecode(np.frombuffer(self._bytes(file_name), np.uint8), cv2.IMREAD_COLOR)
        if image is None:
            raise ValueError(f"{self._source}: {file_name} is not an image that OpenCV can decode")
        if image.nbytes <= self._room:
            self._room -= image.nbytes
            self._cache[file_name] = image
        return image

    def _bytes(self, file_name: str) -> bytes:
        if not self._members:
            return (self._source / file_name).read_bytes()
        offset, size = self._members[Path(file_name).name]
        with self._source.open("rb") as file:
            file.seek(offset)
            return file.read(size)

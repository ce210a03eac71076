# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Photographs by file name, from folders and tar archives, decoded once while memory allows."""

from __future__ import annotations

import tarfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from pose_resnet_ros.stills import StillImage
from training.coco import Photograph


def image_source(folder: Path) -> Path:
    """Where the images of a data folder lie: its ``images.tar``, its ``images`` folder, or beside the annotations."""
    return next((p for p in (folder / "images.tar", folder / "images") if p.exists()), folder)


class ImageStore:
    """Decoded images by file name.

    sources: folders, or ``.tar`` files whose members carry the file names; a name stands in one of them only.
    cache_bytes: decoded images are kept up to this total. Each loader process has its own cache, so use few processes or a
    small cache with a large data set. photographs: their images are read in the pixels that their annotations are in (EXIF
    orientation), others upright. Raises FileNotFoundError for a source that is neither, ValueError if two archives hold the
    same name.
    """

    def __init__(self, *sources: Path, cache_bytes: int = 0, photographs: Iterable[Photograph] = ()) -> None:
        self._sources = [Path(source) for source in sources]
        self._sizes = {p.file_name: (p.width, p.height) for p in photographs if p.width and p.height}
        self._cache: dict[str, np.ndarray] = {}
        self._room = cache_bytes
        self._members: dict[str, tuple[Path, int, int]] = {}
        for source in self._sources:
            if source.suffix == ".tar":
                self._index(source)
            elif not source.is_dir():
                raise FileNotFoundError(f"{source}: expected a folder of images or a .tar archive")
        self._folders = [source for source in self._sources if source.suffix != ".tar"]

    def names(self, source: Path) -> list[str]:
        """The file names of one source, sorted."""
        if source.suffix != ".tar":
            return sorted(path.name for path in source.iterdir() if path.is_file())
        return sorted(name for name, member in self._members.items() if member[0] == source)

    def read(self, file_name: str) -> np.ndarray:
        """(H, W, 3) uint8 BGR; not to be written to. Raises ImageError if the file is no image, or not of the declared size."""
        if file_name in self._cache:
            return self._cache[file_name]
        still = StillImage(Path(file_name), self._bytes(file_name))
        size_wh = self._sizes.get(file_name)
        image = still.pixels() if size_wh is None else still.declared_pixels(size_wh)
        if image.nbytes <= self._room:
            self._room -= image.nbytes
            self._cache[file_name] = image
        return image

    def _index(self, archive: Path) -> None:
        with tarfile.open(archive) as members:
            for member in members:
                name = Path(member.name).name
                if member.isfile() and self._members.setdefault(name, (archive, member.offset_data, member.size)) != (
                    archive,
                    member.offset_data,
                    member.size,
                ):
                    raise ValueError(f"{archive}: {name} is also in {self._members[name][0]}")

    def _bytes(self, file_name: str) -> bytes:
        found = self._members.get(Path(file_name).name)
        if found is None:
            paths = [folder / file_name for folder in self._folders]
            return next((p for p in paths if p.exists()), Path(file_name)).read_bytes()
        archive, offset, size = found
        with archive.open("rb") as file:
            file.seek(offset)
            return file.read(size)

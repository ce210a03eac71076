# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""What is known of one model: a row of the model table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pose_resnet_ros.models.spec import Spec

Kind = Literal["pose", "detector"]


@dataclass(frozen=True)
class Digest:
    """What is known of a file's digest: ``hex_digits`` may be only its beginning (OpenMMLab's names carry eight digits)."""

    algorithm: Literal["sha256", "sha1", "md5"]
    hex_digits: str

    def __str__(self) -> str:
        full = {"sha256": 64, "sha1": 40, "md5": 32}[self.algorithm]
        return f"{self.algorithm} {self.hex_digits}" + ("..." if len(self.hex_digits) < full else "")


@dataclass(frozen=True)
class ModelEntry:
    """One model.

    spec: None where the file itself carries it (the bundled models); file: the ONNX file that runs, in the model folder;
    checkpoint: the weights that ``export`` turns into ``file``, where the published file is not ONNX; zip_member: the
    published file is a zip that holds ``file`` under this name; urls: of the published file, tried in this order, https
    only; size: its bytes; digest: its digest, None where nobody published one; manual_page: set where no program can fetch
    it; terms: what binds the weights beyond the licence of the code; accuracy: (measure, value) as published; measured: the same
    as measured with this package; was_seen: the published file itself was verified, converted and run here; megabytes:
    roughly, where ``size`` is not known; gmac: 1e9 multiply-adds of one input; note: what a user should know, above all what
    could not be verified.
    """

    name: str
    kind: Kind
    file: str
    source: str
    licence: str
    data: str
    spec: Spec | None = None
    bundled: bool = False
    checkpoint: str = ""
    zip_member: str = ""
    urls: tuple[str, ...] = ()
    size: int | None = None
    digest: Digest | None = None
    manual_page: str | None = None
    terms: str = ""
    accuracy: tuple[tuple[str, float], ...] = ()
    measured: tuple[tuple[str, float], ...] = ()
    was_seen: bool = False
    megabytes: float | None = None
    gmac: float | None = None
    note: str = ""

    @property
    def published_file(self) -> str:
        """Name of the file as its makers serve it."""
        return self.checkpoint or (self.urls[0].rsplit("/", 1)[-1] if self.urls else self.file)

    @property
    def stored_file(self) -> str:
        """Name of the published file in the model folder; it is ``file`` unless that must be exported or unpacked first."""
        return self.checkpoint or (self.published_file if self.zip_member else self.file)

